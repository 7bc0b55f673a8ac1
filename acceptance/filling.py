"""What companies have after some months of use, made through the buttons that people press.

Only names that every released version has are used here.
"""

import contextlib
import threading
import time

from environment import rpc
from environment.console import Problem
from faults.scene import LOGIN, Scene

OTHER_LOGIN = {"username": "other", "password": "battery staple"}
# Who they are, and what they may do.
USERS = {
    "marketing": "Email Marketing, and all leads",
    "seller": "Email Marketing, and own leads",
    "employee": "own leads, without Email Marketing",
    "stranger": "Email Marketing in the other company",
    "admin": "everything",
}
GROUPS = {
    "seller": ["mass_mailing.group_mass_mailing_user", "sales_team.group_sale_salesman"],
    "employee": ["sales_team.group_sale_salesman"],
    "stranger": [
        "mass_mailing.group_mass_mailing_user",
        "sales_team.group_sale_salesman_all_leads",
        "base.group_partner_manager",
    ],
}
STAFF = [
    ("Ann Archer", "Ann@Example.com"),
    ("Bob Baker", "bob@example.com"),
    ("Cem Carver", "cem@example.com"),
    ("Dee Draper", "dee@example.com"),
    ("Eve Elder", "eve@example.com"),
    ("Fay Farmer", "fay@example.com"),
]
UNREACHABLE = [
    ("Nobody Reachable", False),
    ("Broken Address", "broken"),
    ("Ann Again", "ann@example.com"),
]
PLACE = "crowd.example"
CROWD = 40
LEADS = [
    ("Own lead", "own.lead@example.com", "seller"),
    ("Somebody's lead", "some.lead@example.com", "marketing"),
    ("Nobody's lead", "no.lead@example.com", None),
]


