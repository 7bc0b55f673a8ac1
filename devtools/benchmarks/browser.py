"""A headless Chromium, controlled through its DevTools protocol."""

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
TIMEOUT = 60  # seconds
# Checks every 4 ms: precise enough, without slowing the page down.
WAIT = """
new Promise((resolve, reject) => {
    const end = performance.now() + %(timeout)s;
    const check = () => {
        if (%(condition)s) resolve(true);
        else if (performance.now() > end) reject(new Error("timeout"));
        else setTimeout(check, 4);
    };
    check();
})
"""


@contextlib.contextmanager
def running():
    """Start a browser with a new profile; yield a :class:`Browser`."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        raise Problem("Chromium is not installed.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            browser = Browser(_page_url(Path(profile, "DevToolsActivePort")))
            yield browser
            browser.command("Browser.close")
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


def _page_url(port_file):
    """Return the DevTools URL of the browser's page."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            port = int(port_file.read_text().split()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as response:
                pages = json.load(response)
            return next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
        time.sleep(0.1)
    raise Problem("Chromium did not start.")


class Browser:
    """A browser with one page."""

    def __init__(self, url):
        self._socket = websocket.create_connection(url, suppress_origin=True, timeout=TIMEOUT)
        self._ids = itertools.count(1)
        self._requests = []
        self._loader = None
        self.command("Page.enable")
        self.command("Network.enable", maxPostDataSize=1_000_000)

    def command(self, method, **params):
        """Run a DevTools command; return its result."""
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
        """Use a session of Odoo."""
        self.command("Network.clearBrowserCookies")
        self.command("Network.setCookie", url=url, name="session_id", value=session_id)

    def open(self, url, condition):
        """Open a URL; return the seconds until a JavaScript condition is true."""
        start = time.perf_counter()
        self._loader = self.command("Page.navigate", url=url)["loaderId"]
        self.wait(condition)
        return time.perf_counter() - start

    def click(self, selector, condition):
        """Click an element; return the seconds until a JavaScript condition is true."""
        start = time.perf_counter()
        self._evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait(condition)
        return time.perf_counter() - start

    def wait(self, condition):
        """Wait until a JavaScript condition is true."""
        self._evaluate(WAIT % {"condition": condition, "timeout": TIMEOUT * 1000})

    def calls(self):
        """Return the model calls of the page since the last time: ``[(path, body)]``."""
        # The previous page may still have made calls.
        requests = [one["request"] for one in self._requests if one["loaderId"] == self._loader]
        self._requests = []
        return [
            (urllib.parse.urlsplit(one["url"]).path, one["postData"])
            for one in requests
            if "/web/dataset/call_kw/" in one["url"] and "postData" in one
        ]

    def _evaluate(self, expression):
        result = self.command("Runtime.evaluate", expression=expression, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Problem(f"JavaScript error: {result['exceptionDetails']} ({expression})")
