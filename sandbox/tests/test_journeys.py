"""API calls and controls, from login to unsubscribe."""

import time
from datetime import datetime, timezone

from .caller import Caller, addresses, draft


def now():
    return datetime.now(timezone.utc).isoformat()[:23] + "Z"


# Logging in


def test_a_wrong_password_is_refused_with_401(sandbox):
    response = Caller(sandbox.url).login("ann", "wrong")
    assert response.status_code == 401
    assert "InvalidLogin" in response.json()["message"]


def test_a_wrong_password_is_refused_with_500_if_set(ann):
    ann.control("/settings", {"loginRefusal": 500})
    response = Caller(ann.url).login("ann", "wrong")
    assert response.status_code == 500
    assert "InvalidLogin" in response.text


def test_a_wrong_password_is_refused_in_other_manners_if_set(ann):
    ann.control("/settings", {"loginRefusal": 403})
    assert Caller(ann.url).login("ann", "wrong").status_code == 403
    ann.control("/settings", {"loginRefusal": 200})
    response = ann.post("/authenticate", json={"username": "ann", "password": "wrong"})
    assert response.status_code == 200
    assert response.json()["Status"] == "-1"
    assert "InvalidLogin" in response.json()["StatusMessage"]


def test_a_second_login_leaves_the_first_token_valid(ann):
    second = Caller(ann.url)
    second.login("ann", "secret of ann")
    assert ann.get("/lists").status_code == 200
    assert second.get("/lists").status_code == 200


def test_a_token_expires(ann):
    ann.control("/settings", {"tokenMinutes": 0.002})
    ann.login("ann", "secret of ann")
    assert ann.get("/lists").status_code == 200
    time.sleep(0.2)
    assert ann.get("/lists").status_code == 401


def test_a_token_is_valid_for_480_minutes(ann):
    ends = int(ann.get("/lists").headers["x-token-reset"])
    assert abs(ends - time.time() - 480 * 60) < 10


def test_tokens_of_one_user_can_be_revoked(ann, bob):
    ann.control("/end-tokens", {"account": "ann"})
    assert ann.get("/lists").status_code == 401
    assert bob.get("/lists").status_code == 200


def test_a_changed_password_is_needed_at_the_next_login(ann):
    ann.control("/users", {"username": "ann", "password": "new"})
    assert Caller(ann.url).login("ann", "secret of ann").status_code == 401
    assert Caller(ann.url).login("ann", "new").status_code == 200


# Templates and lists


def test_templates_and_lists_are_listed(ann):
    template_id, list_id = ann.template("Autumn"), ann.list("a@example.com", name="North")
    templates, lists = ann.get("/templates").json(), ann.get("/lists").json()
    assert [(one["id"], one["name"]) for one in templates["items"]] == [(template_id, "Autumn")]
    assert [(one["id"], one["name"], one["recipients"]) for one in lists["items"]] == [
        (list_id, "North", 1)
    ]


def test_pages_are_limited_in_size_and_together_complete(ann):
    created = [ann.template(f"Template {number}") for number in range(7)]
    ann.control("/settings", {"pageCap": 3})
    seen = []
    for number in (1, 2, 3, 4):
        page = ann.get(f"/templates?page={number}&pageSize=500").json()
        assert (page["page"], page["pageSize"], page["total"]) == (number, 3, 7)
        seen.append([one["id"] for one in page["items"]])
    assert [len(ids) for ids in seen] == [3, 3, 1, 0]
    assert sum(seen, []) == created


def test_users_see_only_their_own_account(ann, bob):
    list_id, campaign = ann.list("a@example.com"), ann.campaign(reference="same")
    assert bob.get("/lists").json()["total"] == bob.get("/templates").json()["total"] == 0
    assert bob.get(f"/campaigns/{campaign}").status_code == 404
    assert bob.post(f"/lists/{list_id}/recipients", json={"recipients": []}).status_code == 404
    bob.campaign(reference="same", templateId=bob.template(account="bob"))


def test_a_renamed_or_deleted_template_is_listed_so(ann):
    renamed, deleted = ann.template(), ann.template()
    ann.control(f"/templates/{renamed}", {"name": "Better"})
    ann.control(f"/templates/{deleted}", method="DELETE")
    assert [one["name"] for one in ann.get("/templates").json()["items"]] == ["Better"]


