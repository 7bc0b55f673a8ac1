"""A client of the sandbox that uses plain ``requests``."""

import itertools

import requests

_numbers = itertools.count(1)


class Caller:
    """A session with the sandbox at ``url``."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self):
        self.session.close()

    def request(self, method, path, timeout=20, **more):
        return self.session.request(method, self.url + path, timeout=timeout, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def put(self, path, **more):
        return self.request("PUT", path, **more)

    def login(self, username, password):
        """Log in, and send the token with all further calls."""
        response = self.post("/authenticate", json={"username": username, "password": password})
        if response.ok:
            self.session.headers["Authorization"] = f"Bearer {response.json()['token']}"
        return response

    def control(self, path, body=None, method="POST"):
        """Use one of the sandbox's controls, which must succeed."""
        response = self.request(method, f"/_sandbox{path}", json=body)
        assert response.ok, response.text
        return response.json()

    def state(self):
        return self.control("/state", method="GET")

    def faults(self, *faults):
        """Set faults, each as a kind or a dictionary."""
        values = [{"kind": one} if isinstance(one, str) else one for one in faults]
        return self.control("/faults", values)

    # Test data and results

    def template(self, name="Newsletter", **more):
        return self.control("/templates", {"name": name, **more})["id"]

    def list(self, *emails, name="Customers", **more):
        return self.control("/lists", {"name": name, "emails": list(emails), **more})["id"]

    def campaign(self, **values):
        """Create a draft; return its id."""
        if "templateId" not in values:
            values["templateId"] = self.template()
        response = self.post("/campaigns", json=draft(**values))
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def push(self, list_id, *emails):
        """Add addresses to a list; return the status by address."""
        response = self.post(
            f"/lists/{list_id}/recipients", json={"recipients": [{"email": one} for one in emails]}
        )
        assert response.status_code == 200, response.text
        return {result["email"]: result["status"] for result in response.json()["results"]}

    def send(self, campaign_id, list_id, minutes=0, **more):
        """Send a campaign; return the number of emails."""
        body = {"listId": list_id, "minutes": minutes, **more}
        return self.control(f"/campaigns/{campaign_id}/send", body)["recipients"]

    def record(self, email, kind, campaign_id, **more):
        """Record activity of a recipient."""
        body = {"email": email, "kind": kind, **more}
        self.control(f"/campaigns/{campaign_id}/activity", body)

    def statistics(self, campaign_id):
        return self.get(f"/campaigns/{campaign_id}/statistics").json()

    def activity(self, campaign_id, **query):
        """The rows of all pages, by address."""
        rows, page = {}, 0
        while True:
            page += 1
            response = self.get(
                f"/campaigns/{campaign_id}/activity", params={"page": page, **query}
            ).json()
            rows.update((row["email"], row) for row in response["items"])
            if not response["items"] or len(rows) >= response["total"]:
                return rows


def draft(**values):
    """The members of a new campaign."""
    return {
        "reference": f"odoo-{next(_numbers)}",
        "name": "Spring",
        "description": "Everything new in spring",
        "subject": "Spring is here",
        **values,
    }


def addresses(count):
    return [f"reader{index}@example.com" for index in range(count)]
