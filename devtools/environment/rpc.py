"""Talking to a running Odoo and a running sandbox, as programs elsewhere do."""

import http.cookiejar
import json
import urllib.error
import urllib.request

from .console import Problem

TIMEOUT = 120  # seconds; the first request to an Odoo that has just started is slow


class OdooError(Problem):
    """Odoo refused something; the message is what a user would see."""


class Odoo:
    """A session of one user in a running Odoo, over its JSON-RPC."""

    def __init__(self, url, database, login, password):
        self.url = url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        # No proxy: this is the same machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self._post("/web/session/authenticate", db=database, login=login, password=password)

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self._post(path, model=model, method=method, args=args, kwargs=kwargs)

    def find(self, model, domain, fields):
        """Return the records of a domain, archived ones left out, oldest first."""
        return self.call(model, "search_read", domain, fields=fields, order="id")

    def read(self, model, record, *fields):
        """Return the fields of one record."""
        return self.call(model, "read", [record], list(fields))[0]

    def reference(self, xml_id):
        """Return the id of the record with an external id, or None."""
        module, name = xml_id.split(".")
        found = self.find(
            "ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"]
        )
        return found[0]["res_id"] if found else None

    def _post(self, path, **params):
        answer = _exchange(
            self._opener, self.url + path, {"jsonrpc": "2.0", "method": "call", "params": params}
        )
        if "error" in answer:
            error = answer["error"]
            data = error.get("data", {})
            raise OdooError(f"{path}: {data.get('message') or error.get('message')}")
        return answer.get("result")


class Sandbox:
    """The controls of a running sandbox."""

    def __init__(self, url):
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path):
        """Return the answer to a GET below /_sandbox."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}")

    def post(self, path, body):
        """Return the answer to a POST below /_sandbox."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}", body)

    def delete(self, path):
        """Send a DELETE below /_sandbox."""
        return _exchange(self._opener, f"{self.url}/_sandbox/{path}", method="DELETE")


def answers(url):
    """Tell whether anything answers at an address."""
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
        raise Problem(f"{url} answered {error.code}: {error.read(500).decode()}") from error
    except (OSError, ValueError) as error:
        raise Problem(f"{url} gave no proper answer: {error}") from error