def test_an_id_is_never_reused(ann):
    first = ann.list()
    ann.control(f"/lists/{first}", method="DELETE")
    assert ann.list() != first
    ann.control("/reset")
    assert ann.list() > first


# Campaigns


def test_a_new_campaign_is_a_draft_and_found_by_its_reference(ann):
    campaign = ann.campaign(reference="odoo-42")
    found = ann.get("/campaigns", params={"reference": "odoo-42"}).json()
    assert (found["total"], found["items"][0]["id"]) == (1, campaign)
    assert found["items"][0]["status"] == "draft"
    assert "sentAt" not in found["items"][0]
    assert ann.get("/campaigns", params={"reference": "ODOO-42"}).json()["items"] == []


def rejected(response):
    assert response.status_code == 400, response.text
    return [error["field"] for error in response.json()["errors"]]


def test_a_duplicate_reference_is_a_400_on_the_reference(ann):
    ann.campaign(reference="odoo-42")
    again = draft(reference="odoo-42", templateId=ann.template())
    assert rejected(ann.post("/campaigns", json=again)) == ["reference"]
    assert len(ann.state()["campaigns"]) == 1


def test_missing_and_invalid_members_of_a_campaign_are_named(ann):
    template = ann.template()
    assert rejected(ann.post("/campaigns", json={"reference": "r", "name": "n"})) == [
        "description",
        "subject",
    ]
    assert rejected(ann.post("/campaigns", json=draft())) == ["templateId"]
    assert rejected(ann.post("/campaigns", json=draft(templateId=str(template)))) == ["templateId"]
    assert rejected(ann.post("/campaigns", json=draft(templateId=template + 1))) == ["templateId"]
    wrong = draft(templateId=template, fromEmail="invalid", replyToEmail="a@b", subject=" ")
    assert rejected(ann.post("/campaigns", json=wrong)) == ["subject", "fromEmail", "replyToEmail"]


def test_a_draft_can_be_changed_except_its_template_and_reference(ann):
    campaign = ann.campaign(fromName="Ann", fromEmail="ann@example.com")
    changed = {"name": "New", "description": "New", "subject": "New"}
    response = ann.put(f"/campaigns/{campaign}", json=changed)
    assert response.status_code == 200
    assert response.json()["subject"] == "New"
    assert ann.state()["campaigns"][0]["fromName"] is None, "missing members become empty"
    for name in ("templateId", "reference"):
        refused = ann.put(f"/campaigns/{campaign}", json={**changed, name: 1})
        assert rejected(refused) == [name]


def test_a_sent_campaign_can_no_longer_be_changed(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list("a@example.com"))
    response = ann.put(
        f"/campaigns/{campaign}", json={"name": "N", "description": "N", "subject": "N"}
    )
    assert response.status_code == 400
    assert "sent" in response.json()["message"]


def test_a_deleted_campaign_or_list_is_not_found(ann):
    campaign, list_id = ann.campaign(), ann.list("a@example.com")
    ann.send(campaign, list_id)
    ann.control(f"/campaigns/{campaign}", method="DELETE")
    ann.control(f"/lists/{list_id}", method="DELETE")
    assert ann.get(f"/campaigns/{campaign}").status_code == 404
    assert ann.get(f"/campaigns/{campaign}/activity").status_code == 404
    recipients = {"recipients": [{"email": "b@example.com"}]}
    assert ann.post(f"/lists/{list_id}/recipients", json=recipients).status_code == 404


def test_a_campaign_can_have_any_status(ann):
    campaign = ann.campaign()
    ann.control(f"/campaigns/{campaign}/status", {"status": "archived"})
    assert ann.get(f"/campaigns/{campaign}").json()["status"] == "archived"


# Recipients


def test_each_address_has_a_result(ann):
    list_id = ann.list("there@example.com")
    ann.control("/suppress", {"email": "left@example.com", "reason": "Wrote to us."})
    assert ann.push(
        list_id, "new@example.com", "there@example.com", "left@example.com", "no address", ""
    ) == {
        "new@example.com": "added",
        "there@example.com": "exists",
        "left@example.com": "suppressed",
        "no address": "invalid",
        "": "invalid",
    }
    assert ann.state()["lists"][0]["members"] == ["there@example.com", "new@example.com"]


