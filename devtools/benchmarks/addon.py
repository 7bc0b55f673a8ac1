"""All of the add-on's internals that the benchmarks use: besides `quota/`, no other module names
them."""

import contextlib
import dataclasses
import unittest.mock
from datetime import datetime, timedelta, timezone

from lxml import etree

from odoo.addons.campaign_master.client import Activity
from odoo.addons.campaign_master.models.campaign_master_engagement import TOTALS
from odoo.addons.campaign_master.models.campaign_master_recipient_activity import ACTIVITY_COLUMNS
from odoo.addons.campaign_master.models.campaign_master_recipient_machines import (
    CampaignMasterRecipient,
)
from odoo.addons.campaign_master.models.campaign_master_recipient_sums import PEOPLE
from odoo.addons.campaign_master.tools import CronRun

ACCOUNT = "campaign.master.account"
LIST = "campaign.master.list"
TEMPLATE = "campaign.master.template"
RECIPIENT = "campaign.master.recipient"

RECIPIENT_TABLE = "campaign_master_recipient"
ENGAGEMENT_TABLE = "campaign_master_engagement"
OPTOUT_TABLE = "campaign_master_optout"
SNAPSHOT_TABLE = "campaign_master_snapshot"
AGE_TABLE = "campaign_master_age"
# Tables that a benchmark fills; they are emptied before the next one.
TABLES = (RECIPIENT_TABLE, ENGAGEMENT_TABLE, OPTOUT_TABLE, SNAPSHOT_TABLE, AGE_TABLE)

LOGIN = {"username": "demo", "password": "demo"}  # the sandbox's
PAGE = 1_000  # addresses per call, and rows per page of activity

# The least that adding people can cost: one statement that creates the same recipients.
SQL_ADD = f"""
    INSERT INTO {RECIPIENT_TABLE} (
        campaign_id, partner_id, kind, email, sync_state, opted_out_before,
        open_count, click_count, forward_count, unsubscribe_count, bounced, late
    )
    SELECT %(campaign)s, id,
           CASE WHEN is_company THEN 'company' ELSE 'contact' END,
           COALESCE(email_normalized, TRIM(email)),
           CASE WHEN email IS NULL THEN 'no_email'
                WHEN email_normalized IS NULL THEN 'invalid'
                ELSE 'pending' END,
           FALSE, 0, 0, 0, 0, FALSE, FALSE
      FROM res_partner
     WHERE active AND city = %(city)s
    ON CONFLICT DO NOTHING
"""
# The columns of a recipient that must be the same.
RECIPIENT_COLUMNS = (
    "campaign_id, partner_id, lead_id, kind, email, sync_state, sync_message, late, opted_out,"
    " open_count, click_count, forward_count, unsubscribe_count, bounced, first_open, last_open,"
    " first_click, last_click"
)


def _prefixed(alias, names):
    return ", ".join(f"{alias}.{name}" for name in names)


