"""The web page: what somebody would do in Campaign Master's interface, in its simplest form.

Plain HTML forms that work without JavaScript; ``static/page.js`` only keeps the figures fresh.
"""

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from . import clock
from .control import launch
from .errors import Refused

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/_sandbox/static")

ON_A_PAGE = 50
DURATIONS = {
    "0": "at once",
    "2": "over 2 minutes",
    "10": "over 10 minutes",
    "60": "over an hour",
    "1440": "over a day",
}
"""Minutes in which everything that follows a *Send* arrives."""


def _sandbox():
    return current_app.extensions["sandbox"]


@pages.get("/")
def overview():
    return _overview()


@pages.get("/_sandbox/page/lists/<id:list_id>")
def show_list(list_id):
    with _sandbox().store.turn() as store:
        found = store.get_list(list_id)
        if not found:
            raise Refused(404, "There is no such list any more.")
        page = _page_number()
        emails = store.members(list_id, ON_A_PAGE, (page - 1) * ON_A_PAGE)
        row = next(row for row in store.lists(found["account"]) if row["id"] == list_id)
        refused = store.suppressed(found["account"], emails)
    return render_template(
        "list.html",
        account=found["account"],
        list=row,
        emails=emails,
        refused=refused,
        **_paging(page, row["recipients"]),
    )


@pages.get("/_sandbox/page/campaigns/<id:campaign_id>")
def show_campaign(campaign_id):
    with _sandbox().store.turn() as store:
        campaign = store.get_campaign(campaign_id)
        if not campaign:
            raise Refused(404, "There is no such campaign any more.")
        page = _page_number()
        mails, total = store.activity(campaign_id, 0, ON_A_PAGE, (page - 1) * ON_A_PAGE)
    return render_template(
        "campaign.html",
        account=campaign["account"],
        campaign=campaign,
        mails=mails,
        **_paging(page, total),
    )


@pages.post("/_sandbox/page/<any(templates, lists):things>")
def make(things):
    name = request.form.get("name", "").strip()
    if not name:
        raise Refused(400, "Give it a name first.")
    with _sandbox().store.turn() as store:
        account = _account(store)
        add = store.add_template if things == "templates" else store.add_list
        add(account, name)
    return _back(account, things)


@pages.post("/_sandbox/page/campaigns/<id:campaign_id>/send")
def send(campaign_id):
    minutes, list_id = request.form.get("minutes"), request.form.get("list", "")
    if minutes not in DURATIONS or not (list_id.isascii() and list_id.isdecimal()):
        raise Refused(400, "Choose a list and a duration first.")
    with _sandbox().store.turn() as store:
        launch(store, campaign_id, int(list_id), int(minutes))
        account = store.get_campaign(campaign_id)["account"]
    return _back(account, f"campaign-{campaign_id}")


@pages.errorhandler(Refused)
def explain(error):
    return _overview(error.message), error.status


@pages.app_template_filter("moment")
def moment(milliseconds):
    """``2026-01-31 09:30:00``; the pages say once that times are in UTC."""
    text = clock.to_text(milliseconds)
    return text[:19].replace("T", " ") if text else ""


@pages.app_template_filter("thousands")
def thousands(number):
    return f"{number:,}"


def _overview(problem=None):
    sandbox = _sandbox()
    with sandbox.store.turn() as store:
        account = _account(store)
        lists = store.lists(account)
        templates = store.templates(account)
        names = {row["id"]: row["name"] for row in (*lists, *templates)}
        campaigns = [
            {
                **dict(row),
                "template": names.get(row["template_id"], "a deleted template"),
                "list": names.get(row["list_id"]),
                "figures": store.statistics(row["id"]),
            }
            for row in reversed(store.campaigns(account))
        ]
        return render_template(
            "overview.html",
            account=account,
            accounts=store.accounts(),
            campaigns=campaigns,
            lists=lists,
            templates=templates,
            durations=DURATIONS,
            usage=sandbox.limits.as_dict(account),
            faults=[fault for fault in sandbox.faults.as_dicts() if fault["count"] != 0],
            problem=problem,
        )


def _account(store):
    accounts = store.accounts()
    asked = request.values.get("account", accounts[0])
    return asked if asked in accounts else accounts[0]


def _back(account, anchor):
    return redirect(url_for("pages.overview", account=account, _anchor=anchor), 303)


def _page_number():
    page = request.args.get("page", "1")
    return int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 8 else 1


def _paging(page, total):
    last = max(1, -(-total // ON_A_PAGE))
    return {"page": max(1, page), "last": last, "total": total}