def test_a_suppressed_address_comes_with_the_reason(ann):
    ann.control("/suppress", {"email": "left@example.com", "reason": "Wrote to us."})
    body = {"recipients": [{"email": "LEFT@example.com"}]}
    [result] = ann.post(f"/lists/{ann.list()}/recipients", json=body).json()["results"]
    assert result["message"] == "Wrote to us."


def test_case_and_spaces_do_not_make_a_new_address(ann):
    list_id = ann.list()
    assert ann.push(list_id, " Ann@Example.com ") == {"ann@example.com": "added"}
    assert ann.push(list_id, "ann@EXAMPLE.com") == {"ann@example.com": "exists"}
    twice = {"recipients": [{"email": "b@example.com"}, {"email": "B@example.com"}]}
    assert rejected(ann.post(f"/lists/{list_id}/recipients", json=twice)) == ["recipients"]
    assert ann.state()["lists"][0]["members"] == ["ann@example.com"]


def test_a_call_takes_up_to_a_thousand_addresses(ann):
    list_id = ann.list()
    assert set(ann.push(list_id, *addresses(1000)).values()) == {"added"}
    many = {"recipients": [{"email": email} for email in addresses(1001)]}
    assert rejected(ann.post(f"/lists/{list_id}/recipients", json=many)) == ["recipients"]


def test_a_recipient_has_nothing_but_an_address(ann):
    named = {"recipients": [{"email": "a@example.com", "name": "A"}]}
    assert rejected(ann.post(f"/lists/{ann.list()}/recipients", json=named)) == ["recipients"]


def test_a_hundred_thousand_recipients_are_pushed_sent_to_and_read(ann):
    list_id, campaign = ann.list(), ann.campaign()
    emails = addresses(100_000)
    for start in range(0, len(emails), 1000):
        ann.push(list_id, *emails[start : start + 1000])
    assert ann.get("/lists").json()["items"][0]["recipients"] == 100_000
    assert ann.send(campaign, list_id) == 100_000
    rows = ann.activity(campaign)
    assert len(rows) == 100_000
    assert sum(row["opens"] for row in rows.values()) == ann.statistics(campaign)["opens"]


# Sending


def test_activity_within_0_minutes_is_complete_immediately(ann):
    campaign, before = ann.campaign(), now()
    assert ann.send(campaign, ann.list(*addresses(400))) == 400
    sent = ann.get(f"/campaigns/{campaign}").json()
    assert sent["status"] == "sent"
    for row in ann.activity(campaign).values():
        for first, last in (("firstOpen", "lastOpen"), ("firstClick", "lastClick")):
            assert (row[first] is None) == (row[last] is None)
            if row[first]:
                assert before <= sent["sentAt"] <= row[first] <= row[last] <= now()


def test_figures_are_plausible_and_equal_the_sum_of_the_rows(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(4000)), seed=7)
    figures, rows = ann.statistics(campaign), ann.activity(campaign).values()
    assert figures["sent"] == len(rows) == 4000
    outcomes = ("delivered", "hardBounces", "softBounces", "rejected")
    assert figures["sent"] == sum(figures[outcome] for outcome in outcomes)
    for name in ("opens", "clicks", "forwards", "unsubscribes"):
        assert figures[name] == sum(row[name] for row in rows)
    assert figures["uniqueOpens"] == sum(row["opens"] > 0 for row in rows)
    assert figures["uniqueClicks"] == sum(row["clicks"] > 0 for row in rows)
    assert figures["hardBounces"] == sum(row["bounced"] for row in rows)
    assert not any(row["bounced"] and row["opens"] for row in rows)
    assert all(row["opens"] for row in rows if row["clicks"] or row["unsubscribes"])
    assert 0.24 <= figures["uniqueOpens"] / figures["delivered"] <= 0.36
    assert figures["opens"] > figures["uniqueOpens"] > figures["uniqueClicks"] > 0
    assert figures["uniqueClicks"] > figures["unsubscribes"] > figures["complaints"] >= 0


def test_the_same_seed_gives_the_same_figures(ann):
    list_id, runs = ann.list(*addresses(200)), []
    for _time in range(2):
        campaign = ann.campaign()
        ann.control("/settings", {"pageCap": 1000})
        ann.send(campaign, list_id, seed="spring")
        runs.append(ann.statistics(campaign))
        for email in ann.state()["accounts"][0]["suppressed"]:
            ann.control("/opt-in", {"email": email})
    assert runs[0] == runs[1]