SQL_ACTIVITY_TABLE = f"""
    CREATE TEMPORARY TABLE activity (
        email text, {", ".join(f"{name} {kind}" for name, kind in ACTIVITY_COLUMNS.items())}
    ) ON COMMIT DROP
"""
SQL_ACTIVITY = f"""
    UPDATE {RECIPIENT_TABLE} AS recipient
       SET ({", ".join(ACTIVITY_COLUMNS)}) = ({_prefixed("activity", ACTIVITY_COLUMNS)})
      FROM activity
     WHERE recipient.campaign_id = %(campaign)s AND recipient.email = activity.email
       AND ({_prefixed("recipient", ACTIVITY_COLUMNS)})
           IS DISTINCT FROM ({_prefixed("activity", ACTIVITY_COLUMNS)})
"""
_TOTALS = ", ".join(f"{function}({name})" for name, function in TOTALS.items())
# Once per campaign and address.
_ONCE = ", ".join(
    f"{'MAX' if function == 'SUM' else function}({name}) AS {name}"
    for name, function in TOTALS.items()
    if name != "bounced"
)
_LINES = f"""
    SELECT person.id AS person_id, LOWER(person.email_normalized) AS address, recipient.*
      FROM {{table}} AS person
      JOIN {RECIPIENT_TABLE} AS recipient ON recipient.{{person}} = person.id
"""
_LINES_OF_LEADS = f"""
     UNION ALL
    SELECT person.id, LOWER(person.email_normalized), recipient.*
      FROM res_partner AS person
      JOIN crm_lead AS lead ON lead.partner_id = person.id
      JOIN {RECIPIENT_TABLE} AS recipient ON recipient.lead_id = lead.id
     WHERE recipient.email = LOWER(person.email_normalized)
"""
# One statement for partners and one for leads: each has its own unique index. A person is bounced
# if the latest campaign to the present address bounced.
SQL_ENGAGEMENT = [
    f"""
    WITH latest AS (
        SELECT DISTINCT ON (email) email,
               bounced AND open_count = 0 AND click_count = 0 AS is_bounced
          FROM {RECIPIENT_TABLE} AS recipient
          JOIN utm_campaign AS campaign ON campaign.id = recipient.campaign_id
         WHERE sent_to AND email IN (SELECT email FROM {RECIPIENT_TABLE} WHERE bounced)
         ORDER BY email, campaign_master_sent_at DESC, campaign.id DESC
    ), counted AS (
        SELECT person_id, {_ONCE},
               BOOL_OR(sent_to AND line.email = address AND COALESCE(is_bounced, FALSE)) AS bounced
          FROM ({lines.format(person=person, table=table)}) AS line
               LEFT JOIN latest ON latest.email = line.email
         WHERE person_id IN (
             SELECT {person}
               FROM {RECIPIENT_TABLE} JOIN activity USING (email)
              WHERE campaign_id = %(campaign)s
         )
         GROUP BY person_id, campaign_id, line.email
    )
    INSERT INTO {ENGAGEMENT_TABLE} AS engagement ({person}, company_id, {", ".join(TOTALS)})
    SELECT person_id, %(company)s, {_TOTALS}
      FROM counted
     GROUP BY person_id
    ON CONFLICT ({person}, company_id) WHERE {person} IS NOT NULL DO UPDATE
       SET ({", ".join(TOTALS)}) = ({_prefixed("EXCLUDED", TOTALS)})
     WHERE ({_prefixed("engagement", TOTALS)})
           IS DISTINCT FROM ({_prefixed("EXCLUDED", TOTALS)})
    """
    for person, table, lines in (
        ("partner_id", "res_partner", _LINES + _LINES_OF_LEADS),
        ("lead_id", "crm_lead", _LINES),
    )
]

# A call that the form makes once a minute at most.
CATALOG_CALL = "/request_catalog"
# The tabs of the campaign's form, and the kind of recipient on each.
TAB = ".o_notebook_headers a[name=campaign_master_{}]"
ROWS_OF_TAB = 12
KIND_OF_TAB = {"leads": "lead", "contacts": "contact", "companies": "company"}

_OPENED = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
SENT_AT = datetime(2026, 3, 2, 7, 30)


def account_values(url):
    """Return the values of an account at the sandbox."""
    return {"enabled": True, "api_url": url, **LOGIN}


def campaign_values(title, template, mailing_list):
    """Return the values of a campaign that can be synced."""
    return {
        "title": title,
        "description": "What we have for spring",
        "campaign_master_subject": "Spring is here",
        "campaign_master_template_id": template.id,
        "campaign_master_list_id": mailing_list.id,
    }


def add(campaign, model, domain):
    """Add the people that match a domain; return their number."""
    return campaign.campaign_master_add_recipients(model, domain)["added"]


def sync(campaign):
    """Click *Sync*."""
    campaign.action_campaign_master_sync()


