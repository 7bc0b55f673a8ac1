"""A reverse proxy for Odoo's worker processes, with the rule in README.

With ``--workers``, Odoo serves ``/websocket`` on its gevent port only. As browsers use a separate
connection for a websocket, the first line of a connection determines its port.
"""

import asyncio
import contextlib
import threading


@contextlib.contextmanager
def running(port, http_port, gevent_port):
    """Run the proxy on a local port; yield its URL."""
    loop = asyncio.new_event_loop()

    async def serve(reader, writer):
        first_line = await reader.readline()
        is_websocket = first_line.startswith(b"GET /websocket")
        with contextlib.suppress(OSError):
            await _connect(reader, writer, first_line, gevent_port if is_websocket else http_port)
        writer.close()

    # In a thread, as the browser driver's event loop runs in this one.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(serve, "127.0.0.1", port)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _connect(reader, writer, first_line, port):
    """Forward data in both directions until one side closes its connection."""
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
    server_writer.write(first_line)
    directions = [(reader, server_writer), (server_reader, writer)]
    tasks = [asyncio.ensure_future(_forward(*direction)) for direction in directions]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server_writer.close()


async def _forward(source, target):
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
