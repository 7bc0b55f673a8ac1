"""The calls of Campaign Master's API, as ``docs/openapi.yaml`` describes them."""

from flask import Blueprint, current_app, g, request

from . import checks, clock
from .errors import Refused

api = Blueprint("api", __name__)

CATALOGUE_PAGE = 500
ACTIVITY_PAGE = 1_000
RECIPIENTS = 1_000
"""The most addresses in one call."""
SENDER = ("fromName", "fromEmail", "replyToEmail")


def _sandbox():
    return current_app.extensions["sandbox"]


@api.post("/authenticate")
def authenticate():
    data = checks.body()
    checks.texts(data, required=("username", "password"))
    sandbox = _sandbox()
    with sandbox.store.turn() as store:
        if store.password_is(data["username"], data["password"]):
            ends = clock.now() + int(sandbox.settings.tokenMinutes * clock.MINUTE)
            return {"token": store.new_token(data["username"], ends)}
    raise Refused(sandbox.settings.loginRefusal, "InvalidLogin: the username or password is wrong.")


@api.get("/templates")
def templates():
    checks.query("page", "pageSize")
    page, size, start = _page(CATALOGUE_PAGE)
    with _sandbox().store.turn() as store:
        rows = store.templates(g.account, size, start)
        total = store.count("template", g.account)
    return _paged([template_json(row) for row in rows], page, size, total)


@api.get("/lists")
def lists():
    checks.query("page", "pageSize")
    page, size, start = _page(CATALOGUE_PAGE)
    with _sandbox().store.turn() as store:
        rows = store.lists(g.account, size, start)
        total = store.count("list", g.account)
    return _paged([list_json(row) for row in rows], page, size, total)


@api.get("/campaigns")
def find_campaigns():
    checks.query("reference", "page", "pageSize")
    page, size, start = _page(CATALOGUE_PAGE)
    if not request.args.get("reference"):
        raise Refused(400, "The request is not valid.", {"reference": "reference is required."})
    with _sandbox().store.turn() as store:
        row = store.campaign_by_reference(g.account, request.args["reference"])
    found = [campaign_json(row)] if row else []
    return _paged(found[start : start + size], page, size, len(found))


@api.post("/campaigns")
def create_campaign():
    data = checks.body()
    required = ("reference", "name", "description", "subject")
    checks.texts(data, required, SENDER, emails=SENDER[1:], others=("templateId",))
    problems = checks.Problems()
    with _sandbox().store.turn() as store:
        template_id = data.get("templateId")
        if "templateId" not in data:
            problems.add("templateId", "templateId is required.")
        elif not checks.is_id(template_id):
            problems.add("templateId", "templateId must be an id as GET /templates gives them.")
        elif not store.get_template(g.account, template_id):
            problems.add("templateId", "There is no such template.")
        if store.campaign_by_reference(g.account, data["reference"]):
            problems.add("reference", "There is a campaign with this reference already.")
        problems.refuse_if_any()
        campaign_id = store.add_campaign(g.account, data["reference"], template_id, data)
        return campaign_json(store.get_campaign(campaign_id)), 201


@api.get("/campaigns/<id:campaign_id>")
def read_campaign(campaign_id):
    with _sandbox().store.turn() as store:
        return campaign_json(_campaign(store, campaign_id))


@api.put("/campaigns/<id:campaign_id>")
def update_campaign(campaign_id):
    with _sandbox().store.turn() as store:
        campaign = _campaign(store, campaign_id)
        data = checks.body()
        problems = checks.Problems()
        for name in ("reference", "templateId"):
            if name in data:
                problems.add(name, f"{name} of a campaign cannot be changed.")
        problems.refuse_if_any()
        checks.texts(data, ("name", "description", "subject"), SENDER, emails=SENDER[1:])
        if campaign["status"] != "draft":
            raise Refused(400, f"The campaign is {campaign['status']}, no longer a draft.")
        store.change_campaign(campaign_id, data)
        return campaign_json(store.get_campaign(campaign_id))


