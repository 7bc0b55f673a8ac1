"""A headless Chromium, driven through its DevTools protocol."""

import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import websocket

from devtools.environment.console import Problem

PROGRAMS = ["chromium", "chromium-browser", "google-chrome"]
OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--mute-audio",
    "--window-size=1366,900",
    "--remote-debugging-port=0",
]
PATIENCE = 60  # seconds until something is there
# Looks often enough to tell milliseconds, and seldom enough not to be in the way.
WAIT = """
new Promise((resolve, reject) => {
    const end = performance.now() + %(patience)s;
    const look = () => {
        if (%(condition)s) resolve(true);
        else if (performance.now() > end) reject(new Error("did not come"));
        else setTimeout(look, 4);
    };
    look();
})
"""


@contextlib.contextmanager
def running():
    """Start a browser with a profile of its own; yield a :class:`Browser`."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        raise Problem("There is no Chromium.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            browser = Browser(_page(Path(profile, "DevToolsActivePort")))
            yield browser
            browser.command("Browser.close")
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


def _page(port_file):
    """Return the address at which the browser's page is talked to."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            port = int(port_file.read_text().split()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = json.load(answer)
            return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
        time.sleep(0.1)
    raise Problem("Chromium did not start.")


class Browser:
    """One page of a browser."""

    def __init__(self, url):
        self._socket = websocket.create_connection(url, suppress_origin=True, timeout=PATIENCE)
        self._ids = itertools.count(1)
        self._requests = []
        self._loader = None
        self.command("Page.enable")
        self.command("Network.enable", maxPostDataSize=1_000_000)

    def command(self, method, **params):
        """Let the browser do something; return its answer."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "Network.requestWillBeSent":
                self._requests.append(message["params"])
            if message.get("id") == number:
                if "error" in message:
                    raise Problem(f"{method}: {message['error']['message']}")
                return message["result"]

    def log_in(self, url, session_id):
        """Be the user of a session."""
        self.command("Network.clearBrowserCookies")
        self.command("Network.setCookie", url=url, name="session_id", value=session_id)

    def open(self, url, condition):
        """Open an address; return the seconds until a JavaScript condition holds."""
        start = time.perf_counter()
        self._loader = self.command("Page.navigate", url=url)["loaderId"]
        self.wait(condition)
        return time.perf_counter() - start

    def click(self, selector, condition):
        """Click on an element; return the seconds until a JavaScript condition holds."""
        start = time.perf_counter()
        self._evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait(condition)
        return time.perf_counter() - start

    def wait(self, condition):
        """Return as soon as a JavaScript condition holds."""
        self._evaluate(WAIT % {"condition": condition, "patience": PATIENCE * 1000})

    def calls(self):
        """The calls of models that the page made since they were last asked for:
        ``[(path, body)]``."""
        # A page that is left may still ask for something.
        requests = [one["request"] for one in self._requests if one["loaderId"] == self._loader]
        self._requests = []
        return [
            (urllib.parse.urlsplit(one["url"]).path, one["postData"])
            for one in requests
            if "/web/dataset/call_kw/" in one["url"] and "postData" in one
        ]

    def _evaluate(self, expression):
        answer = self.command("Runtime.evaluate", expression=expression, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Problem(f"In the page: {answer['exceptionDetails']} ({expression})")
