"""The web page: what a person without any tool sees and does."""

import re

from .people import Caller, crowd


def form(ann, path, **fields):
    """Send a form, as a browser does."""
    return ann.post(f"/_sandbox/page{path}", data=fields)


def test_the_page_says_that_it_is_no_campaign_master(ann):
    page = ann.get("/").text
    assert "A local stand-in" in page
    assert "no mail leaves this machine" in page
    assert "No campaign yet" in page


def test_a_template_and_a_list_are_made_in_the_page(ann):
    assert "Autumn" in form(ann, "/templates", name="Autumn").text
    assert "North" in form(ann, "/lists", name="North").text
    assert [one["name"] for one in ann.get("/templates").json()["items"]] == ["Autumn"]
    assert [one["name"] for one in ann.get("/lists").json()["items"]] == ["North"]


def test_a_campaign_is_sent_from_the_page_and_its_figures_are_there(ann):
    campaign, list_id = ann.campaign(name="Spring launch"), ann.list(*crowd(1234))
    assert "Send" in ann.get("/").text
    page = form(ann, f"/campaigns/{campaign}/send", list=list_id, minutes="0").text
    assert "Spring launch" in page
    assert re.search(r"<dt>Sent</dt>\s*<dd>1,234", page)
    opens = f"{ann.statistics(campaign)['opens']:,}"
    assert re.search(rf"<dt>Opens</dt>\s*<dd>{opens}", page)


def test_nothing_chosen_is_said_in_the_page(ann):
    answer = form(ann, f"/campaigns/{ann.campaign()}/send", list="", minutes="0")
    assert answer.status_code == 400
    assert "Choose a list" in answer.text
    assert "Give it a name" in form(ann, "/lists", name="  ").text


def test_a_list_shows_its_people_page_by_page(ann):
    list_id = ann.list(*crowd(120), name="North")
    ann.control("/suppress", {"email": crowd(1)[0], "reason": "Wrote to us."})
    first = ann.get(f"/_sandbox/page/lists/{list_id}").text
    assert "120 people" in first
    assert first.count("@example.com") == 50
    assert "Wrote to us." in first
    last = ann.get(f"/_sandbox/page/lists/{list_id}?page=3").text
    assert last.count("@example.com") == 20
    assert "page 3 of 3" in last


def test_a_sent_campaign_shows_who_did_what(ann):
    campaign = ann.campaign()
    # Quiet: else the one mail may, once in a while, be rejected.
    ann.send(campaign, ann.list("a@example.com"), quiet=True)
    ann.does("a@example.com", "unsubscribe", campaign)
    page = ann.get(f"/_sandbox/page/campaigns/{campaign}").text
    assert "a@example.com" in page
    assert "opted out" in page


def test_what_people_write_is_text_and_never_markup(ann):
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
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith("/") for address in addresses)
    for address in {address for address in addresses if "/static/" in address}:
        answer = ann.get(address)
        assert answer.status_code == 200
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_looking_at_the_page_is_no_call(ann):
    before = ann.state()["calls"]
    Caller(ann.url).get("/")
    assert ann.state()["calls"] == before


def test_what_is_not_there_is_said_in_the_page(ann):
    answer = ann.get("/_sandbox/page/lists/1")
    assert answer.status_code == 404
    assert "no such list" in answer.text