@api.post("/lists/<id:list_id>/recipients")
def add_recipients(list_id):
    with _sandbox().store.turn() as store:
        if not store.get_list(list_id, g.account):
            raise Refused(404, "There is no such list.")
        emails = _asked_addresses(checks.body())
        suppressed = store.suppressed(g.account, emails)
        there = store.on_list(list_id, emails)
        results, new = [], []
        for email in emails:
            if not checks.is_email(email):
                status, message = "invalid", "This is not an e-mail address."
            elif email in suppressed:
                status, message = "suppressed", suppressed[email]
            elif email in there:
                status, message = "exists", "The address is on the list already."
            else:
                status, message = "added", ""
                new.append(email)
            results.append({"email": email, "status": status, "message": message})
        store.add_members(list_id, new)
    # "In any order": backwards, so that nobody comes to rely on the order of the request.
    return {"results": results[::-1]}


@api.get("/campaigns/<id:campaign_id>/statistics")
def statistics(campaign_id):
    with _sandbox().store.turn() as store:
        _campaign(store, campaign_id)
        return store.statistics(campaign_id)


@api.get("/campaigns/<id:campaign_id>/activity")
def activity(campaign_id):
    checks.query("since", "page", "pageSize")
    page, size, start = _page(ACTIVITY_PAGE)
    since = checks.since()
    with _sandbox().store.turn() as store:
        _campaign(store, campaign_id)
        as_of = clock.now()
        rows, total = store.activity(campaign_id, since, size, start)
    return _paged(
        [activity_json(row) for row in rows], page, size, total, asOf=clock.to_text(as_of)
    )


def template_json(row) -> dict:
    return {"id": row["id"], "name": row["name"], "createdAt": clock.to_text(row["created"])}


def list_json(row) -> dict:
    return {
        "id": row["id"],
        "name": row["name"],
        "recipients": row["recipients"],
        "createdAt": clock.to_text(row["created"]),
    }


def campaign_json(row) -> dict:
    data = {
        "id": row["id"],
        "reference": row["reference"],
        "name": row["name"],
        "description": row["description"],
        "subject": row["subject"],
        "templateId": row["template_id"],
        "status": row["status"],
        "createdAt": clock.to_text(row["created"]),
    }
    if row["status"] == "sent" and row["sent_at"] is not None:
        data["sentAt"] = clock.to_text(row["sent_at"])
    return data


def activity_json(row) -> dict:
    return {
        "email": row["email"],
        "opens": row["opens"],
        "clicks": row["clicks"],
        "forwards": row["forwards"],
        "unsubscribes": row["unsubscribes"],
        "firstOpen": clock.to_text(row["first_open"]),
        "lastOpen": clock.to_text(row["last_open"]),
        "firstClick": clock.to_text(row["first_click"]),
        "lastClick": clock.to_text(row["last_click"]),
        "bounced": row["outcome"] == "hard",
        "optedOut": bool(row["opted_out"]),
    }


def _campaign(store, campaign_id):
    campaign = store.get_campaign(campaign_id, g.account)
    if not campaign:
        raise Refused(404, "There is no such campaign.")
    return campaign


def _asked_addresses(data):
    """The addresses of a recipients call, normal, in the order asked."""
    problems = checks.Problems()
    checks.unknown(data, ("recipients",), problems)
    recipients = data.get("recipients")
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= RECIPIENTS:
        problems.add("recipients", f"recipients must be a list of 1 to {RECIPIENTS:,} objects.")
        problems.refuse_if_any()
    emails = []
    for recipient in recipients:
        if not isinstance(recipient, dict) or set(recipient) != {"email"}:
            problems.add("recipients", "A recipient has an email, and nothing else.")
            continue
        if checks.text(recipient["email"], "recipients", problems, empty=True):
            emails.append(checks.normal(recipient["email"]))
    if len(set(emails)) < len(emails):
        problems.add("recipients", "An address is there twice.")
    problems.refuse_if_any()
    return emails


def _page(largest):
    """The page asked for, its size, and how many items come before it."""
    page, size = checks.page_of(min(largest, _sandbox().settings.pageCap))
    # Three faults play here, since only here is known what the pages are.
    if g.get("page_without_end"):
        return page, -1, 0 if page == 1 else checks.LARGEST_NUMBER
    given = g.get("page_given", page)
    if pages := g.get("pages_in_turn"):
        given = (page - 1) % pages + 1
    return page, size, (given - 1) * size


def _paged(items, page, size, total, **more):
    size = size if size > 0 else max(1, len(items))
    return {"items": items, "page": page, "pageSize": size, "total": total, **more}
