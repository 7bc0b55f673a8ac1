"""Stories that *Send* can play, recognized by their figures, and campaigns sent in the past."""

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from sandbox.stories import STORIES

from .caller import addresses

DAY = 24 * 60
MANY = 600


def played(ann, story, emails=None, **more):
    """Send a campaign with a story; return its figures, and its activity by address."""
    campaign = ann.campaign()
    options = {"minutesAgo": 30 * DAY, "seed": story, **more}
    ann.send(campaign, ann.list(*(emails or addresses(MANY))), story=story, **options)
    return ann.statistics(campaign), ann.activity(campaign)


def share(figures, name):
    """A figure as a share of the delivered emails."""
    return figures[name] / figures["delivered"]


def moment(text):
    return datetime.fromisoformat(text)


def now():
    return datetime.now(timezone.utc)


# The figures of each story


def test_a_usual_campaign_is_opened_by_a_third_and_clicked_by_some(ann):
    figures, _rows = played(ann, "usual")
    assert 0.24 < share(figures, "uniqueOpens") < 0.36
    assert 0.03 < share(figures, "uniqueClicks") < 0.08
    assert 0.02 < 1 - figures["delivered"] / figures["sent"] < 0.05


def test_without_a_story_a_campaign_is_a_usual_one(ann):
    list_id = ann.list(*addresses(MANY))
    runs = []
    for more in ({}, {"story": "usual"}):
        campaign = ann.campaign()
        ann.send(campaign, list_id, seed=1, **more)
        runs.append(ann.statistics(campaign))
        for email in ann.state()["accounts"][0]["suppressed"]:
            ann.control("/opt-in", {"email": email})
    assert runs[0] == runs[1]


def test_a_hit_is_opened_by_half_and_clicked_by_a_fifth(ann):
    figures, _rows = played(ann, "hit")
    assert 0.46 < share(figures, "uniqueOpens") < 0.56
    assert 0.17 < share(figures, "uniqueClicks") < 0.25
    assert figures["forwards"] >= 5


def test_a_flop_is_hardly_opened_and_more_people_leave_than_click(ann):
    figures, _rows = played(ann, "flop")
    assert 0.09 < share(figures, "uniqueOpens") < 0.14
    assert share(figures, "uniqueClicks") < 0.015
    assert share(figures, "unsubscribes") > 0.01


def test_with_bounces_one_of_eight_emails_does_not_arrive(ann):
    figures, rows = played(ann, "bounces")
    assert 0.06 < figures["hardBounces"] / figures["sent"] < 0.1
    assert 0.03 < figures["softBounces"] / figures["sent"] < 0.06
    assert sum(row["bounced"] for row in rows.values()) == figures["hardBounces"]


def test_complaints_are_above_every_threshold(ann):
    figures, rows = played(ann, "complaints")
    assert share(figures, "complaints") > 0.01
    assert sum(row["complained"] for row in rows.values()) == figures["complaints"]


def test_a_quiet_campaign_is_delivered_and_nothing_happens(ann):
    figures, _rows = played(ann, "quiet")
    assert figures["delivered"] == figures["sent"] == MANY
    assert not any(value for name, value in figures.items() if name not in ("sent", "delivered"))


@pytest.mark.parametrize("story", STORIES)
def test_every_story_can_be_played_for_one_recipient_and_for_none(ann, story):
    for emails in (addresses(1), ["suppressed@example.com"]):
        ann.control("/suppress", {"email": "suppressed@example.com"})
        figures, rows = played(ann, story, emails)
        assert figures["sent"] == len(rows) <= 1


# The scanner

OFFICE = [f"clerk{number}@office.example" for number in range(12)]


def clicked(row):
    """The seconds between the first and last click."""
    return (moment(row["lastClick"]) - moment(row["firstClick"])).total_seconds()


@pytest.fixture(params=[{}, {"minutesAgo": 0, "minutes": 0}], ids=["in the past", "immediately"])
def scanned(request, ann):
    """The activity of a campaign that the office's gateway has scanned, by address."""
    people = [f"{name}@{name}.example" for name in map("p{}".format, range(300))]
    figures, rows = played(ann, "scanner", people + OFFICE, **request.param)
    assert sum(row["clicks"] > 0 for row in rows.values()) == figures["uniqueClicks"]
    return rows


def test_a_scanner_clicks_for_everybody_at_the_office_within_a_minute(scanned):
    office = [scanned[email] for email in OFFICE if not scanned[email]["bounced"]]
    clicks = sorted(moment(row["firstClick"]) for row in office if row["clicks"])
    assert len(clicks) >= 10
    assert clicks[-1] - clicks[0] < timedelta(minutes=1)


def test_a_scanner_clicks_four_times_within_ten_seconds(scanned):
    fast = [row for row in map(scanned.get, OFFICE) if row["clicks"] >= 4 and clicked(row) <= 10]
    once = [row for row in map(scanned.get, OFFICE) if row["clicks"] == 1]
    assert len(fast) >= 4
    assert once, "some are noticed only because their colleagues clicked, too"


def test_people_open_only_after_the_scan(ann):
    _figures, rows = played(ann, "scanner")
    opened = [row for row in rows.values() if row["opens"]]
    assert opened
    for row in opened:
        assert row["firstClick"] < row["firstOpen"]
    later = [row for row in opened if clicked(row) > 60]
    assert later, "a later click shows that there is a person"


def test_only_the_scanner_clicks_fast(ann):
    for story in ("usual", "hit"):
        _figures, rows = played(ann, story)
        assert not [row for row in rows.values() if row["clicks"] >= 4 and clicked(row) <= 10]


# Sent in the past


