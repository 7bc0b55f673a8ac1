"""Data of several companies after some months of use, created by using the buttons.

It uses only names that exist in every released version; columns that some of them lack are written
by SQL, if they exist.
"""

import contextlib
import json
import threading
import time

from devtools.environment import rpc
from devtools.environment.console import Problem
from devtools.environment.rpc import OdooError
from devtools.faults.scene import LOGIN, Scene

from . import moved

# Permissions by login. Each password equals its login.
USERS = {
    "marketing": "Email Marketing and all leads",
    "seller": "Email Marketing and own leads",
    "salesperson": "own leads, no Email Marketing",
    "other": "Email Marketing in the other company",
    "admin": "everything",
}
GROUPS = {
    "seller": ["mass_mailing.group_mass_mailing_user", "sales_team.group_sale_salesman"],
    "salesperson": ["sales_team.group_sale_salesman"],
    "other": [
        "mass_mailing.group_mass_mailing_user",
        "sales_team.group_sale_salesman_all_leads",
        "base.group_partner_manager",
    ],
}
OTHER_LOGIN = {"username": "other", "password": "battery staple"}
STAFF = [
    ("Ann Archer", "Ann@Example.com"),
    ("Bob Baker", "bob@example.com"),
    ("Cem Carver", "cem@example.com"),
    ("Dee Draper", "dee@example.com"),
    ("Eve Elder", "eve@example.com"),
    ("Fay Farmer", "fay@example.com"),
]
UNREACHABLE = [
    ("No Email", False),
    ("Broken Address", "broken"),
    ("Ann Again", "ann@example.com"),
]
CUSTOMERS = 40
CUSTOMER_DOMAIN = "customers.example"
# Name, email and login of the salesperson.
LEADS = [
    ("Seller's lead", "sellers.lead@example.com", "seller"),
    ("Marketing's lead", "marketings.lead@example.com", "marketing"),
    ("Unassigned lead", "unassigned.lead@example.com", None),
]
INTERVAL = 45  # minutes; set by an administrator
TIMEOUT = 60  # seconds
# A reading of activity after its first page, see campaign_master/client/pages.py.
HALF_READ = {
    "campaign_master_pull_step": "activity",
    "campaign_master_activity_page": 1,
    "campaign_master_activity_seen": json.dumps(
        {"digest": "0" * 64, "total": 1, "rows": 1, "sample": [7], "known_rows": 0}
    ),
}


