"""The sandbox's own calls, below ``/_sandbox``: what people do in Campaign Master's interface,
what their readers do with the mails, and what goes wrong.

None of this is Campaign Master's. No token is needed, and nothing here is counted.
"""

from flask import Blueprint, current_app, request

from . import api, checks, clock, simulation
from .errors import Refused
from .store import COUNTERS, OUTCOMES

control = Blueprint("control", __name__, url_prefix="/_sandbox")

LONGEST = 60 * 24 * 400
"""The longest story told, in minutes: a little over a year."""
THINGS = {"templates": "template", "lists": "list", "campaigns": "campaign"}


def _sandbox():
    return current_app.extensions["sandbox"]


# Templates, lists, campaigns


@control.post("/templates")
def make_template():
    """``{"name", "account"}``: a new template; the account is the first one if left out."""
    data = _body("name", "account")
    with _sandbox().store.turn() as store:
        return {"id": store.add_template(_account(store, data), _name(data))}, 201


@control.post("/lists")
def make_list():
    """``{"name", "account", "emails"}``: a new list, with members if ``emails`` are given."""
    data = _body("name", "account", "emails")
    with _sandbox().store.turn() as store:
        list_id = store.add_list(_account(store, data), _name(data))
        store.add_members(list_id, _emails(data) if "emails" in data else [])
    return {"id": list_id}, 201


@control.post("/<any(templates, lists):things>/<id:thing_id>")
def rename(things, thing_id):
    """``{"name"}``: another name for a template or list."""
    name = _name(_body("name"))
    with _sandbox().store.turn() as store:
        if not store.rename(THINGS[things], thing_id, name):
            raise Refused(404, f"There is no such {THINGS[things]}.")
    return {}


@control.delete("/<any(templates, lists, campaigns):things>/<id:thing_id>")
def delete(things, thing_id):
    """As if somebody deleted it in Campaign Master."""
    with _sandbox().store.turn() as store:
        if not store.delete(THINGS[things], thing_id):
            raise Refused(404, f"There is no such {THINGS[things]}.")
    return {}


@control.post("/campaigns/<id:campaign_id>/status")
def set_status(campaign_id):
    """``{"status"}``: any word, for instance ``scheduled`` or one that nobody knows."""
    data = _body("status")
    with _sandbox().store.turn() as store:
        store.set_status(_campaign(store, campaign_id)["id"], _name(data, "status"))
    return {}


# Who is on a list


@control.get("/lists/<id:list_id>/members")
def show_members(list_id):
    """All addresses on the list."""
    with _sandbox().store.turn() as store:
        return {"emails": store.members(_list(store, list_id)["id"])}


@control.post("/lists/<id:list_id>/members")
def add_members(list_id):
    """``{"emails"}``: somebody else puts addresses on the list."""
    emails = _emails(_body("emails"))
    with _sandbox().store.turn() as store:
        store.add_members(_list(store, list_id)["id"], emails)
    return {}


@control.delete("/lists/<id:list_id>/members")
def remove_members(list_id):
    """``{"emails"}``: somebody takes addresses off the list."""
    emails = _emails(_body("emails"))
    with _sandbox().store.turn() as store:
        store.remove_members(_list(store, list_id)["id"], emails)
    return {}


@control.post("/suppress")
def suppress():
    """``{"email", "reason", "account"}``: this address gets no mail of the account any more."""
    data = _body("email", "reason", "account")
    reason = _name(data, "reason") if "reason" in data else "Suppressed in Campaign Master."
    with _sandbox().store.turn() as store:
        store.suppress(_account(store, data), _email(data), reason)
    return {}


@control.post("/opt-in")
def opt_in():
    """``{"email", "account"}``: wants mail again; ``optedOut`` becomes false everywhere."""
    data = _body("email", "account")
    with _sandbox().store.turn() as store:
        store.opt_in(_account(store, data), _email(data))
    return {}


# Sending, and what follows