def test_a_campaign_of_a_year_ago_has_times_of_a_year_ago(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(MANY)), minutesAgo=365 * DAY)
    remote = ann.get(f"/campaigns/{campaign}").json()
    sent_at = moment(remote["sentAt"])
    assert abs(now() - timedelta(days=365) - sent_at) < timedelta(minutes=1)
    assert remote["createdAt"] <= remote["sentAt"]
    assert remote["status"] == "sent"
    rows = ann.activity(campaign).values()
    times = [
        moment(row[name])
        for row in rows
        for name in ("firstOpen", "lastOpen", "firstClick", "lastClick")
        if row[name]
    ]
    assert sent_at < min(times) < max(times) <= sent_at + timedelta(days=7)


def test_most_people_open_on_the_first_day_and_some_much_later(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(MANY)), minutesAgo=30 * DAY, seed=1)
    sent_at = moment(ann.get(f"/campaigns/{campaign}").json()["sentAt"])
    rows = ann.activity(campaign).values()
    ages = sorted(moment(row["firstOpen"]) - sent_at for row in rows if row["opens"])
    within = {
        hours: sum(age <= timedelta(hours=hours) for age in ages) / len(ages) for hours in (24, 48)
    }
    assert 0.6 < within[24] < within[48] < 1
    assert ages[-1] > timedelta(days=2)


def test_people_sleep_at_night(ann):
    _figures, rows = played(ann, "hit", minutesAgo=60 * DAY)
    hours = Counter(moment(row["firstOpen"]).hour for row in rows.values() if row["opens"])
    assert sum(hours[hour] for hour in range(6)) == 0
    assert sum(hours.values()) > 200


def test_a_campaign_of_yesterday_goes_on_receiving_opens(ann):
    yesterday, last_month = (
        played(ann, "hit", minutesAgo=ago, seed=1)[0]["opens"] for ago in (DAY, 30 * DAY)
    )
    assert 0 < yesterday < last_month


def test_opens_of_a_campaign_in_the_past_can_be_simulated_over_another_time(ann):
    campaign = ann.campaign()
    ann.send(campaign, ann.list(*addresses(100)), minutesAgo=DAY, minutes=60)
    sent_at = moment(ann.get(f"/campaigns/{campaign}").json()["sentAt"])
    rows = ann.activity(campaign).values()
    opened = [moment(row["lastOpen"]) for row in rows if row["opens"]]
    assert opened
    assert max(opened) <= sent_at + timedelta(hours=1)


# Mail servers


@pytest.mark.parametrize("options", [{}, {"minutesAgo": 0, "minutes": 0}])
def test_mail_servers_open_three_of_ten_emails_at_once(ann, options):
    figures, rows = played(ann, "prefetched", **options)
    assert 0.4 < share(figures, "uniqueOpens") < 0.6
    rows = [row for row in rows.values() if row["opens"]]
    if options:
        return
    sent_at = min(moment(row["firstOpen"]) for row in rows)
    first = [row for row in rows if moment(row["firstOpen"]) - sent_at < timedelta(seconds=8)]
    assert first
    later = [row for row in rows if row["lastOpen"] > row["firstOpen"]]
    assert later, "a later open shows that there is a person"


# Always the same


def test_two_sandboxes_play_the_same_story(ann, bob):
    results = []
    for caller, account in ((ann, "ann"), (bob, "bob")):
        list_id = caller.list(*addresses(MANY), account=account)
        campaign = caller.campaign(templateId=caller.template(account=account))
        caller.send(campaign, list_id, seed=7, story="hit", minutesAgo=30 * DAY)
        sent_at = moment(caller.get(f"/campaigns/{campaign}").json()["sentAt"])
        rows = caller.activity(campaign)
        counts = {email: (row["opens"], row["clicks"]) for email, row in rows.items()}
        assert sent_at
        results.append((caller.statistics(campaign), counts))
    assert results[0] == results[1]


def test_the_same_people_read_and_the_same_mailboxes_are_missing(ann):
    list_id = ann.list(*addresses(MANY))
    opens, bounced = Counter(), []
    for seed in range(6):
        campaign = ann.campaign()
        ann.send(campaign, list_id, seed=seed, minutesAgo=30 * DAY)
        rows = ann.activity(campaign)
        opens.update(email for email, row in rows.items() if row["opens"])
        bounced.append({email for email, row in rows.items() if row["bounced"]})
    assert sum(times >= 4 for times in opens.values()) > MANY / 10
    assert MANY - len(opens) > MANY / 10
    assert len(set.union(*bounced)) < 2 * min(map(len, bounced))


def test_an_unknown_story_is_refused_with_the_known_ones(ann):
    campaign, list_id = ann.campaign(), ann.list(*addresses(1))
    for story in ("unknown", ["hit"], None, 1):
        body = {"listId": list_id, "story": story}
        response = ann.post(f"/_sandbox/campaigns/{campaign}/send", json=body)
        assert response.status_code == 400
        assert "hit" in response.json()["message"]


def test_the_page_sends_with_a_story_and_in_the_past(ann):
    campaign, list_id = ann.campaign(), ann.list(*addresses(MANY))
    page = ann.get("/").text
    for story in STORIES.values():
        assert story.label in page
    fields = {"list": list_id, "minutes": "10080", "ago": "43200", "story": "hit"}
    path = f"/_sandbox/page/campaigns/{campaign}/send"
    assert ann.post(path, data={**fields, "story": "unknown"}).status_code == 400
    assert ann.post(path, data={**fields, "ago": "1"}).status_code == 400
    assert ann.post(path, data=fields).status_code == 200
    sent_at = moment(ann.get(f"/campaigns/{campaign}").json()["sentAt"])
    assert abs(now() - timedelta(days=30) - sent_at) < timedelta(minutes=1)
    assert share(ann.statistics(campaign), "uniqueOpens") > 0.45
