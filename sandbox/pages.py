"""Web pages for what users do in Campaign Master's interface.

They are HTML forms that work without JavaScript; ``static/page.js`` only updates the figures.
"""

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from . import clock
from .control import send_campaign
from .errors import ApiError
from .stories import STORIES

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/_sandbox/static")

PAGE_SIZE = 50
DURATIONS = {
    "0": "Immediately",
    "2": "Within 2 minutes",
    "10": "Within 10 minutes",
    "60": "Within an hour",
    "1440": "Within a day",
    "10080": "Within a week",
}
"""The time in which activity is simulated, by minutes."""
AGES = {
    "0": "Now",
    "60": "An hour ago",
    "1440": "A day ago",
    "10080": "A week ago",
    "43200": "30 days ago",
}
"""When the campaign was sent, by minutes."""


def _sandbox():
    return current_app.extensions["sandbox"]


@pages.get("/")
def overview():
    return _overview()


@pages.get("/_sandbox/page/lists/<id:list_id>")
def show_list(list_id):
    with _sandbox().store.transaction() as store:
        found = store.get_list(list_id)
        if not found:
            raise ApiError(404, "The list no longer exists.")
        page = _page_number()
        emails = store.members(list_id, PAGE_SIZE, (page - 1) * PAGE_SIZE)
        row = next(row for row in store.lists(found["account"]) if row["id"] == list_id)
        suppressed = store.suppressed(found["account"], emails)
    return render_template(
        "list.html",
        account=found["account"],
        list=row,
        emails=emails,
        suppressed=suppressed,
        **_paging(page, row["recipients"]),
    )


@pages.get("/_sandbox/page/campaigns/<id:campaign_id>")
def show_campaign(campaign_id):
    with _sandbox().store.transaction() as store:
        campaign = store.get_campaign(campaign_id)
        if not campaign:
            raise ApiError(404, "The campaign no longer exists.")
        page = _page_number()
        emails, total = store.activity(campaign_id, 0, PAGE_SIZE, (page - 1) * PAGE_SIZE)
    return render_template(
        "campaign.html",
        account=campaign["account"],
        campaign=campaign,
        emails=emails,
        **_paging(page, total),
    )


@pages.post("/_sandbox/page/<any(templates, lists):kind>")
def create(kind):
    name = request.form.get("name", "").strip()
    if not name:
        raise ApiError(400, "Enter a name.")
    with _sandbox().store.transaction() as store:
        account = _account(store)
        add = store.add_template if kind == "templates" else store.add_list
        add(account, name)
    return _redirect(account, kind)


@pages.post("/_sandbox/page/campaigns/<id:campaign_id>/send")
def send(campaign_id):
    minutes, list_id = request.form.get("minutes"), request.form.get("list", "")
    ago, story = request.form.get("ago", "0"), request.form.get("story", "usual")
    is_id = list_id.isascii() and list_id.isdecimal()
    if minutes not in DURATIONS or ago not in AGES or not is_id:
        raise ApiError(400, "Select a list and a duration.")
    with _sandbox().store.transaction() as store:
        send_campaign(store, campaign_id, int(list_id), int(minutes), int(ago), story)
        account = store.get_campaign(campaign_id)["account"]
    return _redirect(account, f"campaign-{campaign_id}")


@pages.errorhandler(ApiError)
def show_error(error):
    return _overview(error.message), error.status


@pages.app_template_filter("datetime")
def format_datetime(milliseconds):
    """``2026-01-31 09:30:00``, in UTC."""
    text = clock.to_text(milliseconds)
    return text[:19].replace("T", " ") if text else ""


@pages.app_template_filter("thousands")
def format_thousands(number):
    return f"{number:,}"


def _overview(error=None):
    sandbox = _sandbox()
    with sandbox.store.transaction() as store:
        account = _account(store)
        lists = store.lists(account)
        templates = store.templates(account)
        names = {row["id"]: row["name"] for row in (*lists, *templates)}
        campaigns = [
            {
                **dict(row),
                "template": names.get(row["template_id"], "(deleted)"),
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
            stories={name: story.label for name, story in STORIES.items()},
            durations=DURATIONS,
            ages=AGES,
            usage=sandbox.limits.as_dict(account),
            faults=[fault for fault in sandbox.faults.as_dicts() if fault["count"] != 0],
            dialect=sandbox.dialect.changes(),
            error=error,
        )


def _account(store):
    accounts = store.accounts()
    account = request.values.get("account", accounts[0])
    return account if account in accounts else accounts[0]


def _redirect(account, anchor):
    return redirect(url_for("pages.overview", account=account, _anchor=anchor), 303)


def _page_number():
    page = request.args.get("page", "1")
    return int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 8 else 1


def _paging(page, total):
    last = max(1, -(-total // PAGE_SIZE))
    return {"page": max(1, page), "last": last, "total": total}
