"""A reverse proxy in front of Odoo's worker processes, with the one rule that docs name.

With ``--workers`` Odoo answers ``/websocket`` on its gevent port only. A browser opens a connection
of its own for a websocket, so the first line of each connection tells where it belongs.
"""

import asyncio
import contextlib
import threading


@contextlib.contextmanager
def running(port, http_port, gevent_port):
    """Listen on a port of this machine for as long as the block lasts."""
    loop = asyncio.new_event_loop()

    async def serve(reader, writer):
        first = await reader.readline()
        is_websocket = first.startswith(b"GET /websocket")
        with contextlib.suppress(OSError):
            await _connect(reader, writer, first, gevent_port if is_websocket else http_port)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _connect(reader, writer, first, port):
    """Pass bytes on in both directions until one side closes."""
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    there_writer.write(first)
    directions = [(reader, there_writer), (there_reader, writer)]
    passing = [asyncio.ensure_future(_pass_on(*direction)) for direction in directions]
    await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
    there_writer.close()


async def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
