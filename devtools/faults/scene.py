"""The actions of users in these tests: set up Campaign Master, plan a campaign, sync."""

import contextlib
import json
from collections import Counter

import psycopg2

from devtools.environment import demo_seed, rpc

CRONS = ("push_recipients", "pull_statistics", "refresh_catalogue")
RECIPIENTS = "POST /lists/ID/recipients"
CAMPAIGN = {
    "title": "Spring offers",
    "description": "Our offers for spring",
    "campaign_master_subject": "Spring is here",
}
LOGIN = {"username": "demo", "password": "correct horse"}
# The columns in which the add-on keeps how long it waits; see `time_passes`.
WAITING = """
    UPDATE ir_cron_trigger SET call_at = now() AT TIME ZONE 'UTC' - interval '1 second';
    UPDATE campaign_master_sync SET next_at = now() AT TIME ZONE 'UTC' - interval '1 second'
     WHERE state = 'running';
    UPDATE campaign_master_campaign
       SET next_poll_at = now() AT TIME ZONE 'UTC' - interval '1 second'
     WHERE next_poll_at IS NOT NULL;
    UPDATE campaign_master_account_state
       SET hour_remaining = NULL, hour_reset_at = NULL, month_calls = 0, next_turn_at = NULL,
           catalog_requested_at = NULL;
"""


# By the ORM it takes ten times as long, and it is not what is tried here.
PEOPLE = """
    INSERT INTO res_partner (id, commercial_partner_id, name, complete_name, email,
                             email_normalized, active, is_company, type)
    SELECT id, id, 'Person ' || number, 'Person ' || number, address, address, TRUE, FALSE,
           'contact'
      FROM (SELECT nextval('res_partner_id_seq') AS id, number,
                   'person' || number || '@' || %s AS address
              FROM generate_series(1, %s) AS number) AS people
"""


