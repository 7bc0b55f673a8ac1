"""Dialects: other forms of the same contract."""

from pathlib import Path

import pytest
import yaml

from sandbox.dialect import CLIENT, Dialect, other_forms
from sandbox.server import serve

from .caller import Caller

ROOT = Path(__file__).parents[2]

LOGIN = {"username": "ann", "password": "secret of ann"}


def speak(ann, **dialect):
    ann.control("/dialect", dialect)


@pytest.mark.parametrize(
    ("source", "in_headers", "in_body", "in_both"),
    [("headers", 200, 401, 200), ("body", 400, 200, 200), ("either", 200, 200, 200)],
)
def test_where_the_login_is_read(ann, source, in_headers, in_body, in_both):
    speak(ann, login=source)
    assert ann.post("/authenticate", headers=LOGIN).status_code == in_headers
    assert ann.post("/authenticate", json=LOGIN).status_code == in_body
    assert ann.post("/authenticate", headers=LOGIN, json=LOGIN).status_code == in_both
    incomplete = ann.post("/authenticate", headers={"username": "ann"}, json={"username": "ann"})
    assert incomplete.status_code in (400, 401)
    wrong = LOGIN | {"password": "wrong"}
    unread = {
        "headers": {"headers": LOGIN, "json": wrong},
        "body": {"headers": wrong, "json": LOGIN},
    }
    if source in unread:
        assert ann.post("/authenticate", **unread[source]).status_code == 200


def test_headers_with_underscores_are_read(ann):
    """Werkzeug's own server drops them."""
    speak(ann, clientId=True)
    for headers, status in (
        ({}, 401),
        (CLIENT, 200),
        ({"client_id": CLIENT["client_id"]}, 401),
        (CLIENT | {"client_secret": "wrong"}, 401),
    ):
        response = ann.post("/authenticate", headers=headers, json=LOGIN)
        assert response.status_code == status, headers


def test_all_paths_are_below_the_prefix(ann):
    speak(ann, prefix="/api/v1")
    assert ann.get("/lists").status_code == 404
    assert ann.get("/api/v2/lists").status_code == 404
    assert ann.get("/api/v1/lists").status_code == 200
    assert ann.get("/").status_code == 200
    assert list(ann.state()["calls"]) == ["POST /authenticate", "GET /lists"]


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("pascal", {"Items", "Page", "PageSize", "Total"}),
        ("lower", {"items", "page", "pagesize", "total"}),
        ("upper", {"ITEMS", "PAGE", "PAGESIZE", "TOTAL"}),
    ],
)
def test_letter_case(ann, case, names):
    list_id = ann.list()
    speak(ann, letterCase=case)
    page = ann.get("/lists").json()
    assert page.keys() == names
    [item] = page[next(name for name in names if name.lower() == "items")]
    assert list_id in item.values()
    assert (
        ann.get("/campaigns/0").json().keys()
        == {
            "pascal": {"Message"},
            "lower": {"message"},
            "upper": {"MESSAGE"},
        }[case]
    )


def test_faults_know_the_names_of_the_dialect(ann):
    ann.list()
    speak(ann, letterCase="pascal")
    ann.faults("drop:name", "type:id", "empty-page")
    assert "Name" not in ann.get("/lists").json()["Items"][0]
    assert ann.get("/lists").json()["Items"][0]["Id"] == {"unexpected": True}
    assert ann.get("/lists").json()["Items"] == []


def test_numbers(ann):
    list_id = ann.list("a@example.com")
    for numbers, write in (("strings", str), ("floats", float)):
        speak(ann, numbers=numbers)
        [item] = ann.get("/lists").json()["items"]
        assert (item["id"], item["recipients"]) == (write(list_id), write(1))
        assert isinstance(item["id"], write)


def test_times_without_a_zone(ann):
    ann.list()
    speak(ann, zone=False)
    [item] = ann.get("/lists").json()["items"]
    assert len(item["createdAt"]) == len("2026-01-31T09:30:00.123")


def test_pages_without_a_total(ann):
    for name in ("North", "South", "East"):
        ann.list(name=name)
    speak(ann, pages="flag")
    pages = [ann.get(f"/lists?page={page}&pageSize=2").json() for page in (1, 2)]
    assert [page["isLastPage"] for page in pages] == [False, True]
    assert "total" not in pages[0]
    speak(ann, pages="bare")
    assert ann.get("/lists?page=1&pageSize=2").json().keys() == {"items"}
    assert ann.get("/lists?page=3&pageSize=2").json() == {"items": []}


