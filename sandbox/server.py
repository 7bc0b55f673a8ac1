"""The sandbox as a web server: a Flask application on Werkzeug's threaded server."""

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
from .checks import MAX_INTEGER
from .control import control
from .dialect import Dialect
from .errors import ApiError
from .faults import Faults
from .gate import CONTROL_PATH, Gate, is_control
from .limits import Limits
from .pages import pages
from .settings import Settings
from .store import Store

NOWHERE = f"{CONTROL_PATH}/nowhere"
DEFAULT_USERS = {"demo": "demo"}


class Sandbox:
    """A sandbox with its data, settings and faults; ``app`` is the WSGI application.

    :param dict users: passwords by username; each user has a separate account
    :param state: path of the state file; in memory if missing
    :param dict dialect: see ``Dialect``
    :param settings: see ``Settings``
    :raise ValueError: the dialect is invalid
    """

    def __init__(self, users=None, state=None, dialect=None, **settings):
        self._users = users or DEFAULT_USERS
        self._initial_settings = Settings(**settings)
        self.settings = Settings(**settings)
        self.dialect = Dialect()
        self.dialect.change(dialect or {})
        self._initial_dialect = self.dialect.as_dict()
        self.store = Store(state)
        self.limits = Limits(self.store, self.settings)
        self.faults = Faults()
        self.gate = Gate(self.store, self.settings, self.dialect, self.limits, self.faults)
        self.app = _app(self)
        self._add_users()

    def reset(self) -> None:
        """Restore the initial state, and drop held calls."""
        with self.store.transaction() as store:
            store.clear()
        self._add_users()
        self.settings.change(self._initial_settings.as_dict())
        self.dialect.change(self._initial_dialect)
        self.gate.calls.clear()
        self.gate.log.clear()
        self.faults.set([])
        self.faults.release(drop=True)

    def close(self) -> None:
        self.faults.release(drop=True)
        self.store.close()

    def _add_users(self):
        with self.store.transaction() as store:
            for name, password in self._users.items():
                store.set_account(name, password)


class _Id(IntegerConverter):
    """An id in a path that the store can look up."""

    def __init__(self, url_map):
        super().__init__(url_map, max=MAX_INTEGER)


def _app(sandbox):
    app = Flask(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.json.sort_keys = False
    app.url_map.converters["id"] = _Id
    app.extensions["sandbox"] = sandbox
    app.before_request(_refuse_cross_origin)
    app.before_request(sandbox.gate.before_request)
    app.after_request(sandbox.gate.after_request)
    app.register_error_handler(ApiError, lambda error: (jsonify(error.body()), error.status))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    for blueprint in (api, control, pages):
        app.register_blueprint(blueprint)
    app.wsgi_app = _without_prefix(app.wsgi_app, sandbox.dialect)
    return app


def _without_prefix(app, dialect):
    """The app below the dialect's prefix; other paths of the API do not exist."""

    def serve(environ, start_response):
        if not is_control(environ["PATH_INFO"]):
            path = dialect.path(environ["PATH_INFO"])
            environ["PATH_INFO"] = NOWHERE if path is None else path
        return app(environ, start_response)

    return serve


def _refuse_cross_origin():
    # The controls need no password, so other sites in the same browser must not use them.
    origin = request.headers.get("Origin")
    if origin and is_control(request.path) and urlsplit(origin).netloc != request.host:
        raise ApiError(400, "Requests from other sites are not allowed.")


def _http_error(error):
    # The contract has no 405.
    status = 404 if error.code in (404, 405) else error.code
    if status is None or status < 400:
        return error
    body = {"message": "The call does not exist." if status == 404 else error.description}
    return jsonify(body), status


def _internal_error(error):
    traceback.print_exception(error, file=sys.stderr)
    return jsonify(message="Internal error in the sandbox; see its output."), 500


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler with persistent connections, like a real service.

    Werkzeug closes the connection after each response, as the request body may not have been read
    completely. Here it is read before the application is called.
    """

    protocol_version = "HTTP/1.1"
    timeout = 120
    """Seconds until an idle connection is closed."""
    wbufsize = -1
    disable_nagle_algorithm = True

    def make_environ(self):
        environ = super().make_environ()
        # Werkzeug drops headers with an underscore, such as client_id.
        for name, value in self.headers.items():
            if "_" in name:
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ

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
            self._respond(environ)
        except OSError:
            # A fault or the client closed the connection.
            self.close_connection = True

    def _respond(self, environ):
        head = []

        def start_response(status, headers, exc_info=None):
            head[:] = status, headers

        chunks = self.server.app(environ, start_response)
        try:
            started = False
            for chunk in chunks:
                if not started:
                    self._send_head(*head)
                    started = True
                self.wfile.write(chunk)
                self.wfile.flush()
            if not started:
                self._send_head(*head)
                self.wfile.flush()
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

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
    # Dozens of simultaneous connections must not be refused.
    request_queue_size = 256
    verbose = False

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            socketserver.BaseServer.handle_error(self, request, client_address)


class Running:
    """A sandbox that listens at ``url``."""

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
def serve(port: int = 0, host: str = "127.0.0.1", users=None, state=None, dialect=None, **settings):
    """Run a sandbox in a thread, for tests; with port 0 on a free port."""
    running = Running(Sandbox(users, state, dialect, **settings), host, port)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()
        running.close()
