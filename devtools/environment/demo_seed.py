"""Creates demo data through Odoo's JSON-RPC and the sandbox's controls.

Each record has an external id, so that an interrupted start can be resumed.
"""

import time

from . import people
from .console import Problem, say

MODULE = "campaign_master_demo"
# Set when complete, so that later starts do not undo the user's changes.
DONE = "campaign_master_demo.seeded"

SANDBOX_LOGIN = {"username": "demo", "password": "demo"}
MARKETING = {"login": "marketing", "password": "marketing"}
MARKETING_GROUPS = [
    "base.group_user",
    "base.group_partner_manager",
    "mass_mailing.group_mass_mailing_user",
    "sales_team.group_sale_salesman_all_leads",
]
COMPANY = {"name": "Wren & Barley", "email": "hello@wrenbarley.example", "city": "Bristol"}

SENT = "Autumn Newsletter"
PLANNED = "Winter Sale"
TEMPLATES = ["Newsletter, one column", "Newsletter, two columns", "Sale with three offers"]
# Existing members by list.
LISTS = {
    "Newsletter readers": ["elsie@caldercycles.example", "reader@elsewhere.example"],
    "Winter sale customers": ["samir@juniperspa.example", "kavita@foxglove.example"],
}
CAMPAIGNS = {
    SENT: {
        "description": "Four times a year: news from the workshop and one good offer.",
        "campaign_master_subject": "What autumn brings to Wren & Barley",
        "template": TEMPLATES[0],
        "list": "Newsletter readers",
    },
    PLANNED: {
        "description": "All customers and leads of the last three years.",
        "campaign_master_subject": "Our winter sale starts on Friday",
        "template": TEMPLATES[2],
        "list": "Winter sale customers",
    },
}
SENDER = {
    "campaign_master_from_name": "Nell at Wren & Barley",
    "campaign_master_from_email": "nell@wrenbarley.example",
    "campaign_master_reply_to": "hello@wrenbarley.example",
}
# The newsletter was sent two days ago, and its activity lasts five days.
SENT_MINUTES_AGO = 2 * 24 * 60
ACTIVITY_MINUTES = 5 * 24 * 60

TIMEOUT = 120  # seconds


def seed(demo):
    """Create the demo data if missing, and update the sandbox's port in the account."""
    admin = demo.session("admin", "admin")
    if admin.call("ir.config_parameter", "get_param", DONE):
        update_port(admin, demo)
        return
    say("Creating demo data ...")
    set_up(admin, demo)
    add_people(admin)
    marketing = demo.session(**MARKETING)
    for name in CAMPAIGNS:
        add_campaign(admin, marketing, name)
    _send(admin, marketing, demo)
    admin.call("ir.config_parameter", "set_param", DONE, "1")


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
    _ensure(admin, "user_marketing", "res.users", user, no_reset_password=True)
    add_catalog(demo)
    account = {
        "company_id": company,
        "enabled": True,
        "api_url": demo.sandbox_url,
        **SANDBOX_LOGIN,
    }
    account = _ensure(admin, "account", "campaign.master.account", account)
    update_port(admin, demo)
    admin.call("campaign.master.account", "action_test_connection", [account])
    admin.call("campaign.master.account", "action_refresh_catalogue", [account])


def update_port(admin, demo):
    """Set the sandbox's URL in the account; a changed URL requires the password again."""
    for account in admin.find("campaign.master.account", [], ["api_url", "username"]):
        # Keep the user's own accounts.
        is_demo = account["username"] == SANDBOX_LOGIN["username"]
        if is_demo and account["api_url"] != demo.sandbox_url:
            values = {"api_url": demo.sandbox_url, "password": SANDBOX_LOGIN["password"]}
            admin.call("campaign.master.account", "write", [account["id"]], values)


def add_catalog(demo):
    """Create missing templates and lists in the sandbox."""
    state = demo.sandbox.get("state?brief=1")
    templates = {template["name"] for template in state["templates"]}
    for name in TEMPLATES:
        if name not in templates:
            demo.sandbox.post("templates", {"name": name})
    lists = {one["name"] for one in state["lists"]}
    for name, emails in LISTS.items():
        if name not in lists:
            demo.sandbox.post("lists", {"name": name, "emails": emails})