def export(env):
    """Run the first step of a sync: create the campaign and classify its recipients."""
    with CronRun(push_action(env), "recipients") as run:
        sync, _waiting = env["campaign.master.sync"]._next_due()
        sync._turn(run)


def push_action(env):
    """Return the scheduled action that adds recipients to the lists."""
    return env.ref("campaign_master.ir_cron_push_recipients")


def is_running(campaign):
    """Return whether the campaign is being synced."""
    return campaign.campaign_master_sync_state == "running"


def message(campaign):
    """Return the message of the last sync."""
    return campaign.campaign_master_sync_message


def list_ref(campaign):
    """Return Campaign Master's id of the campaign's list."""
    return campaign.campaign_master_list_id.ref


def ingest(campaign, page):
    """Store a page of activity as the scheduled action does, without the commit."""
    campaign.env[RECIPIENT]._ingest(campaign, page)


def mark_sent(campaign):
    """Store that the campaign was sent, and read 30 days later: it has reached all ages."""
    campaign.env["campaign.master.campaign"]._get_or_create(campaign)
    campaign.write(
        {
            "campaign_master_remote_status": "sent",
            "campaign_master_sent_at": SENT_AT,
            "campaign_master_statistics_at": SENT_AT + timedelta(days=30),
        }
    )
    campaign._campaign_master_keep_sums()


def store_figure(campaign, opens):
    """Store a figure, as the first step of a reading does."""
    campaign.campaign_master_opens = opens


def is_read(campaign):
    """Check that the campaign is still read, as each step of a reading does."""
    return campaign.campaign_master_campaign_ids._is_read(campaign.campaign_master_ref)


@contextlib.contextmanager
def without_judging():
    """Do not look for likely machines in this block."""
    with unittest.mock.patch.object(CampaignMasterRecipient, "_judge_activity"):
        yield


# Of those who clicked, one in ten did so four times within 10 seconds.
SQL_MAKE_MACHINES = f"""
    UPDATE {RECIPIENT_TABLE}
       SET click_count = 4, last_open = first_open, last_click = first_click + interval '5 seconds'
     WHERE click_count > 0 AND id % 50 = 0
"""


def judge(campaign):
    """Judge all recipients of a campaign, as the scheduled action does."""
    campaign.campaign_master_campaign_ids._judge()


def machine_count(database):
    """Return the number of likely machines on all campaigns."""
    [[count]] = database.sql(
        f"SELECT COUNT(*) FROM {RECIPIENT_TABLE} WHERE machine_rule IS NOT NULL"
    )
    return count


def keep_history(campaign):
    """Keep a snapshot and what people had done at each age, as the last step of a reading does."""
    campaign._campaign_master_keep_history()


def history(campaign):
    """Return the numbers of people who opened, and of those who clicked, at the last reading."""
    curve = campaign.campaign_master_history()["curve"]
    return curve["opened"][-1], curve["clicked"][-1]


def sql_mark_added(campaign_id):
    """Return a statement that marks a campaign's recipients as added to the list and sent to."""
    return f"""
        UPDATE {RECIPIENT_TABLE} SET sync_state = 'added', sent_to = TRUE
         WHERE sync_state = 'pending' AND campaign_id = {campaign_id}
    """


SQL_MARK_SENT = f"UPDATE {RECIPIENT_TABLE} SET sent_to = TRUE WHERE sync_state = 'added'"


def update_words(env):
    """Find the word for everybody's engagement, as the scheduled action does."""
    env["campaign.master.engagement"]._cron_update_words()


def filter_by_word(env):
    """Read the first page of contacts with a word, and their number, as a list does."""
    domain = [("campaign_master_engagement", "=", "active")]
    env["res.partner"].web_search_read(domain, {"name": {}}, limit=80, count_limit=10_001)


