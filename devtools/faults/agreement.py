"""Whether Odoo and the sandbox agree: completely, by what both say of themselves."""

from collections import Counter, defaultdict

from devtools.environment.demo_check import ADDRESS, FIGURES, RECIPIENT_FIGURES

TIMES = {
    "first_open": "firstOpen",
    "last_open": "lastOpen",
    "first_click": "firstClick",
    "last_click": "lastClick",
}
# What a person has in total -> what that is the sum of.
TOTALS = {
    "open_count": "open_count",
    "click_count": "click_count",
    "forward_count": "forward_count",
    "unsubscribe_count": "unsubscribe_count",
}
TEXTS = {
    "title": "name",
    "description": "description",
    "campaign_master_subject": "subject",
}
ON_LIST = ("added", "exists")
ENDED = ("complete", "partial", "unchanged")


def differences(scene, campaign, before=(), unreported=()):
    """Compare a campaign and its recipients with what the sandbox holds.

    :param Scene scene: who asks
    :param int campaign: its id
    :param before: addresses that were on the list before Odoo put anybody there
    :param unreported: figures that were left out of the last response, by Odoo's names
    :return: sentences, none if both agree
    """
    lines = _lines(scene, campaign)
    return [
        *_campaign(scene, campaign, unreported),
        *_recipients(scene, campaign, lines, set(before)),
        *_figures(scene, campaign, lines),
        *_totals(scene, lines),
    ]


def figure_differences(scene, campaign):
    """Compare only status and figures; the recipients may be on other campaigns as well."""
    lines = _lines(scene, campaign)
    return [*_campaign(scene, campaign), *_figures(scene, campaign, lines)]


def catalog_differences(scene, account, with_counts=True):
    """Compare templates and lists; return sentences, none if both agree.

    :param bool with_counts: whether the sandbox tells how many recipients a list has
    """
    state = scene.sandbox.get("state?brief=1")
    ours = scene.admin.read("campaign.master.account", account, "username")
    found = []
    for model, kind, fields in (
        ("campaign.master.template", "templates", {"name": "name"}),
        ("campaign.master.list", "lists", {"name": "name", "recipient_count": "recipients"}),
    ):
        if not with_counts:
            fields = {"name": "name"}
        here = scene.marketer.find(model, [("account_id", "=", account)], ["ref", *fields])
        here = {row["ref"]: tuple(row[name] for name in fields) for row in here}
        there = {
            str(row["id"]): tuple(row[name] for name in fields.values())
            for row in state[kind]
            if row["account"] == ours["username"]
        }
        if here != there:
            found.append(f"{kind} in Odoo are {here}, in the sandbox {there}")
    return found


def _campaign(scene, campaign, unreported=()):
    names = [*TEXTS, "campaign_master_ref", "campaign_master_sync_state"]
    names.append("campaign_master_unreported")
    figures = {f"campaign_master_{name}": remote for name, remote in FIGURES.items()}
    values = scene.marketer.read("utm.campaign", campaign, *names, *figures)
    remotes = _remote_campaigns(scene, campaign)
    if [str(remote["id"]) for remote in remotes] != [values["campaign_master_ref"]]:
        yield (
            f"in the sandbox the campaign is {[remote['id'] for remote in remotes]}, "
            f"in Odoo {values['campaign_master_ref']}"
        )
        return
    [remote] = remotes
    if values["campaign_master_sync_state"] not in ENDED:
        yield f"the sync is {values['campaign_master_sync_state']}"
    for name, theirs in TEXTS.items():
        if remote["status"] == "draft" and values[name] != remote[theirs]:
            yield f"{name} is {values[name]!r} in Odoo and {remote[theirs]!r} in the sandbox"
    missing = set(values["campaign_master_unreported"] or ())
    if not missing.issuperset(unreported):
        yield f"{sorted(unreported)} are not “–”"
    # Sandboxes of older releases have no dialects.
    dialect = scene.sandbox.get("state").get("dialect", {})
    if not unreported and dialect.get("figures", "all") == "all":
        missing = set()  # all figures were reported
    for name, theirs in figures.items():
        if name not in missing and values[name] != remote["statistics"][theirs]:
            yield (
                f"{name} is {values[name]} in Odoo and {remote['statistics'][theirs]} "
                "in the sandbox"
            )