@control.post("/campaigns/<id:campaign_id>/send")
def send(campaign_id):
    """``{"listId", "minutes", "seed", "minutesAgo", "quiet"}``: send to the list's members.

    What follows arrives within ``minutes`` (0: all of it at once). The same ``seed`` tells the same
    story to the same list. With ``minutesAgo`` the sending lies that far back, and what would have
    happened since is there at once. Sent again, a campaign goes to those who did not get it yet.
    With ``quiet`` all mails arrive, and what follows is only what ``activity`` below says.
    """
    data = _body("listId", "minutes", "seed", "minutesAgo", "quiet")
    minutes, ago = _minutes(data, "minutes"), _minutes(data, "minutesAgo")
    seed = data.get("seed")
    if type(seed) not in (int, str, type(None)):
        raise Refused(400, "seed must be a number or a text.")
    with _sandbox().store.turn() as store:
        quiet = data.get("quiet") is True
        return {
            "recipients": launch(store, campaign_id, data.get("listId"), minutes, ago, seed, quiet)
        }


def launch(store, campaign_id, list_id, minutes, minutes_ago=0, seed=None, quiet=False) -> int:
    """Send; the number of mails. Used by the web page too."""
    campaign = _campaign(store, campaign_id)
    if not checks.is_id(list_id) or not store.get_list(list_id, campaign["account"]):
        raise Refused(400, "There is no such list in the campaign's account.")
    start = clock.now() - int(minutes_ago * clock.MINUTE)
    # Sent long ago and "at once" means: spread over the time since.
    end = start + int((minutes or minutes_ago) * clock.MINUTE)
    emails = store.who_would_get(campaign_id, list_id)
    story = simulation.plan(emails, start, end, seed, quiet)
    store.start_sending(campaign_id, list_id, start, story)
    return len(emails)


@control.post("/campaigns/<id:campaign_id>/activity")
def do_something(campaign_id):
    """``{"email", "kind", "times", "at"}``, or a list of them: one reader does one thing.

    ``kind`` is open, click, forward, unsubscribe, complaint, bounce, soft-bounce or reject; ``at``
    is a past time in UTC, now if left out. Nothing else is implied: a click is no open.
    """
    data = checks.any_body()
    with _sandbox().store.turn() as store:
        campaign = _campaign(store, campaign_id)
        for one in data if isinstance(data, list) else [_body("email", "kind", "times", "at")]:
            _record(store, campaign, one)
    return {}


@control.post("/campaigns/<id:campaign_id>/correct")
def correct(campaign_id):
    """``{"opens": -3, …}``: let figures of the statistics differ by so much from the sums."""
    data = _body()
    with _sandbox().store.turn() as store:
        known = store.statistics(_campaign(store, campaign_id)["id"])
        for name, difference in data.items():
            if name not in known or type(difference) is not int:
                raise Refused(400, f"Give whole numbers for some of: {', '.join(known)}.")
        store.correct(campaign_id, data)
        return store.statistics(campaign_id)


# Users, limits, faults


@control.post("/users")
def set_user():
    """``{"username", "password"}``: a new user, or another password for one there is."""
    data = _body("username", "password")
    with _sandbox().store.turn() as store:
        store.set_account(_name(data, "username"), _name(data, "password"))
    return {}


@control.post("/usage")
def set_usage():
    """``{"hour", "month", "account"}``: pretend that so many calls were made already."""
    data = _body("hour", "month", "account")
    for name in ("hour", "month"):
        if name in data and (type(data[name]) is not int or data[name] < 0):
            raise Refused(400, f"{name} must be a number of calls.")
    with _sandbox().store.turn() as store:
        account = _account(store, data)
        _sandbox().limits.set(account, data.get("hour"), data.get("month"))
        return _sandbox().limits.as_dict(account)


@control.post("/end-tokens")
def end_tokens():
    """``{"account"}``: tokens given so far are refused from now on; of all accounts if left out."""
    data = _body("account")
    with _sandbox().store.turn() as store:
        store.end_tokens(data.get("account"))
    return {}