def add_people(admin):
    """Create companies, contacts and leads."""
    companies = []
    for number, (name, city, email) in enumerate(people.COMPANIES):
        values = {"name": name, "is_company": True, "city": city, "email": email or False}
        companies.append(_ensure(admin, f"company_{number}", "res.partner", values))
    for number, (name, company, email, job) in enumerate(people.CONTACTS):
        values = {
            "name": name,
            "parent_id": False if company is None else companies[company],
            "email": email or False,
            "function": job or False,
        }
        _ensure(admin, f"contact_{number}", "res.partner", values)
    for number, (subject, name, email) in enumerate(people.LEADS):
        values = {"name": subject, "contact_name": name, "email_from": email or False}
        _ensure(admin, f"lead_{number}", "crm.lead", values)


def people_domain(admin, model):
    """Return a domain for the demo's people, without the users."""
    domain = [("module", "=", MODULE), ("model", "=", model), ("name", "not like", "user")]
    found = admin.find("ir.model.data", domain, ["res_id"])
    return [("id", "in", [row["res_id"] for row in found])]


def add_campaign(admin, marketing, name):
    """Create a campaign as the marketing user, and add all people; return its id and counts."""
    plan = dict(CAMPAIGNS[name])
    template = wait_for_name(marketing, "campaign.master.template", plan.pop("template"))
    mailing_list = wait_for_name(marketing, "campaign.master.list", plan.pop("list"))
    values = {
        "title": name,
        "campaign_master_template_id": template,
        "campaign_master_list_id": mailing_list,
        **plan,
        **SENDER,
    }
    key = "campaign_" + name.lower().replace(" ", "_")
    campaign = admin.reference(f"{MODULE}.{key}")
    if not campaign:
        campaign = marketing.call("utm.campaign", "create", [values])[0]
        _set_reference(admin, key, "utm.campaign", campaign)
    counts = {
        model: marketing.call(
            "utm.campaign",
            "campaign_master_add_recipients",
            [campaign],
            model,
            people_domain(admin, model),
        )
        for model in ("res.partner", "crm.lead")
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


def remote_campaign(demo, marketing, campaign):
    """Return a campaign's data in the sandbox."""
    values = marketing.read("utm.campaign", campaign, "campaign_master_ref")
    for remote in demo.sandbox.get("state")["campaigns"]:
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
        time.sleep(0.5)
    raise Problem(f"{message} (Waited for {timeout} seconds.)")


def wait_for_name(session, model, name):
    """Wait for a record with a name; return its id."""

    def get():
        found = session.find(model, [("name", "=", name)], ["id"])
        return found[0]["id"] if found else None

    return wait_for(f"Odoo has not read {name!r} from the sandbox.", get)


def _send(admin, marketing, demo):
    """Sync the newsletter, send it in the sandbox, and fetch its statistics."""
    campaign = admin.reference(f"{MODULE}.campaign_" + SENT.lower().replace(" ", "_"))
    sync(marketing, campaign)
    remote = remote_campaign(demo, marketing, campaign)
    if remote["status"] == "draft":
        demo.sandbox.post(
            f"campaigns/{remote['id']}/send",
            {
                "listId": list_ref(marketing, campaign),
                "minutes": ACTIVITY_MINUTES,
                "minutesAgo": SENT_MINUTES_AGO,
                "seed": 1,
            },
        )
    cron = admin.reference("campaign_master.ir_cron_pull_statistics")
    admin.call("ir.cron", "method_direct_trigger", [cron])

    def sent():
        values = marketing.read("utm.campaign", campaign, "campaign_master_sent")
        return values["campaign_master_sent"] or None

    wait_for("The statistics of the sent campaign have not been updated.", sent)


def _ensure(session, name, model, values, **context):
    """Return the record with an external id; create it if missing."""
    record = session.reference(f"{MODULE}.{name}")
    if not record:
        record = session.call(model, "create", [values], context=context)[0]
        _set_reference(session, name, model, record)
    return record


def _set_reference(session, name, model, record):
    values = {"module": MODULE, "name": name, "model": model, "res_id": record, "noupdate": True}
    session.call("ir.model.data", "create", [values])
