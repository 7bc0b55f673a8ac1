"""What of the add-on's insides the measurements touch: nothing else of it is named elsewhere."""

from contextlib import contextmanager
from datetime import datetime, timezone

from odoo.addons.campaign_master.client import Activity, CampaignMasterClient
from odoo.addons.campaign_master.models.campaign_master_recipient import FIGURES

ACCOUNT = "campaign.master.account"
LIST = "campaign.master.list"
TEMPLATE = "campaign.master.template"
RECIPIENT = "campaign.master.recipient"

LINES = "campaign_master_recipient"
TOTALS = "campaign_master_total"
OPTOUTS = "campaign_master_optout"
# What a run leaves behind; emptied to begin anew.
TABLES = (LINES, TOTALS, OPTOUTS)

LOGIN = {"username": "demo", "password": "demo"}  # the sandbox's
PAGE = 1_000  # addresses in a call, and rows in a page of activity

# The statement that the add-on would come down to if it did nothing but store the lines.
BARE_ADD = f"""
    INSERT INTO {LINES} (
        campaign_id, partner_id, kind, email, sync_state, opted_out,
        open_count, click_count, forward_count, unsubscribe_count, bounced, late
    )
    SELECT %(campaign)s, id,
           CASE WHEN is_company THEN 'company' ELSE 'contact' END,
           COALESCE(email_normalized, TRIM(email)),
           CASE WHEN email IS NULL THEN 'no_email'
                WHEN email_normalized IS NULL THEN 'invalid' ELSE 'pending' END,
           FALSE, 0, 0, 0, 0, FALSE, FALSE
      FROM res_partner
     WHERE active AND city = %(city)s
    ON CONFLICT DO NOTHING
"""
# All that says which line is which and what it holds.
LINE_COLUMNS = (
    "campaign_id, partner_id, lead_id, kind, email, sync_state, sync_message, late, opted_out,"
    " open_count, click_count, forward_count, unsubscribe_count, bounced, first_open, last_open,"
    " first_click, last_click"
)

_NAMES = ", ".join(FIGURES)
BARE_FIGURES_TABLE = f"""
    CREATE TEMPORARY TABLE figures (
        email text, {", ".join(f"{name} {kind}" for name, kind in FIGURES.items())}
    ) ON COMMIT DROP
"""
BARE_FIGURES = f"""
    UPDATE {LINES} AS line SET ({_NAMES}) = ({", ".join(f"figures.{name}" for name in FIGURES)})
      FROM figures
     WHERE line.campaign_id = %(campaign)s AND line.email = figures.email
       AND ({", ".join(f"line.{name}" for name in FIGURES)})
           IS DISTINCT FROM ({", ".join(f"figures.{name}" for name in FIGURES)})
"""
_TOTALS = {
    "open_count": "SUM(open_count)",
    "click_count": "SUM(click_count)",
    "forward_count": "SUM(forward_count)",
    "unsubscribe_count": "SUM(unsubscribe_count)",
    "first_open": "MIN(first_open)",
    "last_open": "MAX(last_open)",
    "first_click": "MIN(first_click)",
    "last_click": "MAX(last_click)",
    "bounced": "BOOL_OR(bounced)",
    "opted_out": "BOOL_OR(opted_out)",
}
# One for partners, one for leads: each has its unique index.
BARE_TOTALS = [
    f"""
    INSERT INTO {TOTALS} AS total ({person}, company_id, {", ".join(_TOTALS)})
    SELECT {person}, %(company)s, {", ".join(_TOTALS.values())}
      FROM {LINES}
     WHERE {person} IN (
         SELECT {person} FROM {LINES} JOIN figures USING (email) WHERE campaign_id = %(campaign)s
     )
     GROUP BY {person}
    ON CONFLICT ({person}, company_id) WHERE {person} IS NOT NULL DO UPDATE
       SET ({", ".join(_TOTALS)}) = ({", ".join(f"EXCLUDED.{name}" for name in _TOTALS)})
     WHERE ({", ".join(f"total.{name}" for name in _TOTALS)})
           IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _TOTALS)})
    """
    for person in ("partner_id", "lead_id")
]

# What the form asks for once a minute, whoever opens it.
SELDOM = "/request_catalogue"
# The tabs of the campaign's form, and the kind of recipients on each.
TAB = ".o_notebook_headers a[name=campaign_master_{}]"
ROWS_OF_TAB = 12
KIND_OF_TAB = {"leads": "lead", "contacts": "contact", "companies": "company"}