@control.get("/settings")
def show_settings():
    return _sandbox().settings.as_dict()


@control.post("/settings")
def change_settings():
    """Any of the settings: see ``settings.py``."""
    try:
        _sandbox().settings.change(_body())
    except ValueError as error:
        raise Refused(400, str(error)) from None
    return _sandbox().settings.as_dict()


@control.get("/faults")
def show_faults():
    return _sandbox().faults.as_dicts()


@control.post("/faults")
def set_faults():
    """The list of faults from now on, replacing the earlier one: see ``faults.py``."""
    try:
        _sandbox().faults.set(checks.any_body())
    except ValueError as error:
        raise Refused(400, str(error)) from None
    return _sandbox().faults.as_dicts()


@control.post("/release")
def release():
    """``{"drop"}``: held calls go on; with ``drop`` true their connections are reset instead."""
    data = _body("drop") if request.data else {}
    return {"released": _sandbox().faults.release(data.get("drop") is True)}


# The whole


@control.post("/reset")
def reset():
    """Empty, with the users and settings of the start."""
    _sandbox().reset()
    return {}


@control.get("/calls")
def show_calls():
    """The latest calls of the contract, oldest first."""
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
    """Everything; with ``?brief=1`` without the lists' members and the campaigns' activity."""
    sandbox, brief = _sandbox(), request.args.get("brief") == "1"
    with sandbox.store.turn() as store:
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
        mails, _total = store.activity(row["id"])
        state["activity"] = [
            {**api.activity_json(mail), "outcome": mail["outcome"]} for mail in mails
        ]
    return state


def _record(store, campaign, one):
    if not isinstance(one, dict) or not set(one) <= {"email", "kind", "times", "at"}:
        raise Refused(400, "An activity has email, kind, times and at.")
    email, kind, times = _email(one), one.get("kind"), one.get("times", 1)
    if kind not in (*COUNTERS, *OUTCOMES):
        raise Refused(400, f"kind must be one of: {', '.join((*COUNTERS, *OUTCOMES))}.")
    if type(times) is not int or times < 1:
        raise Refused(400, "times must be a whole number from 1.")
    mail = store.mail_to(campaign["id"], email)
    if not mail:
        raise Refused(400, f"The campaign was not sent to {email}.")
    try:
        at = clock.from_text(one["at"]) if "at" in one else clock.now()
    except ValueError as error:
        raise Refused(400, f"at {error}.") from None
    if not mail["sent_at"] <= at <= clock.now():
        raise Refused(400, "at must lie between the sending and now.")
    store.record(mail["id"], kind, at, times)


def _body(*known):
    data = checks.body()
    if known and not set(data) <= set(known):
        raise Refused(400, f"This call takes {', '.join(known)}.")
    return data


def _name(data, member="name"):
    problems = checks.Problems()
    if not checks.text(data.get(member), member, problems):
        raise Refused(400, problems[member])
    return data[member].strip()


def _email(data):
    return checks.normal(_name(data, "email"))


def _emails(data):
    emails = data.get("emails")
    if not isinstance(emails, list):
        raise Refused(400, "emails must be a list of addresses.")
    return [_email({"email": email}) for email in emails]


def _minutes(data, member):
    value = data.get(member, 0)
    if type(value) not in (int, float) or not 0 <= value <= LONGEST:
        raise Refused(400, f"{member} must be a number from 0 to {LONGEST}.")
    return value


def _account(store, data):
    accounts = store.accounts()
    account = data.get("account", accounts[0])
    if account not in accounts:
        raise Refused(400, f"There is no user {account}.")
    return account


def _list(store, list_id):
    found = store.get_list(list_id)
    if not found:
        raise Refused(404, "There is no such list.")
    return found


def _campaign(store, campaign_id):
    campaign = store.get_campaign(campaign_id)
    if not campaign:
        raise Refused(404, "There is no such campaign.")
    return campaign
