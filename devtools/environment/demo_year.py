"""The demo's data: four hundred people and a year of campaigns, each with a story of its own.

The campaigns are created, synced, sent and read one after the other, as in the year that they are
about: who unsubscribes does not get the next one.
"""

import datetime
from typing import NamedTuple

from . import demo_seed, readers
from .console import Problem, say
from .demo_seed import ensure, load

SENT = "Autumn Newsletter"
COLUMN, COLUMNS, OFFERS = demo_seed.TEMPLATES
USERS = {"nell": "Nell Wren", "tom": "Tom Barley"}
IRISH = ("country_id.code", "=", "IE")
NEARBY = ["|", ("country_id", "=", False), ("country_id.code", "=", "GB")]


class Kind(NamedTuple):
    """What campaigns of a kind have in common.

    :ivar people: domains of the recipients by model, by default everybody
    :ivar responsible: one of USERS, by default the marketing user
    """

    tag: str
    description: str
    template: str
    list: str
    people: dict | None = None
    responsible: str | None = None


NEWSLETTER = Kind(
    "Newsletter",
    "Once a month: news from the workshop, one customer and one good offer.",
    COLUMN,
    "Newsletter readers",
)
PRODUCT = Kind(
    "Product",
    "New from the workshop; the first hundred at last year's price.",
    OFFERS,
    "Newsletter readers",
    responsible="nell",
)
EVENT = Kind(
    "Event",
    "For everybody who can come by train.",
    "Invitation",
    "Guests",
    {"res.partner": NEARBY, "crm.lead": NEARBY},
    "nell",
)
CUSTOMERS = Kind(
    "Service",
    "For companies and their people.",
    COLUMNS,
    "Customers",
    {"res.partner": []},
    "tom",
)
FAIR = Kind(
    "Event",
    "From business cards, typed in at the stand.",
    OFFERS,
    "Enquiries",
    {"crm.lead": []},
)
DUBLIN = Kind(
    "Product",
    "The Irish company introduces itself.",
    "Newsletter, Dublin",
    "Readers in Ireland",
    {"res.partner": [IRISH], "crm.lead": [IRISH]},
)


class Sending(NamedTuple):
    """A sent campaign.

    :ivar days: how many days ago it was sent, and up to six more, to be sent on its weekday
    :ivar weekday: 0 for Monday; None for any
    :ivar hour: of the sending (UTC); 9.5 is half past nine
    :ivar story: see `sandbox/stories.py`
    :ivar title: may contain ``{month}``
    """

    days: int
    weekday: int | None
    hour: float
    kind: Kind
    story: str
    title: str
    subject: str

    def sent_at(self):
        """Return when it was sent."""
        midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
        today = datetime.datetime.now(datetime.UTC).replace(**midnight)
        day = today - datetime.timedelta(days=self.days)
        if self.weekday is not None:
            day -= datetime.timedelta(days=(day.weekday() - self.weekday) % 7)
        return day + datetime.timedelta(hours=self.hour)


MON, TUE, WED, THU, FRI = range(5)
MONTHLY = "{month} Newsletter"
YEAR = [
    Sending(352, TUE, 9.5, NEWSLETTER, "usual", MONTHLY, "Oak, ash and a new saw"),
    Sending(318, THU, 11, PRODUCT, "hit", "Harbour Chair Launch", "Meet the Harbour Chair"),
    Sending(297, TUE, 9.5, NEWSLETTER, "usual", MONTHLY, "How a café grows by a wall"),
    Sending(264, WED, 15.5, EVENT, "usual", "Open Workshop Evening", "See how we work"),
    Sending(236, TUE, 9.5, NEWSLETTER, "usual", MONTHLY, "Three shops in one week"),
    Sending(207, FRI, 18.7, CUSTOMERS, "flop", "Customer Survey", "Twenty short questions"),
    Sending(155, MON, 10, CUSTOMERS, "scanner", "Fire Safety Rules", "New rules for furniture"),
    Sending(110, TUE, 9.5, NEWSLETTER, "usual", MONTHLY, "A counter that folds away"),
    Sending(75, WED, 10.5, DUBLIN, "usual", "Hello from Dublin", "We open on the Liffey"),
    Sending(43, THU, 11, EVENT, "hit", "Upholstery Weekend", "Six places left"),
    # Recent enough for an alert.
    Sending(4, THU, 13.2, FAIR, "bounces", "After the Trade Fair", "Good to meet you"),
    # Its activity goes on.
    Sending(2, None, 9.5, NEWSLETTER, "usual", SENT, "What autumn brings to Wren & Barley"),
]


