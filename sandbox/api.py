"""Campaign Master's API as described in ``docs/openapi.yaml``."""

from flask import Blueprint, current_app, g, request

from . import checks, clock
from .dialect import CLIENT
from .errors import ApiError

api = Blueprint("api", __name__)

CATALOG_PAGE_SIZE = 500
ACTIVITY_PAGE_SIZE = 1_000
SENDER = ("fromName", "fromEmail", "replyToEmail")


def _sandbox():
    return current_app.extensions["sandbox"]


@api.post("/authenticate")
def authenticate():
    sandbox, dialect = _sandbox(), _sandbox().dialect
    login = checks.login(dialect.login)
    is_client = not dialect.clientId or login.items() >= CLIENT.items()
    with sandbox.store.transaction() as store:
        if is_client and store.password_is(login.get("username"), login.get("password", "")):
            ends = clock.now() + int(sandbox.settings.tokenMinutes * clock.MINUTE)
            return {"token": store.add_token(login["username"], ends)}
    raise ApiError(
        sandbox.settings.loginRefusal, "InvalidLogin: the username or password is wrong."
    )


@api.get("/templates")
def templates():
    checks.query("page", "pageSize")
    page, size, start = _page(CATALOG_PAGE_SIZE)
    with _sandbox().store.transaction() as store:
        rows = store.templates(g.account, size, start)
        total = store.count("template", g.account)
    return _paged([template_json(row) for row in rows], page, size, total)


@api.get("/lists")
def lists():
    checks.query("page", "pageSize")
    page, size, start = _page(CATALOG_PAGE_SIZE)
    with _sandbox().store.transaction() as store:
        rows = store.lists(g.account, size, start)
        total = store.count("list", g.account)
    return _paged([list_json(row) for row in rows], page, size, total)


@api.get("/campaigns")
def find_campaigns():
    checks.query("reference", "page", "pageSize")
    page, size, start = _page(CATALOG_PAGE_SIZE)
    if not request.args.get("reference"):
        raise ApiError(400, "The request is invalid.", {"reference": "reference is required."})
    with _sandbox().store.transaction() as store:
        row = store.campaign_by_reference(g.account, request.args["reference"])
    found = [campaign_json(row)] if row else []
    return _paged(found[start : start + size], page, size, len(found))


@api.post("/campaigns")
def create_campaign():
    data = checks.body()
    required = ("reference", "name", "description", "subject")
    checks.texts(data, required, SENDER, emails=SENDER[1:], others=("templateId",))
    problems = checks.Problems()
    with _sandbox().store.transaction() as store:
        template_id = data.get("templateId")
        if "templateId" not in data:
            problems.add("templateId", "templateId is required.")
        elif not checks.is_id(template_id):
            problems.add("templateId", "templateId must be an id from GET /templates.")
        elif not store.get_template(g.account, template_id):
            problems.add("templateId", "The template does not exist.")
        if store.campaign_by_reference(g.account, data["reference"]):
            problems.add("reference", "A campaign with this reference already exists.")
        problems.refuse_if_any()
        campaign_id = store.add_campaign(g.account, data["reference"], template_id, data)
        return campaign_json(store.get_campaign(campaign_id)), 201


@api.get("/campaigns/<id:campaign_id>")
def read_campaign(campaign_id):
    with _sandbox().store.transaction() as store:
        return campaign_json(_campaign(store, campaign_id))


@api.put("/campaigns/<id:campaign_id>")
def update_campaign(campaign_id):
    with _sandbox().store.transaction() as store:
        campaign = _campaign(store, campaign_id)
        data = checks.body()
        problems = checks.Problems()
        for name in ("reference", "templateId"):
            if name in data:
                problems.add(name, f"The {name} of a campaign cannot be changed.")
        problems.refuse_if_any()
        checks.texts(data, ("name", "description", "subject"), SENDER, emails=SENDER[1:])
        if campaign["status"] != "draft":
            raise ApiError(400, f"The campaign is {campaign['status']}, not a draft.")
        store.change_campaign(campaign_id, data)
        return campaign_json(store.get_campaign(campaign_id))


@api.post("/lists/<id:list_id>/recipients")
def add_recipients(list_id):
    with _sandbox().store.transaction() as store:
        if not store.get_list(list_id, g.account):
            raise ApiError(404, "The list does not exist.")
        emails = _requested_emails(checks.body())
        suppressed = store.suppressed(g.account, emails)
        existing = store.on_list(list_id, emails)
        results, new = [], []
        for email in emails:
            if not checks.is_email(email):
                status, message = "invalid", "This is not an email address."
            elif email in suppressed:
                status, message = "suppressed", suppressed[email]
            elif email in existing:
                status, message = "exists", "The address is already on the list."
            else:
                status, message = "added", ""
                new.append(email)
            results.append({"email": email, "status": status, "message": message})
        store.add_members(list_id, new)
    if new and _sandbox().dialect.later:
        return {"message": "The addresses are being added; the results come later."}, 202
    # Reversed, so that no client relies on the order of the request.
    return {"results": results[::-1]}


@api.get("/campaigns/<id:campaign_id>/statistics")
def statistics(campaign_id):
    with _sandbox().store.transaction() as store:
        _campaign(store, campaign_id)
        return store.statistics(campaign_id)


@api.get("/campaigns/<id:campaign_id>/activity")
def activity(campaign_id):
    checks.query("since", "page", "pageSize")
    page, size, start = _page(ACTIVITY_PAGE_SIZE)
    since = checks.since()
    with _sandbox().store.transaction() as store:
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
        "bounceReason": "The mailbox does not exist." if row["outcome"] == "hard" else None,
        "complained": bool(row["complaints"] and row["opted_out"]),
        "optedOut": bool(row["opted_out"]),
    }


def _campaign(store, campaign_id):
    campaign = store.get_campaign(campaign_id, g.account)
    if not campaign:
        raise ApiError(404, "The campaign does not exist.")
    return campaign


def _requested_emails(data):
    """The normalized addresses of a recipients call, in the order of the request."""
    problems = checks.Problems()
    checks.unknown(data, ("recipients",), problems)
    recipients, most = data.get("recipients"), _sandbox().dialect.recipients
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= most:
        problems.add("recipients", f"recipients must be a list of 1 to {most:,} objects.")
        problems.refuse_if_any()
    emails = []
    for recipient in recipients:
        if not isinstance(recipient, dict) or set(recipient) != {"email"}:
            problems.add("recipients", "A recipient must have an email and nothing else.")
            continue
        if checks.text(recipient["email"], "recipients", problems, empty=True):
            emails.append(checks.normalize(recipient["email"]))
    if len(set(emails)) < len(emails):
        problems.add("recipients", "An address is duplicated.")
    problems.refuse_if_any()
    return emails


def _page(max_size):
    """The requested page, its size and offset; three kinds of faults change them."""
    page, size = checks.page_of(min(max_size, _sandbox().settings.pageCap))
    if g.get("all_on_first_page"):
        return page, -1, 0 if page == 1 else checks.MAX_INTEGER
    actual = g.get("repeated_page", page)
    if cycle := g.get("page_cycle"):
        actual = (page - 1) % cycle + 1
    return page, size, (actual - 1) * size


def _paged(items, page, size, total, **more):
    size = size if size > 0 else max(1, len(items))
    return {"items": items, "page": page, "pageSize": size, "total": total, **more}
