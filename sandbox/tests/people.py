"""Somebody who calls the sandbox with plain ``requests``, as any program would."""

import itertools

import requests

_numbers = itertools.count(1)


class Caller:
    """Talks to the sandbox at ``url`` through one session; ``timeout`` is in seconds."""

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
        """Log in; the answer's token goes with every later call."""
        answer = self.post("/authenticate", json={"username": username, "password": password})
        if answer.ok:
            self.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return answer

    def control(self, path, body=None, method="POST"):
        """One of the sandbox's own calls, which must work."""
        answer = self.request(method, f"/_sandbox{path}", json=body)
        assert answer.ok, answer.text
        return answer.json()

    def state(self):
        return self.control("/state", method="GET")

    def faults(self, *faults):
        """Order faults: kinds, or whole faults."""
        wanted = [{"kind": one} if isinstance(one, str) else one for one in faults]
        return self.control("/faults", wanted)

    # What a test needs before it comes to its point

    def template(self, name="Newsletter", **more):
        return self.control("/templates", {"name": name, **more})["id"]

    def list(self, *emails, name="Customers", **more):
        return self.control("/lists", {"name": name, "emails": list(emails), **more})["id"]

    def campaign(self, **values):
        """A new draft; its id."""
        if "templateId" not in values:
            values["templateId"] = self.template()
        answer = self.post("/campaigns", json=draft(**values))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def push(self, list_id, *emails):
        """Put addresses on a list; the status by address."""
        answer = self.post(
            f"/lists/{list_id}/recipients", json={"recipients": [{"email": one} for one in emails]}
        )
        assert answer.status_code == 200, answer.text
        return {result["email"]: result["status"] for result in answer.json()["results"]}

    def send(self, campaign_id, list_id, minutes=0, **more):
        """Send; the number of mails."""
        body = {"listId": list_id, "minutes": minutes, **more}
        return self.control(f"/campaigns/{campaign_id}/send", body)["recipients"]

    def does(self, email, kind, campaign_id, **more):
        """A reader does one thing with a mail."""
        body = {"email": email, "kind": kind, **more}
        self.control(f"/campaigns/{campaign_id}/activity", body)

    def statistics(self, campaign_id):
        return self.get(f"/campaigns/{campaign_id}/statistics").json()

    def activity(self, campaign_id, **query):
        """All rows on all pages, by address."""
        rows, page = {}, 0
        while True:
            page += 1
            answer = self.get(
                f"/campaigns/{campaign_id}/activity", params={"page": page, **query}
            ).json()
            rows.update((row["email"], row) for row in answer["items"])
            if not answer["items"] or len(rows) >= answer["total"]:
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


def crowd(number):
    """So many different addresses."""
    return [f"reader{index}@example.com" for index in range(number)]