class Filling:
    """A running Odoo of some version, with two companies at work.

    :ivar Scene scene: what people do
    :ivar dict campaigns: ids by what became of them
    """

    def __init__(self, database, odoo_url, sandbox_url):
        self.database = database
        self.url = odoo_url
        self.scene = Scene(database, sandbox_url, self.session)
        self.campaigns = {}

    def session(self, login, password=None):
        """Log in; everybody's password is his login."""
        return rpc.Odoo(self.url, self.database, login, password or login)

    def moves_to(self, url):
        """Go on with another server on the same database."""
        self.url = url
        self.scene.log_in(self.session)

    def fill(self):
        """Do everything but the last sync."""
        self._make_users()
        self._make_people()
        self._make_account()
        self._never()
        self._complete_and_unchanged()
        self._partial()
        self._failed()
        self._cancelled()
        self._sent()
        self._opted_out()
        self._deleted()
        self._other_company()
        self._people_change()

    # === WHO THERE IS === #

    def _make_users(self):
        admin = self.scene.admin
        self.company = admin.reference("base.main_company")
        self.other_company = self.scene.make_company("Other & Sons")
        for name, groups in GROUPS.items():
            company = self.other_company if name == "stranger" else self.company
            groups = [admin.reference(group) for group in ("base.group_user", *groups)]
            user = {
                "name": name.title(),
                "login": name,
                "password": name,
                "company_id": company,
                "company_ids": [(6, 0, [company])],
                "group_ids": [(6, 0, groups)],
            }
            context = {"no_reset_password": True}
            admin.call("res.users", "create", [user], context=context)
        # In both companies sees both; here everybody is to see one.
        admin.call(
            "res.users",
            "write",
            [self._user("marketing")],
            {"company_ids": [(6, 0, [self.company])]},
        )

    def _user(self, login):
        [user] = self.scene.admin.find("res.users", [("login", "=", login)], ["id"])
        return user["id"]

    def _make_people(self):
        admin = self.scene.admin
        office = {"name": "Office Ltd", "is_company": True, "email": "office@example.com"}
        people = [office, {"name": "Office Manager", "email": "OFFICE@example.com"}]
        people += [{"name": name, "email": email} for name, email in STAFF]
        self.people = admin.call("res.partner", "create", people)
        people = [{"name": name, "email": email} for name, email in UNREACHABLE]
        self.unreachable = admin.call("res.partner", "create", people)
        leads = [
            {"name": name, "email_from": email, "user_id": self._user(login) if login else False}
            for name, email, login in LEADS
        ]
        self.leads = admin.call("crm.lead", "create", leads)
        self.scene.make_people(CROWD, PLACE)

    def _make_account(self):
        scene = self.scene
        scene.sandbox.post("users", LOGIN)
        scene.sandbox.post("users", OTHER_LOGIN)
        scene.make_template("Spring")
        scene.make_template("Other spring", account=OTHER_LOGIN["username"])
        self.account = scene.connect(self.company)
        self.other_account = scene.connect(self.other_company, **OTHER_LOGIN)

    # === CAMPAIGNS, BY WHAT BECOMES OF THEM === #

    def plan(self, name, people=None, leads=(), emails=()):
        """Plan a campaign with a list of its own; return it and the list."""
        mailing_list = self.scene.make_list(f"List of {name}", emails)
        campaign = self.scene.plan(self.account, mailing_list, title=f"Campaign {name}")
        self.scene.add(campaign, [("id", "in", self.people if people is None else people)])
        if leads:
            self.scene.add(campaign, [("id", "in", list(leads))], "crm.lead")
        self.campaigns[name] = campaign
        return campaign, mailing_list

    def sync(self, campaign):
        """Sync a campaign; return the state that it ends in."""
        self.scene.press(campaign)
        self.scene.run("push_recipients")
        return self.scene.read(campaign, "sync_state")

    def expect(self, campaign, state):
        """Be sure that a sync has ended so."""
        found = self.scene.read(campaign, "sync_state")
        assert found == state, (found, self.scene.read(campaign, "sync_message"))

    def _never(self):
        self.plan("never")

    def _complete_and_unchanged(self):
        for name in ("complete", "unchanged"):
            campaign, _list = self.plan(name, emails=["bob@example.com"])
            self.sync(campaign)
        self.expect(self.campaigns["complete"], "complete")
        self.sync(self.campaigns["unchanged"])
        self.expect(self.campaigns["unchanged"], "unchanged")

    def _partial(self):
        campaign, _list = self.plan("partial", self.people + self.unreachable, self.leads)
        self.sync(campaign)
        self.expect(campaign, "partial")

    def _failed(self):
        campaign, mailing_list = self.plan("failed")
        self.scene.press(campaign)
        self.scene.faults({"match": f"POST /lists/{mailing_list}/", "kind": "404"})
        self.scene.run("push_recipients")
        self.expect(campaign, "failed")

    def _cancelled(self):
        campaign, _list = self.plan("cancelled")
        self.scene.press(campaign)
        self.scene.press(campaign, "cancel")
        self.expect(campaign, "cancelled")

    def _sent(self):
        campaign, mailing_list = self.plan("sent", self.people, self.leads, ["on.it@example.com"])
        self.scene.add(campaign, [("email", "like", f"@{PLACE}")])
        self.sync(campaign)
        self.scene.send(campaign, mailing_list, seed=4)
        events = [
            {"email": "ann@example.com", "kind": "open", "times": 2},
            {"email": "ann@example.com", "kind": "click"},
            {"email": "office@example.com", "kind": "open"},
            {"email": "own.lead@example.com", "kind": "click"},
            {"email": "some.lead@example.com", "kind": "forward"},
            {"email": "cem@example.com", "kind": "unsubscribe"},
        ]
        ref = self.scene.read(campaign, "ref")
        self.scene.sandbox.post(f"campaigns/{ref}/activity", events)
        self.refresh(campaign)
        assert self.scene.read(campaign, "sent")
        self.sent_list = mailing_list

    def refresh(self, campaign):
        """Read all statistics of a campaign."""
        # Twice, because activity is read once more at the poll after the one with news.
        for _time in range(2):
            self.scene.press(campaign, "refresh_statistics")

    def _opted_out(self):
        campaign, _list = self.plan("opted out")
        self.sync(campaign)

    def _deleted(self):
        campaign, _list = self.plan("deleted")
        self.sync(campaign)
        ref = self.scene.read(campaign, "ref")
        self.scene.sandbox.delete(f"campaigns/{ref}")
        self.scene.press(campaign)
        assert self.scene.read(campaign, "remote_status") == "deleted"
        archived, _list = self.plan("archived")
        self.sync(archived)
        self.scene.marketer.call("utm.campaign", "write", [archived], {"active": False})

    def _other_company(self):
        scene, ours = self.scene, self.scene.marketer
        scene.marketer = self.session("stranger")
        mailing_list = scene.make_list("List of others", account=OTHER_LOGIN["username"])
        campaign = scene.plan(self.other_account, mailing_list, title="Campaign of others")
        scene.add(campaign, [("id", "in", self.people)])
        self.campaigns["of others"] = campaign
        self.sync(campaign)
        scene.send(campaign, mailing_list, seed=2)
        self.refresh(campaign)
        scene.marketer = ours

    def _people_change(self):
        """A lead is converted, contacts are merged, one is deleted, and one changes his address."""
        scene, admin = self.scene, self.scene.admin
        context = {"active_model": "crm.lead", "active_id": self.leads[0]}
        context["active_ids"] = [self.leads[0]]
        [conversion] = scene.marketer.call(
            "crm.lead2opportunity.partner",
            "create",
            [{"name": "convert", "action": "create"}],
            context=context,
        )
        scene.marketer.call(
            "crm.lead2opportunity.partner", "action_apply", [conversion], context=context
        )
        *_others, dee, eve, fay = self.people
        [merge] = admin.call(
            "base.partner.merge.automatic.wizard",
            "create",
            [{"partner_ids": [(6, 0, [dee, eve])], "dst_partner_id": dee, "state": "selection"}],
        )
        admin.call("base.partner.merge.automatic.wizard", "action_merge", [merge])
        admin.call("res.partner", "unlink", [fay])
        admin.call("res.partner", "write", [self.people[3]], {"email": "robert@example.com"})
        self.people = [one for one in self.people if one not in (eve, fay)]

    # === A SYNC THAT IS CUT === #

    def begin(self):
        """Begin a sync, and return as soon as Campaign Master holds its call."""
        campaign, _list = self.plan("running")
        self.scene.press(campaign)
        self.scene.faults({"match": "POST /lists", "kind": "hold"})
        threading.Thread(target=self._run_regardless, daemon=True).start()
        while not self.scene.sandbox.get("state?brief=1")["held"]:
            time.sleep(0.1)
        self.expect(campaign, "running")

    def _run_regardless(self):
        with contextlib.suppress(Problem):  # the server will be killed
            self.scene.run("push_recipients")