def seed(demo):
    """Create the demo data if missing, and update the sandbox's port in the accounts."""
    admin = demo.session("admin", "admin")
    if admin.call("ir.config_parameter", "get_param", demo_seed.DONE):
        demo_seed.update_port(admin, demo)
        return
    say("Creating people and a year of campaigns ...")
    home = [sending.kind for sending in YEAR if sending.kind is not DUBLIN]
    templates = dict.fromkeys(kind.template for kind in home)
    lists = {kind.list: [] for kind in home} | demo_seed.LISTS
    demo_seed.add_catalog(demo, "demo", templates, lists)
    demo_seed.set_up(admin, demo)
    demo_seed.add_people(admin)
    _add_users(admin)
    _add_readers(admin)
    irish_company = _add_irish_company(admin, demo)
    marketing = demo.session(**demo_seed.MARKETING)
    stage = ensure(admin, "stage_sent", "utm.stage", {"name": "Sent", "sequence": 20})
    tags = sorted({sending.kind.tag for sending in YEAR})
    load(admin, "utm.tag", ["id", "name"], [[f"utm_tag_{name.lower()}", name] for name in tags])
    for number, sending in enumerate(YEAR):
        company = irish_company if sending.kind is DUBLIN else None
        campaign = _plan(admin, marketing, sending, stage, company)
        _play(marketing, demo, sending, campaign, number)
    # Only people with valid addresses.
    audience = {"res.partner": [("category_id", "!=", False)]}
    ready, _counts = demo_seed.add_campaign(admin, marketing, demo_seed.READY, audience=audience)
    demo_seed.sync(marketing, ready)
    demo_seed.add_campaign(admin, marketing, demo_seed.PLANNED)
    admin.call("ir.config_parameter", "set_param", demo_seed.DONE, "1")


def _add_users(admin):
    """Create the salespeople, who are responsible for some campaigns."""
    names = ["mass_mailing.group_mass_mailing_user", "sales_team.group_sale_salesman_all_leads"]
    groups = [admin.reference(name) for name in ["base.group_user", *names]]
    for login, name in USERS.items():
        email = f"{login}@wrenbarley.example"
        user = {"name": name, "login": login, "email": email, "group_ids": [(6, 0, groups)]}
        ensure(admin, f"user_{login}", "res.users", user, no_reset_password=True)


def _add_readers(admin):
    """Create the people who are not needed for checks."""
    tags = [[f"tag_{name.lower()}", name] for name in readers.TAGS]
    load(admin, "res.partner.category", ["id", "name"], tags)
    load(admin, "crm.team", ["id", "name"], [["team_contracts", "Contracts"]])
    companies, contacts, leads = readers.rows()
    load(admin, "res.partner", readers.PARTNER_FIELDS, companies)
    load(admin, "res.partner", readers.PARTNER_FIELDS, contacts)
    load(admin, "crm.lead", readers.LEAD_FIELDS, leads)


def _add_irish_company(admin, demo):
    """Create another company with its own account; return its id."""
    values = {"name": "Wren & Barley Ireland", "city": "Dublin"}
    values["country_id"] = admin.reference("base.ie")
    company = ensure(admin, "irish_company", "res.company", values)
    names = ["base.user_admin", f"{demo_seed.MODULE}.user_marketing"]
    users = [admin.reference(name) for name in names]
    admin.call("res.users", "write", users, {"company_ids": [(4, company)]})
    login = {"username": "dublin", "password": demo_seed.SANDBOX_USERS["dublin"]}
    demo.sandbox.post("users", login)
    demo_seed.add_catalog(demo, "dublin", [DUBLIN.template], {DUBLIN.list: []})
    demo_seed.add_account(admin, demo, "irish_account", company, "dublin")
    return company


def _plan(admin, marketing, sending, stage, company):
    """Create a campaign with its recipients, in a company; return its id."""
    kind = sending.kind
    plan = {
        "description": kind.description,
        "campaign_master_subject": sending.subject,
        "template": kind.template,
        "list": kind.list,
        "stage_id": stage,
        "tag_ids": [(4, admin.reference(f"{demo_seed.MODULE}.utm_tag_{kind.tag.lower()}"))],
    }
    if kind.responsible:
        plan["user_id"] = admin.reference(f"{demo_seed.MODULE}.user_{kind.responsible}")
    context = {"allowed_company_ids": [company]} if company else {}
    title = sending.title.format(month=f"{sending.sent_at():%B}")
    campaign, _counts = demo_seed.add_campaign(
        admin, marketing, title, plan, kind.people, **context
    )
    return campaign


def _play(marketing, demo, sending, campaign, number):
    """Sync a campaign, send it in the sandbox, and read its statistics."""
    if marketing.read("utm.campaign", campaign, "campaign_master_sent")["campaign_master_sent"]:
        return  # before the start was interrupted
    demo_seed.sync(marketing, campaign)
    remote = demo_seed.remote_campaign(demo, marketing, campaign, brief=True)
    if remote["status"] == "draft":
        age = datetime.datetime.now(datetime.UTC) - sending.sent_at()
        body = {
            "listId": demo_seed.list_ref(marketing, campaign),
            "minutesAgo": age / datetime.timedelta(minutes=1),
            "story": sending.story,
            "seed": number,
        }
        demo.sandbox.post(f"campaigns/{remote['id']}/send", body)
    marketing.call("utm.campaign", "action_campaign_master_refresh_statistics", [campaign])

    def is_read():
        progress = marketing.call("utm.campaign", "campaign_master_progress", [campaign])
        if progress["refresh_message"]:
            raise Problem(progress["refresh_message"])
        return None if progress["refreshing"] else True

    demo_seed.wait_for("The statistics have not been read.", is_read)
