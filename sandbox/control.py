"""Controls below ``/_sandbox``: Campaign Master's interface, recipient activity and faults.

They are not part of Campaign Master's API, need no token, and do not count against the limits.
Without ``account`` they use the first one.
"""

from flask import Blueprint, current_app, request

from . import api, checks, clock, simulation
from .errors import ApiError
from .store import COUNTERS, OUTCOMES
from .stories import STORIES

control = Blueprint("control", __name__, url_prefix="/_sandbox")

MAX_MINUTES = 60 * 24 * 400
WEEK = 7 * clock.DAY
TABLES = {"templates": "template", "lists": "list", "campaigns": "campaign"}


def _sandbox():
    return current_app.extensions["sandbox"]


# Templates, lists, campaigns


@control.post("/templates")
def create_template():
    """``{"name", "account"}``: create a template."""
    data = _body("name", "account")
    with _sandbox().store.transaction() as store:
        return {"id": store.add_template(_account(store, data), _name(data))}, 201


@control.post("/lists")
def create_list():
    """``{"name", "account", "emails"}``: create a list, with members if ``emails`` are given."""
    data = _body("name", "account", "emails")
    with _sandbox().store.transaction() as store:
        list_id = store.add_list(_account(store, data), _name(data))
        store.add_members(list_id, _emails(data) if "emails" in data else [])
    return {"id": list_id}, 201


@control.post("/<any(templates, lists):kind>/<id:record_id>")
def rename(kind, record_id):
    """``{"name"}``: rename a template or list."""
    name = _name(_body("name"))
    with _sandbox().store.transaction() as store:
        if not store.rename(TABLES[kind], record_id, name):
            raise ApiError(404, f"The {TABLES[kind]} does not exist.")
    return {}


@control.delete("/<any(templates, lists, campaigns):kind>/<id:record_id>")
def delete(kind, record_id):
    with _sandbox().store.transaction() as store:
        if not store.delete(TABLES[kind], record_id):
            raise ApiError(404, f"The {TABLES[kind]} does not exist.")
    return {}


@control.post("/campaigns/<id:campaign_id>/status")
def set_status(campaign_id):
    """``{"status"}``: set any status, such as ``scheduled`` or an unknown one."""
    data = _body("status")
    with _sandbox().store.transaction() as store:
        store.set_status(_campaign(store, campaign_id)["id"], _name(data, "status"))
    return {}


# List members


@control.get("/lists/<id:list_id>/members")
def show_members(list_id):
    with _sandbox().store.transaction() as store:
        return {"emails": store.members(_list(store, list_id)["id"])}


@control.post("/lists/<id:list_id>/members")
def add_members(list_id):
    """``{"emails"}``: add addresses to the list."""
    emails = _emails(_body("emails"))
    with _sandbox().store.transaction() as store:
        store.add_members(_list(store, list_id)["id"], emails)
    return {}


@control.delete("/lists/<id:list_id>/members")
def remove_members(list_id):
    """``{"emails"}``: remove addresses from the list."""
    emails = _emails(_body("emails"))
    with _sandbox().store.transaction() as store:
        store.remove_members(_list(store, list_id)["id"], emails)
    return {}


@control.post("/suppress")
def suppress():
    """``{"email", "reason", "account"}``: suppress an address for the account."""
    data = _body("email", "reason", "account")
    reason = _name(data, "reason") if "reason" in data else "Suppressed in Campaign Master."
    with _sandbox().store.transaction() as store:
        store.suppress(_account(store, data), _email(data), reason)
    return {}


@control.post("/opt-in")
def opt_in():
    """``{"email", "account"}``: opt an address in again, for all campaigns."""
    data = _body("email", "account")
    with _sandbox().store.transaction() as store:
        store.opt_in(_account(store, data), _email(data))
    return {}


# Sending and activity


@control.post("/campaigns/<id:campaign_id>/send")
def send(campaign_id):
    """``{"listId", "minutes", "minutesAgo", "story", "seed", "quiet"}``: send to a list's members.

    Activity is simulated over ``minutes`` (0: immediately). With ``minutesAgo``, the campaign was
    sent that long ago, and people react over the week after it, unless ``minutes`` says otherwise;
    what is later than now arrives in time. ``story`` says how people react, see ``stories.py``;
    ``quiet`` is short for the story of that name. The same list and ``seed`` (by default the
    campaign's id) give the same activity. A campaign that is sent again goes to new members only.
    """
    data = _body("listId", "minutes", "minutesAgo", "story", "seed", "quiet")
    minutes, ago = _minutes(data, "minutes"), _minutes(data, "minutesAgo")
    story = "quiet" if data.get("quiet") is True else data.get("story", "usual")
    seed = data.get("seed")
    if type(seed) not in (int, str, type(None)):
        raise ApiError(400, "seed must be a number or a string.")
    with _sandbox().store.transaction() as store:
        emails = send_campaign(store, campaign_id, data.get("listId"), minutes, ago, story, seed)
    return {"recipients": emails}


