"""The sandbox as a web server: Flask for the calls, Werkzeug's threaded server below it."""

import io
import socketserver
import sys
import threading
import traceback
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .api import api
from .checks import LARGEST_NUMBER
from .control import control
from .errors import Refused
from .faults import Faults
from .gate import Gate, is_own
from .limits import Limits
from .pages import pages
from .settings import Settings
from .store import Store

DEFAULT_USERS = {"demo": "demo"}


class Sandbox:
    """One stand-in with its data, settings and faults; ``app`` is the WSGI application.

    ``users`` are passwords by username, each with an account of its own; ``state`` is the path of
    the state file, None keeps everything in memory; ``settings`` are those of ``Settings``.
    """

    def __init__(self, users=None, state=None, **settings):
        self._users = users or DEFAULT_USERS
        self._start = Settings(**settings)
        self.settings = Settings(**settings)
        self.store = Store(state)
        self.limits = Limits(self.store, self.settings)
        self.faults = Faults()
        self.gate = Gate(self.store, self.settings, self.limits, self.faults)
        self.app = _app(self)
        self._add_users()

    def reset(self) -> None:
        """Everything as at a first start; what is held is dropped."""
        with self.store.turn() as store:
            store.forget_everything()
        self._add_users()
        self.settings.change(self._start.as_dict())
        self.gate.calls.clear()
        self.gate.log.clear()
        self.faults.set([])
        self.faults.release(drop=True)

    def close(self) -> None:
        self.faults.release(drop=True)
        self.store.close()

    def _add_users(self):
        with self.store.turn() as store:
            for name, password in self._users.items():
                store.set_account(name, password)


class _Id(IntegerConverter):
    """An id in a path; what is larger than the store's numbers is no id."""

    def __init__(self, url_map):
        super().__init__(url_map, max=LARGEST_NUMBER)


def _app(sandbox):
    app = Flask(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.json.sort_keys = False
    app.url_map.converters["id"] = _Id
    app.extensions["sandbox"] = sandbox
    app.before_request(_refuse_other_sites)
    app.before_request(sandbox.gate.enter)
    app.after_request(sandbox.gate.leave)
    app.register_error_handler(Refused, lambda error: (jsonify(error.body()), error.status))
    app.register_error_handler(HTTPException, _say_http_error)
    app.register_error_handler(Exception, _say_own_error)
    for blueprint in (api, control, pages):
        app.register_blueprint(blueprint)
    return app


def _refuse_other_sites():
    # The controls ask for no password, so a web page from elsewhere, open in the browser of
    # somebody who runs a sandbox, must not be able to press their buttons.
    origin = request.headers.get("Origin")
    if origin and is_own(request.path) and urlsplit(origin).netloc != request.host:
        raise Refused(400, "This was sent by another site's page.")


def _say_http_error(error):
    # 405 and the like are not among the contract's statuses: what there is not, is not found.
    status = 404 if error.code in (404, 405) else error.code
    if status is None or status < 400:
        return error
    body = {"message": "There is no such call." if status == 404 else error.description}
    return jsonify(body), status


def _say_own_error(error):
    traceback.print_exception(error, file=sys.stderr)
    return jsonify(message="The sandbox itself has an error: see its output."), 500


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler with connections that stay open, as real services keep them.

    Werkzeug closes after each answer, because it cannot know whether a body was read to its end;
    here the body is read before the application is asked.
    """

    protocol_version = "HTTP/1.1"
    timeout = 120
    """Seconds after which an idle connection is closed."""
    wbufsize = -1
    disable_nagle_algorithm = True

    def run_wsgi(self):
        environ = self.make_environ()
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        if not environ.get("wsgi.input_terminated"):
            length = self.headers.get("Content-Length", "0")
            environ["wsgi.input"] = io.BytesIO(
                self.rfile.read(int(length)) if length.isdecimal() else b""
            )
        else:
            body = environ["wsgi.input"].read()
            environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        try:
            self._answer(environ)
        except OSError:
            # A fault that closed the connection, or a client that did.
            self.close_connection = True

    def _answer(self, environ):
        head = []

        def start_response(status, headers, exc_info=None):
            head[:] = status, headers

        pieces = self.server.app(environ, start_response)
        try:
            started = False
            for piece in pieces:
                if not started:
                    self._send_head(*head)
                    started = True
                self.wfile.write(piece)
                self.wfile.flush()
            if not started:
                self._send_head(*head)
                self.wfile.flush()
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _send_head(self, status, headers):
        code, _, text = status.partition(" ")
        self.send_response(int(code), text)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _value in headers):
            self.send_header("Connection", "close")
        self.end_headers()

    def log_request(self, code="-", size="-"):
        if self.server.verbose:
            self.log("info", '"%s" %s', self.requestline.split(" HTTP/")[0], code)


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    # Callers by the dozen at once must not be refused: that would be a fault nobody ordered.
    request_queue_size = 256
    verbose = False

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            socketserver.BaseServer.handle_error(self, request, client_address)


class Running:
    """A sandbox that listens at ``url``; ``sandbox`` is the thing itself."""

    def __init__(self, sandbox: Sandbox, host: str, port: int, verbose: bool = False):
        self.sandbox = sandbox
        self._server = _Server(host, port, sandbox.app, handler=_Handler)
        self._server.verbose = verbose
        self.port = self._server.server_port
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def run(self) -> None:
        """Serve until ``stop``."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._server.shutdown()

    def close(self) -> None:
        self.sandbox.faults.release(drop=True)
        self._server.server_close()
        self.sandbox.close()


@contextmanager
def serve(port: int = 0, host: str = "127.0.0.1", users=None, state=None, **settings):
    """A sandbox in a thread of this process, for tests; port 0 takes a free one."""
    running = Running(Sandbox(users, state, **settings), host, port)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()
        running.close()
