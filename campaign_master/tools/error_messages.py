"""What to tell people about an error of the client: the cause, and what to do."""

from odoo.tools import LazyTranslate

from .dates import to_odoo
from .format import format_moment

_lt = LazyTranslate(__name__)

_CONTACT_ADMINISTRATOR = _lt(
    "An administrator can correct this in Settings › Email Marketing › External Campaign Manager."
)
_CORRECT_HERE = _lt("Correct it here, save and test again.")
_NEXT_MONTH = _lt("Calls are available again on the first day of next month.")
_RETRY_LATER = _lt("Try again in a few minutes.")
_CREATE_AGAIN = _lt("Click Create Again or Unlink on the campaign.")
_REPORT = _lt(
    "Try again. If the problem persists, contact your administrator; details are in the server log."
)

# By the error's key: cause, advice. Placeholders: %(reasons)s what Campaign Master said, %(call)s
# the failed call.
MESSAGES = {
    "configuration": (_lt("The Campaign Master account is not set up."), _CONTACT_ADMINISTRATOR),
    "wrong_address": (
        _lt("The API address in the settings is not an address of Campaign Master."),
        _CONTACT_ADMINISTRATOR,
    ),
    "login_refused": (
        _lt(
            "Campaign Master refused the username or password: they must be those of an API user, "
            "with the API module switched on."
        ),
        _CONTACT_ADMINISTRATOR,
    ),
    "login_doubt": (
        _lt(
            "The login was refused, perhaps by a proxy on the way to Campaign Master: it must be "
            "that of an API user, with the API module switched on."
        ),
        _lt("Odoo tries again three times, once an hour."),
    ),
    "not_allowed": (
        _lt("Campaign Master does not allow this call (%(call)s)."),
        _lt(
            "An administrator can check in Campaign Master whether the API module is switched on, "
            "and the rights of the API user."
        ),
    ),
    "login_request_refused": (
        _lt("Campaign Master refused the login: %(reasons)s."),
        _CONTACT_ADMINISTRATOR,
    ),
    "token_refused": (_lt("Campaign Master refused a new session."), _RETRY_LATER),
    "hour_limit": (
        _lt("The hourly limit of API calls is reached."),
        _lt("Try again in an hour."),
    ),
    "day_limit": (
        _lt(
            "Today's share of the API calls for adding recipients is used up; the rest of the "
            "month's calls is for statistics."
        ),
        _lt("The next share is available tomorrow."),
    ),
    "month_limit": (_lt("The monthly limit of API calls is reached."), _NEXT_MONTH),
    "connection": (_lt("Campaign Master could not be reached or did not respond."), _RETRY_LATER),
    "server_error": (_lt("Campaign Master reports a technical problem."), _RETRY_LATER),
    "refused": (
        _lt("Campaign Master rejected the request: %(reasons)s."),
        _lt("Correct this, then try again."),
    ),
    "campaign_not_found": (_lt("The campaign was deleted in Campaign Master."), _CREATE_AGAIN),
    "list_not_found": (
        _lt("The list was deleted in Campaign Master."),
        _lt("Select another list."),
    ),
    "bad_response": (
        _lt("Odoo does not understand Campaign Master's response (%(call)s)."),
        _REPORT,
    ),
}


def explain_cause(env, error):
    """:return: what went wrong, in the language of the environment
    :rtype: str

    :param CampaignMasterError error: what the client raised
    """
    cause, _advice = MESSAGES[error.key]
    reasons = [f"{entry.field}: {entry.message}" for entry in getattr(error, "errors", ())]
    values = {
        "reasons": ("; ".join(reasons) or error.message).rstrip(". "),
        "call": error.call or error.code,
    }
    text = env._(cause)
    text %= values
    if reason := getattr(error, "reason", ""):
        text += " " + env._("The response says: “%(reason)s”.", reason=reason.rstrip(". "))
    return text


def explain(env, error, in_settings=False):
    """:return: what went wrong and what to do now, in the language of the environment
    :rtype: str

    :param CampaignMasterError error: what the client raised
    :param bool in_settings: whether an administrator reads it in the settings
    """
    _cause, advice = MESSAGES[error.key]
    if error.key == "hour_limit" and error.retry_at:
        advice = env._(
            "Try again after %(time)s.", time=format_moment(env, to_odoo(error.retry_at))
        )
    elif in_settings and advice is _CONTACT_ADMINISTRATOR:
        advice = env._(_CORRECT_HERE)
    else:
        advice = env._(advice)
    return f"{explain_cause(env, error)} {advice}"