def test_a_small_list_has_some_of_every_event(ann):
    for seed in range(20):
        campaign = ann.campaign()
        ann.send(campaign, ann.list(*(f"{seed}.{email}" for email in addresses(40))), seed=seed)
        figures = ann.statistics(campaign)
        for name in ("hardBounces", "softBounces", "opens", "clicks", "forwards", "unsubscribes"):
            assert figures[name] > 0, (seed, name)


def test_opens_arrive_over_time(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(600)), minutes=2 / 60)
    assert ann.get(f"/campaigns/{campaign}").json()["status"] == "sending"
    seen = []
    while len(seen) < 50 and (not seen or seen[-1][1]["status"] != "sent" or len(seen) < 20):
        seen.append((ann.statistics(campaign), ann.get(f"/campaigns/{campaign}").json(), now()))
        time.sleep(0.12)
    opens = [figures["opens"] for figures, _campaign, _time in seen]
    assert opens == sorted(opens)
    assert opens[0] < opens[len(opens) // 2] <= opens[-1]
    for figures, _campaign, _time in seen:
        assert figures["delivered"] <= figures["sent"] <= 600
    assert seen[-1][1]["status"] == "sent"
    for row in ann.activity(campaign).values():
        assert row["lastOpen"] is None or row["lastOpen"] <= now()


def test_a_campaign_sent_in_the_past_has_activity_since_then(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(400)), minutesAgo=60 * 24 * 3)
    opened = [row["firstOpen"] for row in ann.activity(campaign).values() if row["firstOpen"]]
    sent_at = ann.get(f"/campaigns/{campaign}").json()["sentAt"]
    assert sent_at < min(opened) < max(opened) <= now()
    assert len({moment[:13] for moment in opened}) > 10, "spread over many hours"


def test_activity_can_be_limited_to_changes_since_a_time(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list("a@example.com", "b@example.com"), quiet=True)
    # Times are compared in milliseconds.
    time.sleep(0.01)
    first = ann.get(f"/campaigns/{campaign}/activity").json()
    assert first["total"] == 2
    time.sleep(0.01)
    ann.record("b@example.com", "click", campaign)
    since = first["asOf"]
    rows = ann.activity(campaign, since=since)
    assert list(rows) == ["b@example.com"]
    assert rows["b@example.com"]["clicks"] == 1


def test_the_order_of_activity_does_not_change_with_the_rows(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(10)))
    ann.control("/settings", {"pageCap": 5})
    page_one = [row["email"] for row in ann.get(f"/campaigns/{campaign}/activity").json()["items"]]
    ann.record(page_one[0], "open", campaign)
    page_two = ann.get(f"/campaigns/{campaign}/activity?page=2").json()["items"]
    assert sorted(page_one + [row["email"] for row in page_two]) == sorted(addresses(10))


def test_activity_of_a_recipient_can_be_recorded(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list("a@example.com"), minutesAgo=60 * 24, seed=1)
    before = ann.activity(campaign)["a@example.com"]
    ann.record("A@example.com", "open", campaign, times=3)
    ann.record("a@example.com", "forward", campaign)
    after = ann.activity(campaign)["a@example.com"]
    assert after["opens"] == before["opens"] + 3
    assert after["forwards"] == before["forwards"] + 1
    assert after["clicks"] == before["clicks"]
    ann.record("a@example.com", "bounce", campaign)
    assert ann.activity(campaign)["a@example.com"]["bounced"] is True


def test_activity_can_be_recorded_in_the_past(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(3)), minutesAgo=60)
    sent_at = ann.get(f"/campaigns/{campaign}").json()["sentAt"]
    ann.record(addresses(1)[0], "open", campaign, at=sent_at)
    assert ann.activity(campaign)[addresses(1)[0]]["firstOpen"] == sent_at


def test_an_unsubscriber_is_opted_out_and_suppressed_from_then_on(ann):
    campaign, list_id = ann.campaign(), ann.list(*addresses(5))
    ann.send(campaign, list_id, quiet=True)
    email = addresses(1)[0]
    ann.record(email, "unsubscribe", campaign)
    row = ann.activity(campaign)[email]
    assert (row["unsubscribes"], row["optedOut"]) == (1, True)
    assert ann.push(list_id, email) == {email: "suppressed"}
    assert ann.push(ann.list(name="Another"), email.upper()) == {email: "suppressed"}
    next_campaign = ann.campaign()
    assert ann.send(next_campaign, list_id) == 4
    assert email not in ann.activity(next_campaign)


