"""The web pages."""

import re

from .caller import Caller, addresses


def form(ann, path, **fields):
    """Submit a form."""
    return ann.post(f"/_sandbox/page{path}", data=fields)


def test_the_page_says_that_it_is_not_campaign_master(ann):
    page = ann.get("/").text
    assert "A local stand-in" in page
    assert "No email leaves this machine" in page
    assert "No campaigns yet" in page


def test_a_template_and_a_list_are_created_in_the_page(ann):
    assert "Autumn" in form(ann, "/templates", name="Autumn").text
    assert "North" in form(ann, "/lists", name="North").text
    assert [one["name"] for one in ann.get("/templates").json()["items"]] == ["Autumn"]
    assert [one["name"] for one in ann.get("/lists").json()["items"]] == ["North"]


def test_a_campaign_sent_from_the_page_has_figures(ann):
    campaign, list_id = ann.campaign(name="Spring launch"), ann.list(*addresses(1234))
    assert "Send" in ann.get("/").text
    page = form(ann, f"/campaigns/{campaign}/send", list=list_id, minutes="0").text
    assert "Spring launch" in page
    assert re.search(r"<dt>Sent</dt>\s*<dd>1,234", page)
    opens = f"{ann.statistics(campaign)['opens']:,}"
    assert re.search(rf"<dt>Opens</dt>\s*<dd>{opens}", page)


def test_a_form_without_input_shows_an_error(ann):
    response = form(ann, f"/campaigns/{ann.campaign()}/send", list="", minutes="0")
    assert response.status_code == 400
    assert "Select a list and a duration" in response.text
    assert "Enter a name" in form(ann, "/lists", name="  ").text


def test_a_list_shows_its_recipients_page_by_page(ann):
    list_id = ann.list(*addresses(120), name="North")
    ann.control("/suppress", {"email": addresses(1)[0], "reason": "Wrote to us."})
    first = ann.get(f"/_sandbox/page/lists/{list_id}").text
    assert "120 recipients" in first
    assert first.count("@example.com") == 50
    assert "Wrote to us." in first
    last = ann.get(f"/_sandbox/page/lists/{list_id}?page=3").text
    assert last.count("@example.com") == 20
    assert "Page 3 of 3" in last


def test_a_sent_campaign_shows_recipient_activity(ann):
    campaign = ann.campaign()
    # Quiet, as the email could be rejected otherwise.
    ann.send(campaign, ann.list("a@example.com"), quiet=True)
    ann.record("a@example.com", "unsubscribe", campaign)
    page = ann.get(f"/_sandbox/page/campaigns/{campaign}").text
    assert "a@example.com" in page
    assert "Opted out" in page


def test_input_is_never_markup(ann):
    evil = "<script>alert('here')</script>"
    ann.campaign(name=evil, subject=evil, templateId=ann.template(evil))
    list_id = ann.list("<b>@example.com", name=evil)
    for path in ("/", f"/_sandbox/page/lists/{list_id}"):
        page = ann.get(path).text
        assert "<script>alert" not in page
        assert "<b>@" not in page


def test_each_user_has_a_page(ann):
    ann.template("Of Ann")
    ann.template("Of Bob", account="bob")
    assert "Of Bob" not in ann.get("/").text
    page = ann.get("/?account=bob").text
    assert "Of Bob" in page
    assert "Of Ann" not in page


def test_the_page_loads_nothing_from_elsewhere(ann):
    page = ann.get("/").text
    urls = re.findall(r'(?:src|href|action)="([^"]+)"', page)
    assert urls
    assert all(url.startswith("/") for url in urls)
    for url in {url for url in urls if "/static/" in url}:
        response = ann.get(url)
        assert response.status_code == 200
        assert "http" not in response.text.replace("http://www.w3.org/2000/svg", "")


def test_opening_the_page_is_not_counted_as_a_call(ann):
    before = ann.state()["calls"]
    Caller(ann.url).get("/")
    assert ann.state()["calls"] == before


def test_a_missing_list_shows_an_error(ann):
    response = ann.get("/_sandbox/page/lists/1")
    assert response.status_code == 404
    assert "no longer exists" in response.text
