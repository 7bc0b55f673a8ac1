"""Creates demo data through Odoo's JSON-RPC and the sandbox's controls: what the demo (see
`demo_year.py`) and its check have in common.

Each record has an external id, so that an interrupted start can be resumed.
"""

import time

from . import people
from .console import Problem

MODULE = "campaign_master_demo"
# Set when complete, so that later starts do not undo the user's changes.
DONE = "campaign_master_demo.seeded"

# Passwords of the accounts in the sandbox.
SANDBOX_USERS = {"demo": "demo", "dublin": "dublin"}
MARKETING = {"login": "marketing", "password": "marketing"}
MARKETING_GROUPS = [
    "base.group_user",
    "base.group_partner_manager",
    "mass_mailing.group_mass_mailing_user",
    "sales_team.group_sale_salesman_all_leads",
]
COMPANY = {"name": "Wren & Barley", "email": "hello@wrenbarley.example", "city": "Bristol"}

PLANNED, READY = "Winter Sale", "New Opening Hours"
TEMPLATES = ["Newsletter, one column", "Newsletter, two columns", "Sale with three offers"]
# Existing members by list.
LISTS = {
    "Newsletter readers": ["elsie@caldercycles.example", "reader@elsewhere.example"],
    "Winter sale customers": ["samir@juniperspa.example", "kavita@foxglove.example"],
}
# Campaigns that have not been sent.
CAMPAIGNS = {
    PLANNED: {
        "description": "All customers and leads of the last three years.",
        "campaign_master_subject": "Our winter sale starts on Friday",
        "template": TEMPLATES[2],
        "list": "Winter sale customers",
    },
    READY: {
        "description": "For companies and people whom we know.",
        "campaign_master_subject": "We open at eight from next month",
        "template": TEMPLATES[0],
        "list": "Newsletter readers",
    },
}
SENDER = {
    "campaign_master_from_name": "Nell at Wren & Barley",
    "campaign_master_from_email": "nell@wrenbarley.example",
    "campaign_master_reply_to": "hello@wrenbarley.example",
}
TIMEOUT = 120  # seconds


def set_up(admin, demo):
    """Create the company, the marketing user, the account, and data in the sandbox."""
    # Do not send the domain of each lead to Odoo's enrichment service.
    admin.call("ir.config_parameter", "set_param", "crm.iap.lead.enrich.setting", "manual")
    company = admin.reference("base.main_company")
    admin.call("res.company", "write", [company], COMPANY)
    groups = [admin.reference(name) for name in MARKETING_GROUPS]
    user = {
        "name": "Marta Keting",
        "email": "marta@wrenbarley.example",
        "group_ids": [(6, 0, groups)],
        "tz": "Europe/London",
        **MARKETING,
    }
    ensure(admin, "user_marketing", "res.users", user, no_reset_password=True)
    add_catalog(demo, "demo", TEMPLATES, LISTS)
    add_account(admin, demo, "account", company, "demo")


def add_account(admin, demo, key, company, username):
    """Create a company's account, and read its templates and lists."""
    values = {
        "company_id": company,
        "enabled": True,
        "api_url": demo.sandbox_url,
        "username": username,
        "password": SANDBOX_USERS[username],
    }
    account = ensure(admin, key, "campaign.master.account", values)
    update_port(admin, demo)
    admin.call("campaign.master.account", "action_test_connection", [account])
    admin.call("campaign.master.account", "action_refresh_catalogue", [account])


def update_port(admin, demo):
    """Set the sandbox's URL in the accounts; a changed URL requires the password again."""
    for account in admin.find("campaign.master.account", [], ["api_url", "username"]):
        # Keep the user's own accounts.
        password = SANDBOX_USERS.get(account["username"])
        if password and account["api_url"] != demo.sandbox_url:
            values = {"api_url": demo.sandbox_url, "password": password}
            admin.call("campaign.master.account", "write", [account["id"]], values)


def add_catalog(demo, username, templates, lists):
    """Create missing templates, and lists with members, in an account in the sandbox."""
    state = demo.sandbox.get("state?brief=1")
    known = {one["name"] for one in state["templates"] + state["lists"]}
    for name in templates:
        if name not in known:
            demo.sandbox.post("templates", {"name": name, "account": username})
    for name, emails in lists.items():
        if name not in known:
            demo.sandbox.post("lists", {"name": name, "emails": emails, "account": username})