_OPENED = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)


def account_values(url):
    """What an account at the sandbox is made of."""
    return {"enabled": True, "api_url": url, **LOGIN}


def campaign_values(title, template, mailing_list):
    """What a campaign that can be synced is made of."""
    return {
        "title": title,
        "description": "What we have for spring",
        "campaign_master_subject": "Spring is here",
        "campaign_master_template_id": template.id,
        "campaign_master_list_id": mailing_list.id,
    }


def add(campaign, model, domain):
    """Add the people of a domain; return how many that were."""
    return campaign.campaign_master_add_recipients(model, domain)["added"]


def sync(campaign):
    """Press the button."""
    campaign.action_campaign_master_sync()


def push_action(env):
    """The scheduled action that pushes recipients."""
    return env.ref("campaign_master.ir_cron_push_recipients")


def run(action):
    """Run a scheduled action as the scheduler does. *Run Manually* would make campaigns due."""
    cr = action.env.cr
    job = action._acquire_one_job(cr, action.id, include_not_ready=True)
    action._process_job(cr, job)
    if action.failure_count:
        raise AssertionError(f"{action.name} has failed.")


def pull_action(env):
    """The scheduled action that reads statistics."""
    return env.ref("campaign_master.ir_cron_pull_statistics")


# The statements after which a campaign is read at the next turn, and never again.
DUE = """
    UPDATE utm_campaign
       SET campaign_master_next_poll_at = now() AT TIME ZONE 'UTC' - interval '1 min'
     WHERE id = %s
"""
NEVER_DUE = "UPDATE utm_campaign SET campaign_master_ref = NULL WHERE id = %s"


@contextmanager
def each_batch(function):
    """Call a function before each batch of recipients is pushed."""
    ordinary = CampaignMasterClient.add_recipients

    def watched(*args):
        function()
        return ordinary(*args)

    CampaignMasterClient.add_recipients = watched
    try:
        yield
    finally:
        CampaignMasterClient.add_recipients = ordinary


def is_running(campaign):
    """Whether recipients are still being pushed."""
    return campaign.campaign_master_sync_state == "running"


def message(campaign):
    """What the last sync says."""
    return campaign.campaign_master_sync_message


def ref(campaign):
    """The id that Campaign Master has for the campaign."""
    return campaign.campaign_master_ref


def list_ref(campaign):
    """The id that Campaign Master has for the campaign's list."""
    return campaign.campaign_master_list_id.ref


def ingest(campaign, page):
    """Store a page of activity as the pull does, but for the commit."""
    campaign.env[RECIPIENT]._ingest(campaign, page)


def pretend_pushed(campaign):
    """The statement after which a campaign is as if it had been pushed."""
    return f"""
        UPDATE {LINES} SET sync_state = 'added'
         WHERE sync_state = 'pending' AND campaign_id = {campaign}
    """


def activity(email, number, times):
    """What one recipient did.

    :param int number: the recipient's; it says who bounced, clicked, forwarded, unsubscribed
    :param int times: how often the mail was opened: another number is another figure
    """
    clicks = times if number % 5 == 0 else 0
    opened = _OPENED.replace(minute=number % 60)
    return Activity(
        email=email,
        opens=times,
        clicks=clicks,
        forwards=int(number % 100 == 1),
        unsubscribes=int(number % 200 == 3),
        first_open=opened,
        last_open=opened.replace(second=times % 60),
        first_click=opened if clicks else None,
        last_click=opened.replace(second=times % 60) if clicks else None,
        bounced=number % 50 == 2,
        opted_out=number % 200 == 3,
    )


def figures_of(one):
    """An activity's figures in the order of ``FIGURES``, its times as PostgreSQL reads them."""
    times = [one.first_open, one.last_open, one.first_click, one.last_click]
    return [
        one.opens,
        one.clicks,
        one.forwards,
        one.unsubscribes,
        *(time and time.strftime("%Y-%m-%d %H:%M:%S") for time in times),
        one.bounced,
        one.opted_out,
    ]


def tab_shown(name, rows):
    """The JavaScript condition that a tab is shown with so many rows."""
    lines = "document.querySelectorAll('.o_campaign_master_recipients .o_data_row')"
    return f"(document.querySelector('{TAB.format(name)}.active') && {lines}.length == {rows})"
