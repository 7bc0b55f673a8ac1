"""Each kind of fault, as seen by a plain ``requests`` session."""

import http.client
import threading
import time

import pytest
import requests

from .caller import Caller, addresses


def members(ann):
    """The addresses on the first list."""
    return ann.state()["lists"][0]["members"]


def push(caller, list_id, *emails, **more):
    body = {"recipients": [{"email": email} for email in emails or ["new@example.com"]]}
    return caller.post(f"/lists/{list_id}/recipients", json=body, **more)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_a_status_replaces_the_processing_once(ann, status):
    list_id = ann.list()
    ann.faults(str(status))
    response = push(ann, list_id)
    assert response.status_code == status
    assert response.json()["message"]
    assert members(ann) == []
    assert push(ann, list_id).status_code == 200


def test_a_400_can_name_a_member(ann):
    ann.faults("400:subject")
    assert ann.get("/lists").json()["errors"][0]["field"] == "subject"


def test_a_202_comes_after_the_processing(ann):
    list_id = ann.list()
    ann.faults("202")
    response = push(ann, list_id)
    assert response.status_code == 202
    assert "results" not in response.json()
    assert members(ann) == ["new@example.com"]
    assert push(ann, list_id).json()["results"][0]["status"] == "exists"


def test_a_429_is_of_the_hour_with_a_future_reset(ann):
    ann.faults("429:30")
    headers = ann.get("/lists").headers
    assert headers["x-rate-limit-remaining"] == "0"
    assert 29 < int(headers["x-rate-limit-reset"]) - time.time() < 32
    assert ann.get("/lists").headers["x-rate-limit-remaining"] == "4999", "it was not counted"


def test_a_429_of_the_month_leaves_calls_in_the_hour(ann):
    ann.faults("429-month")
    response = ann.get("/lists")
    assert response.status_code == 429
    assert int(response.headers["x-rate-limit-remaining"]) > 0


def test_a_login_can_be_refused_as_the_older_service_did(sandbox):
    caller = Caller(sandbox.url)
    caller.faults("invalid-login")
    response = caller.login("ann", "secret of ann")
    assert response.status_code == 500
    assert "InvalidLogin" in response.text


def test_a_reset_before_processing_changes_nothing(ann):
    list_id = ann.list()
    ann.faults("reset-before")
    with pytest.raises(requests.ConnectionError, match="reset"):
        push(ann, list_id)
    assert members(ann) == []


def test_a_reset_after_processing_loses_only_the_response(ann):
    list_id = ann.list()
    ann.faults("reset-after")
    with pytest.raises(requests.ConnectionError, match="reset"):
        push(ann, list_id)
    assert members(ann) == ["new@example.com"]


@pytest.mark.parametrize(("kind", "left"), [("hang:1", []), ("hang-after:1", ["new@example.com"])])
def test_a_hanging_call_runs_into_the_callers_timeout(ann, kind, left):
    list_id = ann.list()
    ann.faults(kind)
    with pytest.raises(requests.ReadTimeout):
        push(ann, list_id, timeout=0.3)
    assert members(ann) == left


def test_a_hanging_call_ends_with_a_closed_connection(ann):
    ann.faults("hang:0.2")
    with pytest.raises(requests.ConnectionError):
        ann.get("/lists")


def test_a_slow_call_succeeds_late(ann):
    ann.faults("slow:0.3")
    start = time.monotonic()
    assert ann.get("/lists").status_code == 200
    assert time.monotonic() - start >= 0.3


def test_a_dripping_response_defeats_a_read_timeout(ann):
    ann.template("A name that is long enough to be cut into pieces")
    ann.faults("drip:1")
    start = time.monotonic()
    assert ann.get("/templates", timeout=0.5).json()["total"] == 1
    assert time.monotonic() - start >= 0.8


def test_a_web_page_comes_instead_of_json(ann):
    ann.faults("html")
    response = ann.get("/lists")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in response.text