def send_campaign(
    store, campaign_id, list_id, minutes, minutes_ago=0, story="usual", seed=None
) -> int:
    """Send a campaign; return the number of emails."""
    campaign = _campaign(store, campaign_id)
    if not checks.is_id(list_id) or not store.get_list(list_id, campaign["account"]):
        raise ApiError(400, "The list does not exist in the campaign's account.")
    if story not in [*STORIES]:
        raise ApiError(400, f"story must be one of: {', '.join(STORIES)}.")
    start = clock.now() - int(minutes_ago * clock.MINUTE)
    duration = int(minutes * clock.MINUTE) or (WEEK if minutes_ago else 0)
    emails = store.unsent_emails(campaign_id, list_id)
    seed = campaign_id if seed is None else seed
    plan = simulation.plan(emails, start, start + duration, seed, story)
    store.start_sending(campaign_id, list_id, start, plan)
    return len(emails)


@control.post("/campaigns/<id:campaign_id>/activity")
def record_activity(campaign_id):
    """``{"email", "kind", "times", "at"}``, or a list of them: record activity of a recipient.

    ``kind`` is open, click, forward, unsubscribe, complaint, bounce, soft-bounce or reject; ``at``
    is a past time in UTC, by default now. A click does not imply an open.
    """
    data = checks.json_body()
    with _sandbox().store.transaction() as store:
        campaign = _campaign(store, campaign_id)
        for one in data if isinstance(data, list) else [_body("email", "kind", "times", "at")]:
            _record(store, campaign, one)
    return {}


@control.post("/campaigns/<id:campaign_id>/correct")
def correct(campaign_id):
    """``{"opens": -3, …}``: add to the totals of the statistics."""
    data = _body()
    with _sandbox().store.transaction() as store:
        known = store.statistics(_campaign(store, campaign_id)["id"])
        for name, difference in data.items():
            if name not in known or type(difference) is not int:
                raise ApiError(400, f"The values of {', '.join(known)} must be whole numbers.")
        store.correct(campaign_id, data)
        return store.statistics(campaign_id)


# Users, limits and faults


@control.post("/users")
def set_user():
    """``{"username", "password"}``: create a user or change the password."""
    data = _body("username", "password")
    with _sandbox().store.transaction() as store:
        store.set_account(_name(data, "username"), _name(data, "password"))
    return {}


@control.post("/usage")
def set_usage():
    """``{"hour", "month", "account"}``: set the number of calls made."""
    data = _body("hour", "month", "account")
    for name in ("hour", "month"):
        if name in data and (type(data[name]) is not int or data[name] < 0):
            raise ApiError(400, f"{name} must be a number of calls.")
    with _sandbox().store.transaction() as store:
        account = _account(store, data)
        _sandbox().limits.set_usage(account, data.get("hour"), data.get("month"))
        return _sandbox().limits.as_dict(account)


@control.post("/end-tokens")
def end_tokens():
    """``{"account"}``: revoke the account's tokens; by default those of all accounts."""
    data = _body("account")
    with _sandbox().store.transaction() as store:
        store.delete_tokens(data.get("account"))
    return {}


@control.get("/settings")
def show_settings():
    return _sandbox().settings.as_dict()


@control.post("/settings")
def change_settings():
    """Change settings; see ``settings.py``."""
    try:
        _sandbox().settings.change(_body())
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return _sandbox().settings.as_dict()


@control.get("/dialect")
def show_dialect():
    return _sandbox().dialect.as_dict()


@control.post("/dialect")
def change_dialect():
    """Change some forms of the dialect; see ``dialect.py``."""
    try:
        _sandbox().dialect.change(_body())
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return _sandbox().dialect.as_dict()


@control.get("/faults")
def show_faults():
    return _sandbox().faults.as_dicts()


@control.post("/faults")
def set_faults():
    """Replace the list of faults; see ``faults.py``."""
    try:
        _sandbox().faults.set(checks.json_body())
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return _sandbox().faults.as_dicts()


@control.post("/release")
def release():
    """``{"drop"}``: resume held calls, or reset their connections."""
    data = _body("drop") if request.data else {}
    return {"released": _sandbox().faults.release(data.get("drop") is True)}