class Scene:
    """One database with one Campaign Master, the administrator and a marketing user.

    :param str database: its name
    :param str url: of the sandbox
    :param session: called with a login and a password, gives a session of Odoo
    """

    def __init__(self, database, url, session):
        self.database = database
        self.url = url
        self.sandbox = rpc.Sandbox(url)
        self.admin = session("admin", "admin")
        self._make_marketer()
        self.log_in(session)
        self.crons = {
            name: self.admin.reference(f"campaign_master.ir_cron_{name}") for name in CRONS
        }

    def log_in(self, session):
        """Log both in, again if the server was another one before."""
        self.admin = session("admin", "admin")
        self.marketer = self.another_marketer(session)

    def another_marketer(self, session):
        """Log the marketing user in once more; return the session."""
        return session(**demo_seed.MARKETING)

    # === CAMPAIGN MASTER AND ITS ACCOUNT === #

    def connect(self, company=None, prefix="", **login):
        """Enable an account at the sandbox for a company (the first one); return its id."""
        values = {
            "company_id": company or self.admin.reference("base.main_company"),
            "enabled": True,
            "api_url": self.url + prefix,
            **LOGIN,
            **login,
        }
        return self.admin.call("campaign.master.account", "create", [values])[0]

    def make_company(self, name):
        """Make a company in which both work; return its id."""
        company = self.admin.call("res.company", "create", [{"name": name}])[0]
        logins = [("login", "in", ["admin", demo_seed.MARKETING["login"]])]
        users = [user["id"] for user in self.admin.find("res.users", logins, ["id"])]
        self.admin.call("res.users", "write", users, {"company_ids": [(4, company)]})
        return company

    def make_template(self, name, **options):
        """Make a template in the sandbox; return its id there."""
        return self.sandbox.post("templates", {"name": name, **options})["id"]

    def make_list(self, name, emails=(), **options):
        """Make a list in the sandbox; return its id there."""
        return self.sandbox.post("lists", {"name": name, "emails": list(emails), **options})["id"]

    def faults(self, *faults):
        """What the sandbox does wrong from now on."""
        self.sandbox.post("faults", list(faults))

    def calls(self, kind):
        """How often the sandbox was called so."""
        return self.sandbox.get("state?brief=1")["calls"].get(kind, 0)

    # === CAMPAIGNS === #

    def plan(self, account, list_ref, **values):
        """Make a campaign for a list of the sandbox, as the marketing user; return its id."""
        self.admin.call("campaign.master.account", "action_refresh_catalogue", [account])
        ours = [("account_id", "=", account)]
        [mailing_list] = self.admin.find(
            "campaign.master.list", [*ours, ("ref", "=", str(list_ref))], ["id"]
        )
        template = self.admin.find("campaign.master.template", ours, ["id"])[0]
        values = {
            **CAMPAIGN,
            "campaign_master_template_id": template["id"],
            "campaign_master_list_id": mailing_list["id"],
            **values,
        }
        return self.marketer.call("utm.campaign", "create", [values])[0]

    def add(self, campaign, domain, model="res.partner", session=None):
        """Put everybody whom a domain finds on the campaign; return the numbers of people."""
        return (session or self.marketer).call(
            "utm.campaign", "campaign_master_add_recipients", [campaign], model, domain
        )

    def press(self, campaign, button="sync", session=None):
        """Click a button of the campaign; return the notification.

        :raise rpc.OdooError: it was refused, with the message
        """
        action = (session or self.marketer).call(
            "utm.campaign", f"action_campaign_master_{button}", [campaign]
        )
        return action["params"]["message"] if isinstance(action, dict) else ""

    def read(self, campaign, *names):
        """Fields of the campaign, named without the add-on's prefix; one, or a list of them."""
        names = [f"campaign_master_{name}" for name in names]
        values = self.marketer.read("utm.campaign", campaign, *names)
        found = [values[name] for name in names]
        return found[0] if len(found) == 1 else found

    def send(self, campaign, list_ref, **options):
        """Send in the sandbox; everything that follows happens at once, unless told otherwise."""
        body = {"listId": list_ref, "minutes": 0, "seed": 1, **options}
        self.sandbox.post(f"campaigns/{self.read(campaign, 'ref')}/send", body)

    def make_people(self, number, place):
        """Make contacts whose addresses are at a place, as ``person7@place``."""
        self.sql(PEOPLE, place, number)

    # === TIME === #

    def run(self, cron):
        """Run a scheduled action as *Run manually* does.

        :param str cron: one of ``CRONS``
        """
        answer = self.admin.call("ir.cron", "method_direct_trigger", [self.crons[cron]])
        if answer is not True:
            raise AssertionError(f"The scheduled action {cron} crashed: {answer}")

    def is_due(self, cron, campaign):
        """The time of a scheduled action and of a campaign has come; who wakes it sees it run."""
        self.sql(
            "UPDATE campaign_master_campaign SET next_poll_at = now() AT TIME ZONE 'UTC'"
            " - interval '1 second' WHERE campaign_id = %s",
            campaign,
        )
        self.sql(
            "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' - interval '1 second'"
            " WHERE id = %s",
            self.crons[cron],
        )

    def time_passes(self):
        """Whatever waits for a time has waited long enough; the calls of the month are new."""
        self.sql(WAITING)

    def sql(self, statement, *values):
        """Run one statement in a transaction of its own; return its rows, if it gives some."""
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cr:
                cr.execute(statement, values or None)
                return cr.fetchall() if cr.description else None

    def _make_marketer(self):
        login = [("login", "=", demo_seed.MARKETING["login"])]
        if self.admin.find("res.users", login, ["id"]):
            return
        groups = [self.admin.reference(name) for name in demo_seed.MARKETING_GROUPS]
        user = {"name": "Marta Keting", "group_ids": [(6, 0, groups)], **demo_seed.MARKETING}
        context = {"no_reset_password": True}
        self.admin.call("res.users", "create", [user], context=context)


def asked_addresses(calls):
    """Return how often each address was asked for in calls of the sandbox's log."""
    bodies = [json.loads(call.body) for call in calls if call.kind == RECIPIENTS]
    return Counter(one["email"] for body in bodies for one in body["recipients"])