def group_by_word(env):
    """Group all contacts by the word, as a list does."""
    env["res.partner"].formatted_read_group([], ["campaign_master_engagement"], ["__count"])


def activity(email, number, times):
    """Return a recipient's activity.

    :param str email: address of the recipient
    :param int number: number of the recipient; it determines who bounced, clicked, forwarded and
        unsubscribed
    :param int times: number of opens; another number changes every row
    """
    clicks = times if number % 5 == 0 else 0
    # Nobody is a likely machine: people of a domain, which are 4,000 numbers apart, click in
    # different minutes.
    opened = _OPENED + timedelta(seconds=number // 4000 * 121 + number % 60)
    again = opened + timedelta(seconds=60 + times % 60)
    return Activity(
        email=email,
        opens=times,
        clicks=clicks,
        forwards=int(number % 100 == 1),
        unsubscribes=int(number % 200 == 3),
        first_open=opened,
        last_open=again,
        first_click=opened if clicks else None,
        last_click=again if clicks else None,
        bounced=number % 50 == 2,
        opted_out=number % 200 == 3,
    )


def activity_values(activity):
    """Return the values of ``ACTIVITY_COLUMNS``, with times as PostgreSQL reads them."""
    times = [activity.first_open, activity.last_open, activity.first_click, activity.last_click]
    return [
        activity.opens,
        activity.clicks,
        activity.forwards,
        activity.unsubscribes,
        *(time and time.strftime("%Y-%m-%d %H:%M:%S") for time in times),
        activity.bounced,
        activity.bounce_reason,
        activity.opted_out,
    ]


def tab_shown(name, count):
    """Return the JavaScript condition that a tab is shown with that many rows."""
    rows = "document.querySelectorAll('.o_campaign_master_recipients .o_data_row')"
    return f"(document.querySelector('{TAB.format(name)}.active') && {rows}.length == {count})"


def activity_of_all_kinds(email, number):
    """Return the activity of a recipient who did all that somebody can do; every second address
    bounced."""
    everything = {"unsubscribes": 1, "opted_out": True, "bounced": number % 2 == 1}
    return dataclasses.replace(activity(email, 0, times=2), **everything)


# The numbers of a sent campaign whose people can be opened.
NUMBERS = list(PEOPLE)
# How far the web client counts, and one more.
COUNT_LIMIT = 1_001


def list_specification(env):
    """Return what the web client reads of recipients for their list."""
    view = env[RECIPIENT].get_view(view_type="list")
    names = [node.get("name") for node in etree.fromstring(view["arch"]).iter("field")]
    fields = env[RECIPIENT]._fields
    many2one = {"fields": {"display_name": {}}}
    return {name: many2one if fields[name].type == "many2one" else {} for name in names}


def send_many(env, people):
    """Create campaigns that were sent to contacts.

    :param dict people: ids of contacts by their number of campaigns
    """
    values = {"campaign_master_account_id": env[ACCOUNT].search([]).id, "description": "Many"}
    titles = [f"News {number}" for number in range(max(people))]
    campaigns = env["utm.campaign"].create([{"title": title, **values} for title in titles])
    for number, campaign in enumerate(campaigns):
        ids = [partner_id for count, partner_id in people.items() if number < count]
        add(campaign, "res.partner", [("id", "in", ids)])
    env.flush_all()
    env.cr.execute(
        f"UPDATE {RECIPIENT_TABLE} SET sync_state = 'added', on_list_at = NOW()"
        " WHERE campaign_id = ANY(%s)",
        [campaigns.ids],
    )
    env.invalidate_all()
    for campaign in campaigns:
        mark_sent(campaign)


# The tab of the contact's form.
PERSON_TAB = ".o_notebook_headers a[name=campaign_master]"


def person_tab_shown(count):
    """Return the JavaScript condition that a person's campaigns are shown."""
    rows = "document.querySelectorAll('.o_campaign_master_recipients .o_data_row')"
    return f"({rows}.length == {count})"
