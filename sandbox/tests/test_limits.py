"""Rate limits per user: calls per hour and per calendar month."""

import time


def test_every_response_has_the_calls_left_this_hour(ann):
    headers = [ann.get("/lists").headers for _call in range(3)]
    assert [one["x-rate-limit-limit"] for one in headers] == ["5000"] * 3
    assert [one["x-rate-limit-remaining"] for one in headers] == ["4999", "4998", "4997"]
    assert 0 < int(headers[0]["x-rate-limit-reset"]) - time.time() <= 3600


def test_the_login_has_no_limit_headers_and_is_not_counted(ann):
    response = ann.login("ann", "secret of ann")
    assert not [name for name in response.headers if name.lower().startswith("x-")]
    assert ann.get("/lists").headers["x-rate-limit-remaining"] == "4999"


def test_when_the_hour_is_used_up_every_call_is_429_until_the_next(ann):
    ann.control("/settings", {"hourLimit": 2, "hourSeconds": 2})
    # Start with a new "hour" of two seconds, so that it does not end meanwhile.
    time.sleep(2 - time.time() % 2 + 0.05)
    assert [ann.get("/lists").status_code for _call in range(4)] == [200, 200, 429, 429]
    refused = ann.get("/lists")
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert "hour" in refused.json()["message"]
    wait = int(refused.headers["x-rate-limit-reset"]) - time.time()
    assert 0 < wait <= 2
    time.sleep(wait + 0.05)
    assert ann.get("/lists").status_code == 200


def test_when_the_month_is_used_up_calls_are_429_with_calls_left_in_the_hour(ann):
    ann.control("/usage", {"month": 49_999})
    assert ann.get("/lists").status_code == 200
    refused = ann.get("/lists")
    assert refused.status_code == 429
    assert int(refused.headers["x-rate-limit-remaining"]) > 0
    assert "month" in refused.json()["message"]


def test_one_user_at_the_limit_does_not_affect_others(ann, bob):
    ann.control("/usage", {"account": "ann", "hour": 5000})
    assert ann.get("/lists").status_code == 429
    assert bob.get("/lists").status_code == 200


def test_a_refused_call_is_not_counted(ann):
    ann.control("/usage", {"hour": 5000})
    for _call in range(3):
        ann.get("/lists")
    assert ann.state()["accounts"][0]["usage"]["hour"] == 5000


def test_errors_have_the_headers_unless_disabled(ann):
    assert "x-rate-limit-limit" in ann.get("/campaigns/1").headers
    ann.control("/settings", {"headersOnErrors": False})
    assert "x-rate-limit-limit" not in ann.get("/campaigns/1").headers
    assert "x-rate-limit-limit" in ann.get("/lists").headers
