"""Clients for Odoo's JSON-RPC and the sandbox's controls."""

import http.cookiejar
import json
import urllib.error
import urllib.request

from .console import Problem

TIMEOUT = 120  # seconds; the first request after Odoo's start is slow


class OdooError(Problem):
    """An error of Odoo, with the message that users see."""


class Odoo:
    """A user's session over JSON-RPC."""

    def __init__(self, url, database, login, password):
        self.url = url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        # No proxy for the local machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self._post("/web/session/authenticate", db=database, login=login, password=password)

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self._post(path, model=model, method=method, args=args, kwargs=kwargs)

    def find(self, model, domain, fields):
        """Return the records that match a domain, without archived ones, by id."""
        return self.call(model, "search_read", domain, fields=fields, order="id")

    def read(self, model, record, *fields):
        """Return field values of a record."""
        return self.call(model, "read", [record], list(fields))[0]

    def reference(self, xml_id):
        """Return the id of the record with an external id, or None."""
        module, name = xml_id.split(".")
        found = self.find(
            "ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"]
        )
        return found[0]["res_id"] if found else None

    def _post(self, path, **params):
        response = _exchange(
            self._opener, self.url + path, {"jsonrpc": "2.0", "method": "call", "params": params}
        )
        if "error" in response:
            error = response["error"]
            data = error.get("data", {})
            raise OdooError(f"{path}: {data.get('message') or error.get('message')}")
        return response.get("result")


class Sandbox:
    """The controls of a running sandbox."""

    def __init__(self, url):
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path):
        """Send a GET below /_sandbox; return the response."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}")

    def post(self, path, body):
        """Send a POST below /_sandbox; return the response."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}", body)

    def delete(self, path):
        """Send a DELETE below /_sandbox."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}", method="DELETE")


def answers(url):
    """Return whether a server responds at a URL."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=TIMEOUT).close()
    except OSError:
        return False
    return True


def _exchange(opener, url, body=None, method=None):
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Problem(f"{url} returned {error.code}: {error.read(500).decode()}") from error
    except (OSError, ValueError) as error:
        raise Problem(f"{url} returned no valid response: {error}") from error