def test_a_recipient_can_opt_in_again(ann):
    campaign, list_id = ann.campaign(), ann.list(*addresses(1))
    ann.send(campaign, list_id, quiet=True)
    ann.record(addresses(1)[0], "unsubscribe", campaign)
    since = ann.get(f"/campaigns/{campaign}/activity").json()["asOf"]
    ann.control("/opt-in", {"email": addresses(1)[0]})
    row = ann.activity(campaign, since=since)[addresses(1)[0]]
    assert (row["unsubscribes"], row["optedOut"]) == (1, False)
    assert ann.push(list_id, addresses(1)[0]) == {addresses(1)[0]: "exists"}


def test_a_campaign_sent_again_goes_to_new_members_only(ann):
    campaign, list_id = ann.campaign(), ann.list(*addresses(3))
    assert ann.send(campaign, list_id) == 3
    ann.push(list_id, *addresses(5)[3:])
    assert ann.send(campaign, list_id) == 2
    assert ann.send(campaign, list_id) == 0
    assert ann.statistics(campaign)["sent"] == 5


def test_corrections_may_lower_the_figures(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(50)))
    opens = ann.statistics(campaign)["opens"]
    ann.control(f"/campaigns/{campaign}/correct", {"opens": -2})
    assert ann.statistics(campaign)["opens"] == opens - 2


# The controls


def test_calls_are_counted_by_kind_and_controls_are_not(ann):
    list_id = ann.list("a@example.com")
    ann.push(list_id, "b@example.com")
    ann.push(list_id, "c@example.com")
    ann.get("/lists")
    assert ann.state()["calls"] == {
        "POST /authenticate": 1,
        "POST /lists/ID/recipients": 2,
        "GET /lists": 1,
    }
    [*_earlier, last] = ann.control("/calls", method="GET")
    assert (last["call"], last["status"], last["account"]) == ("GET /lists", 200, "ann")


def test_reset_empties_everything_and_keeps_the_users(ann):
    ann.campaign()
    ann.control("/settings", {"hourLimit": 1})
    ann.control("/reset")
    assert ann.get("/lists").status_code == 401, "tokens are deleted too"
    ann.login("ann", "secret of ann")
    state = ann.state()
    assert state["campaigns"] == state["lists"] == state["templates"] == []
    assert state["settings"]["hourLimit"] == 5000
    assert state["calls"] == {"GET /lists": 1, "POST /authenticate": 1}


def test_an_invalid_control_is_refused_with_a_message(ann):
    campaign = ann.campaign()
    for path, body in (
        ("/templates", {}),
        ("/templates", {"name": "x", "account": "unknown"}),
        ("/lists", {"name": "x", "emails": "a@example.com"}),
        (f"/campaigns/{campaign}/send", {"listId": 1}),
        (f"/campaigns/{campaign}/send", {"listId": ann.list(), "minutes": -1}),
        (f"/campaigns/{campaign}/activity", {"email": "a@example.com", "kind": "open"}),
        (f"/campaigns/{campaign}/correct", {"nothing": 1}),
        ("/settings", {"hourLimit": "many"}),
        ("/settings", {"unknown": 1}),
        ("/faults", [{"kind": "unknown"}]),
        ("/faults", [{"kind": "hang"}]),
        ("/faults", {"kind": "500"}),
    ):
        response = ann.post(f"/_sandbox{path}", json=body)
        assert response.status_code == 400, (path, body)
        assert response.json()["message"]


def test_other_sites_cannot_use_the_controls(ann):
    other = {"Origin": "https://elsewhere.example"}
    response = ann.post("/_sandbox/reset", headers=other)
    assert response.status_code == 400
    own = {"Origin": ann.url}
    assert ann.post("/_sandbox/reset", headers=own).status_code == 200


def test_a_login_is_read_from_headers_or_body(sandbox, ann):
    login = {"username": "ann", "password": "secret of ann"}
    wrong = login | {"password": "wrong"}
    client = {"client_id": "client", "client_secret": "secret"}
    for headers, body, status in (
        (login, None, 200),
        (login | client, login, 200),
        ({}, login | client, 200),
        (wrong, None, 401),
        (client, login, 200),
        (client, None, 400),
    ):
        response = ann.post("/authenticate", headers=headers, json=body)
        assert response.status_code == status, (headers, body)
