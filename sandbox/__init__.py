"""A local stand-in for Campaign Master, for demos, training and tests.

It serves the API described in ``docs/openapi.yaml``, simulates what happens after a *Send*, and
produces faults on request. It never contacts Campaign Master and imports nothing from the add-on.

Run ``python -m sandbox --port 8080``, or in a test::

    from sandbox.server import serve

    with serve(port=0, users={"demo": "demo"}) as sandbox:
        requests.post(f"{sandbox.url}/authenticate", json={"username": "demo", "password": "demo"})
"""