# State


@control.post("/reset")
def reset():
    """Delete everything, and restore the initial users and settings."""
    _sandbox().reset()
    return {}


@control.get("/calls")
def show_calls():
    """The latest API calls, oldest first."""
    return [
        {
            "at": clock.to_text(call.at),
            "call": call.path,
            "account": call.account,
            "status": call.status,
        }
        for call in list(_sandbox().gate.log)
    ]


@control.get("/state")
def show_state():
    """Everything; with ``?brief=1`` without list members and activity."""
    sandbox, brief = _sandbox(), request.args.get("brief") == "1"
    with sandbox.store.transaction() as store:
        accounts = store.accounts()
        return {
            "now": clock.to_text(clock.now()),
            "accounts": [
                {
                    "username": account,
                    "usage": sandbox.limits.as_dict(account),
                    "suppressed": {
                        row["email"]: row["reason"] for row in store.suppressions(account)
                    },
                }
                for account in accounts
            ],
            "templates": [
                {"account": account, **api.template_json(row)}
                for account in accounts
                for row in store.templates(account)
            ],
            "lists": [
                {
                    "account": account,
                    **api.list_json(row),
                    **({} if brief else {"members": store.members(row["id"])}),
                }
                for account in accounts
                for row in store.lists(account)
            ],
            "campaigns": [
                _campaign_state(store, account, row, brief)
                for account in accounts
                for row in store.campaigns(account)
            ],
            "calls": dict(sandbox.gate.calls),
            "faults": sandbox.faults.as_dicts(),
            "held": sandbox.faults.held(),
            "settings": sandbox.settings.as_dict(),
            "dialect": sandbox.dialect.as_dict(),
        }


def _campaign_state(store, account, row, brief):
    state = {
        "account": account,
        **api.campaign_json(row),
        "fromName": row["from_name"],
        "fromEmail": row["from_email"],
        "replyToEmail": row["reply_to"],
        "listId": row["list_id"],
        "statistics": store.statistics(row["id"]),
    }
    if not brief:
        emails, _total = store.activity(row["id"])
        state["activity"] = [
            {**api.activity_json(email), "outcome": email["outcome"]} for email in emails
        ]
    return state


def _record(store, campaign, one):
    if not isinstance(one, dict) or not set(one) <= {"email", "kind", "times", "at"}:
        raise ApiError(400, "The members of an activity are email, kind, times and at.")
    email, kind, times = _email(one), one.get("kind"), one.get("times", 1)
    if kind not in (*COUNTERS, *OUTCOMES):
        raise ApiError(400, f"kind must be one of: {', '.join((*COUNTERS, *OUTCOMES))}.")
    if type(times) is not int or times < 1:
        raise ApiError(400, "times must be a whole number of at least 1.")
    row = store.get_email(campaign["id"], email)
    if not row:
        raise ApiError(400, f"The campaign was not sent to {email}.")
    try:
        at = clock.from_text(one["at"]) if "at" in one else clock.now()
    except ValueError as error:
        raise ApiError(400, f"at {error}.") from None
    if not row["sent_at"] <= at <= clock.now():
        raise ApiError(400, "at must be between the sending and now.")
    store.record(row["id"], kind, at, times)


def _body(*known):
    data = checks.body()
    if known and not set(data) <= set(known):
        raise ApiError(400, f"The members of this call are {', '.join(known)}.")
    return data


def _name(data, member="name"):
    problems = checks.Problems()
    if not checks.text(data.get(member), member, problems):
        raise ApiError(400, problems[member])
    return data[member].strip()


def _email(data):
    return checks.normalize(_name(data, "email"))


def _emails(data):
    emails = data.get("emails")
    if not isinstance(emails, list):
        raise ApiError(400, "emails must be a list of addresses.")
    return [_email({"email": email}) for email in emails]


def _minutes(data, member):
    value = data.get(member, 0)
    if type(value) not in (int, float) or not 0 <= value <= MAX_MINUTES:
        raise ApiError(400, f"{member} must be a number from 0 to {MAX_MINUTES}.")
    return value


def _account(store, data):
    accounts = store.accounts()
    account = data.get("account", accounts[0])
    if account not in accounts:
        raise ApiError(400, f"The user {account} does not exist.")
    return account


def _list(store, list_id):
    found = store.get_list(list_id)
    if not found:
        raise ApiError(404, "The list does not exist.")
    return found


def _campaign(store, campaign_id):
    campaign = store.get_campaign(campaign_id)
    if not campaign:
        raise ApiError(404, "The campaign does not exist.")
    return campaign
