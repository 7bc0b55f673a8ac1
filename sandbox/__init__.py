"""A local stand-in of Campaign Master: to try, to teach and to test against.

It speaks the API that ``docs/openapi.yaml`` describes, plays what happens after a *Send*, and can
be told to misbehave. It is not Campaign Master, never calls it, and imports nothing of the add-on.

Start it with ``python -m sandbox --port 8080``, or inside a test::

    from sandbox.server import serve

    with serve(port=0, users={"demo": "demo"}) as sandbox:
        requests.post(f"{sandbox.url}/authenticate", json={"username": "demo", "password": "demo"})
"""