class SampleData:
    """A running Odoo of any version with the data of two companies.

    :param str database: its name
    :param str odoo_url: of the server
    :param str sandbox_url: of the sandbox
    :ivar Scene scene: performs the users' actions
    :ivar dict campaigns: campaign ids by state, such as ``partial``
    :ivar int surplus_sync: a running sync of a campaign that has another one, or ``None``
    """

    def __init__(self, database, odoo_url, sandbox_url):
        self.database = database
        self.url = odoo_url
        self.scene = Scene(database, sandbox_url, self.session)
        self.campaigns = {}
        self.surplus_sync = None

    def session(self, login, password=None):
        """Log in a user."""
        return rpc.Odoo(self.url, self.database, login, password or login)

    def use_server(self, url):
        """Switch to another server for the same database."""
        self.url = url
        self.scene.log_in(self.session)

    def create(self):
        """Create everything except the running sync."""
        self._create_users()
        self._create_people()
        self._create_accounts()
        self.plan("never")
        self._sync_complete_and_unchanged()
        self._sync_partial()
        self._sync_failed()
        self._sync_cancelled()
        self._send()
        self._sync_after_opt_out()
        self._delete_and_archive()
        self._send_in_other_company()
        self._read_half()
        self._refuse_login()
        self._change_people()

    def start_sync(self):
        """Start a sync; return while the sandbox holds its call.

        If the version stores the position of syncs, the first recipient has a result, and the
        sandbox has added the others, but has not answered.
        """
        campaign, mailing_list = self.plan("running")
        self.scene.press(campaign)
        stores_position = "position_id" in self.columns("campaign_master_sync")
        kind = "hold-after" if stores_position else "hold"
        self.scene.faults({"match": f"POST /lists/{mailing_list}/", "kind": kind})
        threading.Thread(target=self._push, daemon=True).start()
        end = time.monotonic() + TIMEOUT
        while not self.scene.sandbox.get("state?brief=1")["held"]:
            assert time.monotonic() < end, "The sync has not made a call."
            time.sleep(0.1)
        self.expect(campaign, "running")
        if stores_position:
            self._advance_sync(campaign)
            if not self.has_own_table():
                self._add_surplus_sync(campaign)

    def has_own_table(self):
        """Return whether the version stores how work stands in a table of its own (19.0.1.4.0)."""
        return bool(self.columns("campaign_master_campaign"))

    def _push(self):
        with contextlib.suppress(Problem):  # the server is killed
            self.scene.run("push_recipients")

    def _advance_sync(self, campaign):
        [[recipient]] = self.scene.sql(
            """
            UPDATE campaign_master_recipient SET sync_state = 'added'
             WHERE id = (SELECT MIN(id) FROM campaign_master_recipient
                          WHERE campaign_id = %s AND sync_state = 'pending')
            RETURNING id
            """,
            campaign,
        )
        after, upto = "asked_after_id", "asked_upto_id"
        if self.has_own_table():
            after, upto = moved.SYNC[after], moved.SYNC[upto]
        self.scene.sql(
            f"""
            UPDATE campaign_master_sync SET position_id = %s, {after} = %s, added = 1
             WHERE campaign_id = %s AND state = 'running' AND {upto} > %s
            """,
            recipient,
            recipient,
            campaign,
            recipient,
        )

    def _add_surplus_sync(self, campaign):
        """Add an older running sync. The server is killed before it could see it."""
        [[self.surplus_sync]] = self.scene.sql(
            """
            WITH running AS (
                SELECT * FROM campaign_master_sync WHERE campaign_id = %s AND state = 'running'
            ), moved AS (
                UPDATE campaign_master_sync AS sync SET id = nextval('campaign_master_sync_id_seq')
                  FROM running WHERE sync.id = running.id
            )
            SELECT id FROM running
            """,
            campaign,
        )
        self.scene.sql(
            """
            INSERT INTO campaign_master_sync (id, campaign_id, account_id, user_id, started_at,
                                              state, message, list_name, next_at)
            SELECT %s, campaign_id, account_id, user_id, started_at, state, message, list_name,
                   next_at
              FROM campaign_master_sync WHERE campaign_id = %s AND state = 'running'
            """,
            self.surplus_sync,
            campaign,
        )

    def columns(self, table):
        """Return the names of a table's columns; empty if the version does not have it."""
        return {
            name
            for [name] in self.scene.sql(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", table
            )
        }

    # === USERS AND PEOPLE === #

    def _create_users(self):
        admin = self.scene.admin
        self.company = admin.reference("base.main_company")
        self.other_company = self.scene.make_company("Other & Sons")
        self.refused_company = self.scene.make_company("Locked Out Ltd")
        for login, groups in GROUPS.items():
            company = self.other_company if login == "other" else self.company
            groups = [admin.reference(group) for group in ("base.group_user", *groups)]
            user = {
                "name": login.title(),
                "login": login,
                "password": login,
                "company_id": company,
                "company_ids": [(6, 0, [company])],
                "group_ids": [(6, 0, groups)],
            }
            admin.call("res.users", "create", [user], context={"no_reset_password": True})
        one_company = {"company_ids": [(6, 0, [self.company])]}
        admin.call("res.users", "write", [self._user("marketing")], one_company)

    def _user(self, login):
        [user] = self.scene.admin.find("res.users", [("login", "=", login)], ["id"])
        return user["id"]

    def _create_people(self):
        admin = self.scene.admin
        company = {"name": "Office Ltd", "is_company": True, "email": "office@example.com"}
        people = [company, {"name": "Office Manager", "email": "OFFICE@example.com"}]
        people += [{"name": name, "email": email} for name, email in STAFF]
        self.people = admin.call("res.partner", "create", people)
        people = [{"name": name, "email": email} for name, email in UNREACHABLE]
        self.unreachable = admin.call("res.partner", "create", people)
        leads = [
            {"name": name, "email_from": email, "user_id": self._user(login) if login else False}
            for name, email, login in LEADS
        ]
        self.leads = admin.call("crm.lead", "create", leads)
        self.scene.make_people(CUSTOMERS, CUSTOMER_DOMAIN)

    def _create_accounts(self):
        scene = self.scene
        scene.sandbox.post("users", LOGIN)
        scene.sandbox.post("users", OTHER_LOGIN)
        scene.make_template("Spring")
        scene.make_template("Other spring", account=OTHER_LOGIN["username"])
        self.account = scene.connect(self.company)
        self.other_account = scene.connect(self.other_company, **OTHER_LOGIN)

    # === CAMPAIGNS === #

    def plan(self, name, people=None, leads=(), emails=()):
        """Plan a campaign with its own list.

        :param people: ids of contacts; by default all that have a valid address
        :param leads: ids of leads
        :param emails: existing members of the list
        :return: the campaign's id, and the list's id in the sandbox
        """
        mailing_list = self.scene.make_list(f"List of {name}", emails)
        campaign = self.scene.plan(self.account, mailing_list, title=f"Campaign {name}")
        self.scene.add(campaign, [("id", "in", self.people if people is None else people)])
        if leads:
            self.scene.add(campaign, [("id", "in", list(leads))], "crm.lead")
        self.campaigns[name] = campaign
        return campaign, mailing_list

    def sync(self, campaign):
        """Sync a campaign; return the final state."""
        self.scene.press(campaign)
        self.scene.run("push_recipients")
        return self.scene.read(campaign, "sync_state")

    def refresh(self, campaign):
        """Fetch a campaign's complete statistics."""
        # Twice, as activity is read again after a change.
        for _time in range(2):
            self.scene.press(campaign, "refresh_statistics")
            if self.has_own_table():  # the button only asks for it
                self.scene.run("pull_statistics")

    def expect(self, campaign, state):
        """Check the state of the last sync."""
        found = self.scene.read(campaign, "sync_state")
        assert found == state, (found, self.scene.read(campaign, "sync_message"))

    def _sync_complete_and_unchanged(self):
        for name in ("complete", "unchanged"):
            campaign, _list = self.plan(name, emails=["bob@example.com"])
            self.sync(campaign)
        self.expect(self.campaigns["complete"], "complete")
        self.sync(self.campaigns["unchanged"])
        self.expect(self.campaigns["unchanged"], "unchanged")

    def _sync_partial(self):
        campaign, _list = self.plan("partial", self.people + self.unreachable, self.leads)
        self.sync(campaign)
        self.expect(campaign, "partial")

    def _sync_failed(self):
        campaign, mailing_list = self.plan("failed")
        self.scene.press(campaign)
        self.scene.faults({"match": f"POST /lists/{mailing_list}/", "kind": "404"})
        self.scene.run("push_recipients")
        self.expect(campaign, "failed")

    def _sync_cancelled(self):
        campaign, _list = self.plan("cancelled")
        self.scene.press(campaign)
        self.scene.press(campaign, "cancel")
        self.expect(campaign, "cancelled")

    def _send(self):
        campaign, mailing_list = self.plan("sent", leads=self.leads, emails=["known@example.com"])
        self.scene.add(campaign, [("email", "like", f"@{CUSTOMER_DOMAIN}")])
        self.sync(campaign)
        self.scene.send(campaign, mailing_list, seed=4)
        events = [
            {"email": "ann@example.com", "kind": "open", "times": 2},
            {"email": "ann@example.com", "kind": "click"},
            {"email": "office@example.com", "kind": "open"},
            {"email": "sellers.lead@example.com", "kind": "click"},
            {"email": "marketings.lead@example.com", "kind": "forward"},
            {"email": "cem@example.com", "kind": "unsubscribe"},
        ]
        ref = self.scene.read(campaign, "ref")
        self.scene.sandbox.post(f"campaigns/{ref}/activity", events)
        self.refresh(campaign)
        assert self.scene.read(campaign, "sent")

    def _sync_after_opt_out(self):
        campaign, _list = self.plan("after opt-out")
        self.sync(campaign)

    def _delete_and_archive(self):
        for name in ("deleted", "unlinked"):
            campaign, _list = self.plan(name)
            self.sync(campaign)
            ref = self.scene.read(campaign, "ref")
            self.scene.sandbox.delete(f"campaigns/{ref}")
            self.sync(campaign)
            assert self.scene.read(campaign, "remote_status") == "deleted"
        self.scene.press(campaign, "unlink")
        archived, _list = self.plan("archived")
        self.sync(archived)
        self.scene.marketer.call("utm.campaign", "write", [archived], {"active": False})

    def _send_in_other_company(self):
        scene, marketer = self.scene, self.scene.marketer
        scene.marketer = self.session("other")
        mailing_list = self.make_list_of_other_company()
        campaign = self.plan_in_other_company("Campaign of others", mailing_list)
        self.campaigns["other company"] = campaign
        self.sync(campaign)
        scene.send(campaign, mailing_list, seed=2)
        self.refresh(campaign)
        scene.marketer = marketer

    def _read_half(self):
        """Read a campaign's figures, and only the first page of its activity."""
        # Without Cem and whoever else has opted out, which depends on the release's sandbox.
        opted_out = [
            row["email"]
            for remote in self.scene.sandbox.get("state")["campaigns"]
            for row in remote["activity"]
            if row["optedOut"]
        ]
        domain = [("id", "in", self.people), ("email", "not in", opted_out)]
        people = [row["id"] for row in self.scene.admin.find("res.partner", domain, ["id"])]
        campaign, mailing_list = self.plan("half-read", people)
        self.sync(campaign)
        self.scene.send(campaign, mailing_list, seed=3)
        self.refresh(campaign)
        for name in self.columns("utm_campaign") & HALF_READ.keys():
            self.scene.sql(
                f"UPDATE utm_campaign SET {name} = %s WHERE id = %s", HALF_READ[name], campaign
            )
        if self.has_own_table():
            for name, value in HALF_READ.items():
                self.scene.sql(
                    f"UPDATE campaign_master_campaign SET {moved.CAMPAIGN[name]} = %s"
                    " WHERE campaign_id = %s",
                    value,
                    campaign,
                )

    def _refuse_login(self):
        """Enable an account whose login Campaign Master refuses."""
        account = self.scene.connect(self.refused_company, username="nobody")
        with contextlib.suppress(OdooError):
            self.scene.admin.call("campaign.master.account", "action_refresh_catalogue", [account])
        assert self.scene.admin.read("campaign.master.account", account, "login_refused_at")[
            "login_refused_at"
        ]

    def make_list_of_other_company(self):
        """Create a list in the other company's account; return its id in the sandbox."""
        return self.scene.make_list("List of others", account=OTHER_LOGIN["username"])

    def plan_in_other_company(self, title, mailing_list):
        """Plan a campaign in the other company for all contacts; return its id."""
        campaign = self.scene.plan(self.other_account, mailing_list, title=title)
        self.scene.add(campaign, [("id", "in", self.people)])
        return campaign

    # === CHANGES === #

    def _change_people(self):
        """Convert a lead, merge two contacts, delete one, and change an email."""
        scene, admin = self.scene, self.scene.admin
        context = {
            "active_model": "crm.lead",
            "active_id": self.leads[0],
            "active_ids": [self.leads[0]],
        }
        wizard = "crm.lead2opportunity.partner"
        values = {"name": "convert", "action": "create"}
        [conversion] = scene.marketer.call(wizard, "create", [values], context=context)
        scene.marketer.call(wizard, "action_apply", [conversion], context=context)
        bob, *_others, dee, eve, fay = self.people[3:]
        wizard = "base.partner.merge.automatic.wizard"
        values = {"partner_ids": [(6, 0, [dee, eve])], "dst_partner_id": dee, "state": "selection"}
        [merge] = admin.call(wizard, "create", [values])
        admin.call(wizard, "action_merge", [merge])
        admin.call("res.partner", "unlink", [fay])
        admin.call("res.partner", "write", [bob], {"email": "robert@example.com"})
        self.people = [person for person in self.people if person not in (eve, fay)]

    def converted_lead(self):
        """Return the ids of the lead that was converted, and of its contact."""
        [[contact]] = self.scene.sql("SELECT partner_id FROM crm_lead WHERE id = %s", self.leads[0])
        return self.leads[0], contact

    def change_settings(self):
        """Change an interval, and break what an upgrade must repair."""
        admin = self.scene.admin
        cron = self.scene.crons["pull_statistics"]
        admin.call("ir.cron", "write", [cron], {"interval_number": INTERVAL, "active": False})
        cron = self.scene.crons["refresh_catalogue"]
        admin.call("ir.cron", "write", [cron], {"code": "model._no_such_method()"})
        for name, values in {
            "recipient_rule_company": {"active": False},
            "optout_rule_company": {"domain_force": "[(1, '=', 1)]", "perm_read": False},
            "recipient_rule_salesman": {"groups": [(5, 0, 0)]},
        }.items():
            rule = admin.reference(f"campaign_master.campaign_master_{name}")
            admin.call("ir.rule", "write", [rule], values)