def _remote_campaigns(scene, campaign):
    """All that the sandbox holds under a reference of this campaign, whatever its suffix."""
    reference = scene.admin.call("ir.config_parameter", "get_param", "database.uuid")
    start = f"odoo-{reference}-{campaign}"
    return [
        remote
        for remote in scene.sandbox.get("state")["campaigns"]
        if f"{remote['reference']}-".startswith(f"{start}-")
    ]


def _lines(scene, campaign):
    return scene.marketer.find(
        "campaign.master.recipient",
        [("campaign_id", "=", campaign)],
        ["email", "sync_state", "partner_id", "lead_id", *RECIPIENT_FIGURES, *TIMES],
    )


def _recipients(scene, campaign, lines, before):
    yield from _states(lines, before)
    there = members(scene, campaign)
    ours = Counter(line["email"] for line in lines if line["sync_state"] in ON_LIST)
    twice = [email for email, times in ours.items() if times > 1]
    if twice:
        yield f"these are on the list twice, as far as Odoo knows: {twice[:5]}"
    if missing := ours.keys() - set(there):
        yield f"{len(missing)} who are on the list for Odoo are not: {sorted(missing)[:5]}"
    if surplus := set(there) - ours.keys() - before:
        yield f"{len(surplus)} are on the list and not so in Odoo: {sorted(surplus)[:5]}"
    if len(there) != len(set(there)):
        yield "somebody is on the list twice"


def _states(lines, before):
    """Each recipient's outcome follows from its address, and from who was there before."""
    seen = set()
    for line in lines:
        email, state = line["email"], line["sync_state"]
        if not email:
            wanted = ("no_email",)
        elif not ADDRESS.fullmatch(email):
            wanted = ("invalid",)
        elif email in seen:
            wanted = ("duplicate",)
        elif email in before:
            # If an answer got lost nobody can tell whether it was we who added it.
            wanted = ON_LIST
        else:
            wanted = ("added",)
        seen.add(email)
        if state not in wanted:
            yield f"{email} is {state}, must be {' or '.join(wanted)}"


def members(scene, campaign):
    """Return the addresses on a campaign's list in the sandbox."""
    [list_id, _name] = scene.read(campaign, "list_id")
    ref = scene.marketer.read("campaign.master.list", list_id, "ref")["ref"]
    return scene.sandbox.get(f"lists/{ref}/members")["emails"]


def _figures(scene, campaign, lines):
    remotes = _remote_campaigns(scene, campaign)
    activity = {row["email"]: row for remote in remotes for row in remote["activity"]}
    for line in lines:
        row = activity.get(line["email"])
        for name, theirs in RECIPIENT_FIGURES.items():
            wanted = row[theirs] if row else type(line[name])()
            if line[name] != wanted:
                yield f"{name} of {line['email']} is {line[name]}, must be {wanted}"
        for name, theirs in TIMES.items():
            wanted = row[theirs] if row else None
            if (line[name] or None) != (wanted and _as_odoo_says(wanted)):
                yield f"{name} of {line['email']} is {line[name]}, must be {wanted}"


def _totals(scene, lines):
    for model, field in {"res.partner": "partner_id", "crm.lead": "lead_id"}.items():
        sums = defaultdict(Counter)
        for line in lines:
            if line[field]:
                for total, figure in TOTALS.items():
                    sums[line[field][0]][total] += line[figure]
        names = {f"campaign_master_{total}": total for total in TOTALS}
        for row in scene.marketer.call(model, "read", list(sums), list(names)):
            for name, total in names.items():
                if row[name] != sums[row["id"]][total]:
                    yield f"{name} of {model} {row['id']} is {row[name]}, must be " + str(
                        sums[row["id"]][total]
                    )


def _as_odoo_says(time):
    """``2026-01-31T09:30:00.123Z`` as ``2026-01-31 09:30:00``."""
    return time[:19].replace("T", " ")