def test_a_cut_response_is_shorter_than_its_length(ann):
    list_id = ann.list()
    ann.faults("cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        push(ann, list_id)
    assert members(ann) == ["new@example.com"]


def test_bad_json_ends_in_the_middle(ann):
    ann.faults("badjson")
    response = ann.get("/lists")
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_a_member_is_dropped_at_every_level(ann):
    ann.list()
    ann.faults("drop:recipients", "drop:items")
    [item] = ann.get("/lists").json()["items"]
    assert "recipients" not in item
    assert "name" in item
    assert "items" not in ann.get("/lists").json()


def test_a_member_has_the_wrong_type(ann):
    ann.list()
    ann.faults("type:id", "type:total")
    assert ann.get("/lists").json()["items"][0]["id"] == {"unexpected": True}
    assert ann.get("/lists").json()["total"] == {"unexpected": True}


def test_a_member_has_another_value(ann):
    campaign = ann.campaign()
    ann.faults('set:status="archived"')
    assert ann.get(f"/campaigns/{campaign}").json()["status"] == "archived"
    assert ann.get(f"/campaigns/{campaign}").json()["status"] == "draft"


@pytest.fixture
def paged(ann):
    """Five templates on pages of two."""
    for number in range(5):
        ann.template(f"Template {number}")
    ann.control("/settings", {"pageCap": 2})
    return lambda page: ann.get(f"/templates?page={page}").json()


def names(page):
    return [item["name"] for item in page["items"]]


def test_a_page_is_empty_although_there_is_more(ann, paged):
    ann.faults({"kind": "empty-page", "match": "GET /templates?page=2"})
    assert names(paged(1)) == ["Template 0", "Template 1"]
    assert paged(2) == {"items": [], "page": 2, "pageSize": 2, "total": 5}
    assert names(paged(2)) == ["Template 2", "Template 3"]


def test_the_first_page_is_repeated_under_another_number(ann, paged):
    ann.faults({"kind": "repeat-page", "match": "GET /templates?page=2"})
    repeated = paged(2)
    assert names(repeated) == ["Template 0", "Template 1"]
    assert repeated["page"] == 2


def test_pages_are_repeated_in_a_cycle(ann, paged):
    ann.faults({"kind": "endless-pages:2", "match": "GET /templates", "count": None})
    assert names(paged(3)) == names(paged(1)) == ["Template 0", "Template 1"]
    assert names(paged(4)) == names(paged(2)) == ["Template 2", "Template 3"]
    assert paged(9)["total"] > 9 * paged(9)["pageSize"]


def test_a_page_is_larger_than_requested(ann, paged):
    ann.faults({"kind": "full-page", "count": None})
    assert len(names(paged(1))) == 5
    assert names(paged(2)) == []


def test_a_huge_response_has_the_given_megabytes(ann):
    ann.template()
    ann.faults("huge:3")
    response = ann.get("/templates")
    assert len(response.content) > 3_000_000
    assert response.json()["total"] == 1


def test_results_are_lost_or_for_an_unknown_address(ann):
    list_id = ann.list()
    ann.faults("lose-results:2", "alien-result")
    assert len(push(ann, list_id, *addresses(5)).json()["results"]) == 3
    assert len(members(ann)) == 5
    results = push(ann, list_id, *addresses(5)).json()["results"]
    assert len(results) == 6
    assert results[-1]["email"] not in addresses(5)


def wait_until_held(ann):
    """Wait until a call is held."""
    for _try in range(200):
        if ann.state()["held"]:
            return
        time.sleep(0.02)
    raise AssertionError("no call is held")


@pytest.mark.parametrize(("kind", "meanwhile"), [("hold", []), ("hold-after", ["new@example.com"])])
def test_a_held_call_resumes_when_released(ann, kind, meanwhile):
    list_id, responses, other = ann.list(), [], Caller(ann.url)
    other.login("ann", "secret of ann")
    ann.faults(kind)
    thread = threading.Thread(target=lambda: responses.append(push(other, list_id)))
    thread.start()
    wait_until_held(ann)
    assert members(ann) == meanwhile
    assert ann.get("/lists").status_code == 200, "other calls are not held"
    assert ann.control("/release") == {"released": 1}
    thread.join()
    assert responses[0].status_code == 200
    assert members(ann) == ["new@example.com"]
    assert ann.state()["held"] == []


def test_a_held_call_can_be_dropped(ann):
    list_id, errors, other = ann.list(), [], Caller(ann.url)
    other.login("ann", "secret of ann")
    ann.faults("hold")

    def try_to_push():
        try:
            push(other, list_id)
        except requests.ConnectionError as error:
            errors.append(error)

    thread = threading.Thread(target=try_to_push)
    thread.start()
    wait_until_held(ann)
    ann.control("/release", {"drop": True})
    thread.join()
    assert errors
    assert members(ann) == []


def test_a_fault_skips_some_calls_and_applies_to_the_next(ann):
    ann.faults({"kind": "500", "skip": 2, "count": 2})
    assert [ann.get("/lists").status_code for _call in range(5)] == [200, 200, 500, 500, 200]
    assert ann.state()["faults"][0]["played"] == 2


def test_a_fault_without_count_applies_until_it_is_removed(ann):
    ann.faults({"kind": "503", "count": None})
    assert [ann.get("/lists").status_code for _call in range(3)] == [503] * 3
    ann.faults()
    assert ann.get("/lists").status_code == 200


def test_a_fault_matches_calls_by_kind_or_path(ann):
    campaign = ann.campaign()
    paths = (
        "/lists",
        "/templates",
        f"/campaigns/{campaign}",
        f"/campaigns/{campaign}/statistics",
    )

    def matched(match):
        ann.faults({"kind": "500", "match": match, "count": None})
        return [path for path in paths if ann.get(path).status_code == 500]

    assert matched("GET /campaigns/ID$") == [f"/campaigns/{campaign}"]
    assert matched("GET /campaigns/ID/statistics") == [f"/campaigns/{campaign}/statistics"]
    assert matched("GET /campaigns") == list(paths[2:])
    assert matched(f"GET /campaigns/{campaign}$") == [f"/campaigns/{campaign}"]
    assert matched("POST") == []
    assert matched("") == list(paths)


def test_a_batch_is_refused_for_one_address_in_it(ann):
    list_id = ann.list()
    ann.faults({"kind": "400", "body": "poison@example.com", "count": None})
    assert push(ann, list_id, "a@example.com", "Poison@example.com").status_code == 400
    assert push(ann, list_id, "a@example.com").status_code == 200
    assert members(ann) == ["a@example.com"]


def test_a_fault_can_apply_to_one_user_only(ann, bob):
    ann.faults({"kind": "500", "account": "bob", "count": None})
    assert ann.get("/lists").status_code == 200
    assert bob.get("/lists").status_code == 500
    assert Caller(ann.url).login("bob", "secret of bob").status_code == 500
    assert Caller(ann.url).login("ann", "secret of ann").status_code == 200


def test_only_the_first_matching_fault_applies(ann):
    ann.faults({"kind": "500", "match": "GET /lists"}, {"kind": "503"})
    assert [ann.get("/lists").status_code for _call in range(3)] == [500, 503, 200]


def test_after_each_connection_fault_the_next_call_succeeds(ann):
    for kind in ("reset-before", "reset-after", "cut", "hang:0", "badjson", "html"):
        ann.faults(kind)
        try:
            ann.get("/lists")
        except requests.RequestException:
            pass
        assert ann.get("/lists").status_code == 200, kind


def test_one_connection_serves_many_calls(sandbox):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    connection.connect()
    socket = connection.sock
    for body in (b"", b"never read", b"x" * 100_000):
        connection.request("POST", "/nowhere", body)
        assert connection.getresponse().read()
        assert connection.sock is socket
    connection.close()