def sent_campaign(ann):
    campaign = ann.campaign()
    list_id = ann.list("ann@example.com", "bob@example.com")
    ann.send(campaign, list_id, quiet=True)
    ann.record("ann@example.com", "open", campaign)
    return campaign, list_id


def test_few_members(ann):
    campaign, list_id = sent_campaign(ann)
    statistics = ann.statistics(campaign)
    speak(ann, fewMembers=True, asOf=False)
    assert ann.get("/lists").json() == {
        "items": [{"id": list_id, "name": "Customers"}],
        "total": 1,
    }
    assert ann.get(f"/campaigns/{campaign}").json().keys() == {
        *("id", "reference", "name", "status"),
    }
    first, second = ann.get(f"/campaigns/{campaign}/activity").json()["items"]
    assert first.keys() == {"email", "opens", "firstOpen", "lastOpen"}
    assert second == {"email": "bob@example.com"}
    assert ann.statistics(campaign) == statistics
    response = ann.post(
        f"/lists/{list_id}/recipients", json={"recipients": [{"email": "ann@example.com"}]}
    )
    assert response.json() == {"results": [{"email": "ann@example.com", "status": "exists"}]}


def test_statistics(ann):
    campaign, _list_id = sent_campaign(ann)
    ann.record("bob@example.com", "soft-bounce", campaign)
    everything = ann.statistics(campaign)
    assert "bounces" not in everything
    speak(ann, figures="bounces")
    older = ann.statistics(campaign)
    assert older.pop("bounces") == 1
    assert everything.keys() - older.keys() == {
        *("delivered", "hardBounces", "softBounces", "rejected", "complaints"),
    }
    assert older.items() <= everything.items()
    speak(ann, figures="few")
    assert ann.statistics(campaign) == {"sent": 2, "opens": 1, "clicks": 0}
    speak(ann, figures="bounces delivered", fewMembers=True)
    assert ann.statistics(campaign) == {"bounces": 1, "delivered": 1}
    speak(ann, figures="")
    assert ann.statistics(campaign) == {}


def test_one_recipient_a_call(ann):
    speak(ann, recipients=1)
    list_id = ann.list()
    assert ann.push(list_id, "one@example.com") == {"one@example.com": "added"}
    two = {"recipients": [{"email": "a@example.com"}, {"email": "b@example.com"}]}
    assert ann.post(f"/lists/{list_id}/recipients", json=two).status_code == 400


def test_results_that_come_later(ann):
    speak(ann, later=True)
    list_id = ann.list("known@example.com")
    both = {"recipients": [{"email": "new@example.com"}, {"email": "known@example.com"}]}
    response = ann.post(f"/lists/{list_id}/recipients", json=both)
    assert (response.status_code, response.json().get("results")) == (202, None)
    assert "x-rate-limit-remaining" in response.headers
    assert ann.push(list_id, "new@example.com", "known@example.com", "no address") == {
        "new@example.com": "exists",
        "known@example.com": "exists",
        "no address": "invalid",
    }


def test_the_contract_lists_each_form_with_the_default_first():
    documented = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["info"]["x-dialects"]
    forms = {name: [value, *other_forms()[name]] for name, value in Dialect().as_dict().items()}
    assert documented == forms
    for name, values in documented.items():
        for value in values:
            Dialect().change({name: value})


def test_a_reset_restores_the_dialect_of_the_start():
    with serve(users={"ann": "secret of ann"}, dialect={"zone": False}) as running:
        ann = Caller(running.url)
        speak(ann, zone=True, asOf=False)
        ann.control("/reset", {})
        dialect = ann.control("/dialect", method="GET")
        assert (dialect["zone"], dialect["asOf"]) == (False, True)
        assert ann.state()["dialect"] == dialect
        ann.close()


def test_the_page_shows_the_dialect(ann):
    assert "as documented" in ann.get("/").text
    speak(ann, login="headers", zone=False)
    page = ann.get("/").text
    assert '<code>login="headers"</code>, <code>zone=false</code>.' in page


@pytest.mark.parametrize(
    "dialect",
    [
        {"login": "cookie"},
        {"zone": 1},
        {"recipients": 0},
        {"recipients": True},
        {"prefix": "api"},
        {"prefix": "/api/"},
        {"letterCase": "Pascal"},
        {"accent": "none"},
        {"figures": "opens reads"},
    ],
)
def test_an_unknown_form_is_refused_and_nothing_changes(ann, dialect):
    before = ann.control("/dialect", method="GET")
    response = ann.post("/_sandbox/dialect", json={"asOf": False, **dialect})
    assert response.status_code == 400
    assert response.json()["message"]
    assert ann.control("/dialect", method="GET") == before