def add_people(admin):
    """Create companies, contacts and leads."""
    companies = [
        [f"company_{number}", name, "true", city, email or ""]
        for number, (name, city, email) in enumerate(people.COMPANIES)
    ]
    load(admin, "res.partner", ["id", "name", "is_company", "city", "email"], companies)
    contacts = [
        [f"contact_{number}", name, "" if at is None else f"company_{at}", email or "", job or ""]
        for number, (name, at, email, job) in enumerate(people.CONTACTS)
    ]
    load(admin, "res.partner", ["id", "name", "parent_id/id", "email", "function"], contacts)
    leads = [
        [f"lead_{number}", subject, name, email or ""]
        for number, (subject, name, email) in enumerate(people.LEADS)
    ]
    load(admin, "crm.lead", ["id", "name", "contact_name", "email_from"], leads)


def load(admin, model, fields, rows):
    """Create or update records, with external ids in the first field of their rows."""
    context = {"module": MODULE, "noupdate": True, "tracking_disable": True}
    result = admin.call(model, "load", fields, rows, context=context)
    if not result["ids"]:
        raise Problem(f"Records of {model} could not be created: {result['messages']}")


def people_domain(admin, model):
    """Return a domain for the demo's people, without the users."""
    domain = [("module", "=", MODULE), ("model", "=", model), ("name", "not like", "user")]
    found = admin.find("ir.model.data", domain, ["res_id"])
    return [("id", "in", [row["res_id"] for row in found])]


def add_campaign(admin, marketing, title, plan=None, audience=None, **context):
    """Create a campaign as the marketing user, and add people; return its id and counts.

    :param plan: as in CAMPAIGNS; by default the one with this title
    :param audience: which people of which models: domains by model; by default all
    """
    plan = dict(plan or CAMPAIGNS[title])
    template = wait_for_name(marketing, "campaign.master.template", plan.pop("template"))
    mailing_list = wait_for_name(marketing, "campaign.master.list", plan.pop("list"))
    values = {
        "title": title,
        "campaign_master_template_id": template,
        "campaign_master_list_id": mailing_list,
        **SENDER,
        **plan,
    }
    key = "campaign_" + title.lower().replace(" ", "_")
    campaign = admin.reference(f"{MODULE}.{key}")
    if not campaign:
        campaign = marketing.call("utm.campaign", "create", [values], context=context)[0]
        _set_reference(admin, key, "utm.campaign", campaign)
    counts = {
        model: marketing.call(
            "utm.campaign",
            "campaign_master_add_recipients",
            [campaign],
            model,
            people_domain(admin, model) + domain,
        )
        for model, domain in (audience or {"res.partner": [], "crm.lead": []}).items()
    }
    return campaign, counts


def sync(marketing, campaign):
    """Sync a campaign; return the final state."""
    marketing.call("utm.campaign", "action_campaign_master_sync", [campaign])
    return wait_for_sync(marketing, campaign)


def wait_for_sync(marketing, campaign):
    """Wait until the scheduled action has ended a sync; return the final state."""

    def state():
        values = marketing.read("utm.campaign", campaign, "campaign_master_sync_state")
        state = values["campaign_master_sync_state"]
        return state if state not in ("never", "running") else None

    return wait_for("The sync has not finished.", state)


def remote_campaign(demo, marketing, campaign, brief=False):
    """Return a campaign's data in the sandbox, if brief without activity."""
    values = marketing.read("utm.campaign", campaign, "campaign_master_ref")
    for remote in demo.sandbox.get(f"state?brief={brief:d}")["campaigns"]:
        if str(remote["id"]) == values["campaign_master_ref"]:
            return remote
    raise Problem(f"The sandbox has no campaign {values['campaign_master_ref']!r}.")


def list_ref(marketing, campaign):
    """Return the id of a campaign's list in the sandbox."""
    values = marketing.read("utm.campaign", campaign, "campaign_master_list_id")
    found = marketing.read("campaign.master.list", values["campaign_master_list_id"][0], "ref")
    return int(found["ref"])


def wait_for(message, get, timeout=TIMEOUT):
    """Wait until a function returns a value; return it.

    :raise Problem: with the message, after the timeout
    """
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = get()
        if value is not None:
            return value
        time.sleep(0.1)
    raise Problem(f"{message} (Waited for {timeout} seconds.)")


def wait_for_name(session, model, name):
    """Wait for a record with a name; return its id."""

    def get():
        found = session.find(model, [("name", "=", name)], ["id"])
        return found[0]["id"] if found else None

    return wait_for(f"Odoo has not read {name!r} from the sandbox.", get)


def ensure(session, name, model, values, **context):
    """Return the record with an external id; create it if missing."""
    record = session.reference(f"{MODULE}.{name}")
    if not record:
        record = session.call(model, "create", [values], context=context)[0]
        _set_reference(session, name, model, record)
    return record


def _set_reference(session, name, model, record):
    values = {"module": MODULE, "name": name, "model": model, "res_id": record, "noupdate": True}
    session.call("ir.model.data", "create", [values])
