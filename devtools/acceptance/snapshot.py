"""All of the add-on's data that a user can read, to compare before and after an upgrade."""

from devtools.environment.rpc import OdooError

# Odoo's models; only the add-on's fields are compared.
EXTENDED = ("utm.campaign", "res.partner", "crm.lead")
ADDED = ("campaign_master_", "description")
NOT_ALLOWED = "not allowed"
# Values that depend on the time of reading, or are for the screen of the same version.
VOLATILE = {
    "display_name",
    "calls_forecast",
    "calls_this_hour",
    "campaign_master_sync_status",
    "duration",
    "write_date",
}
# JSON values in which later versions keep more: sums and missing figures without likely machines
# (19.0.1.6.0).
GROWING = {"sums", "campaign_master_unreported"}
# Models and values that later versions call differently.
RENAMED = {"campaign.master.total": "campaign.master.engagement"}
CONVERTED = {
    ("campaign.master.usage", "purpose"): {"catalogue": "catalog"},
}
# Fields that later versions no longer have.
REMOVED = {
    "utm.campaign": {
        # Moved to campaign.master.campaign (19.0.1.4.0); see moved.py.
        "campaign_master_activity_due",
        "campaign_master_activity_next_since",
        "campaign_master_activity_page",
        "campaign_master_activity_seen",
        "campaign_master_activity_since",
        "campaign_master_fresh_at",
        "campaign_master_generation",
        "campaign_master_moved_at",
        "campaign_master_pull_failures",
        "campaign_master_pull_step",
        "campaign_master_synced_draft",
        # Moved to the sync log and to the time of the next update (19.0.1.1.0).
        "campaign_master_pull_due",
        "campaign_master_sync_doubtful_id",
        "campaign_master_sync_failures",
        "campaign_master_sync_pass",
        "campaign_master_sync_position_id",
        "campaign_master_sync_retry_at",
        "campaign_master_sync_total",
        "campaign_master_sync_upto_id",
    },
    # Moved to campaign.master.account.state (19.0.1.4.0).
    "campaign.master.account": {
        "catalogue_asked_at",
        "catalogue_failed",
        "catalogue_read_at",
        "hour_limit",
        "hour_remaining",
        "hour_reset_at",
        "month",
        "month_calls",
    },
    # Renamed (19.0.1.4.0).
    "campaign.master.sync": {
        "asked_after_id",
        "asked_upto_id",
        "late",  # decided when the answers are stored (19.0.1.5.0)
        "refusals",
        "refused_upto_id",
        "round",
        "waited",
    },
    # The account is the campaign's (19.0.1.1.0).
    "campaign.master.recipient": {"account_id", "create_date", "create_uid", "write_uid"},
}


def models(admin):
    """Return the names of the add-on's models that have a table, without wizards."""
    domain = [("model", "=like", "campaign.master.%")]
    domain += [("abstract", "=", False), ("transient", "=", False)]
    return [row["model"] for row in admin.find("ir.model", domain, ["model"])]


def take(session, names):
    """Read all records and fields of the models that the user can read.

    :param session: ``devtools.environment.rpc.Odoo``
    :param names: of models
    :return: by model, either values by field by id, or ``NOT_ALLOWED``
    """
    return {name: _records(session, name) for name in (*names, *EXTENDED)}


def differences(before, after):
    """Compare two snapshots of the same user.

    :return: a message for each difference
    """
    found = []
    for name, records in before.items():
        model = RENAMED.get(name, name)
        if NOT_ALLOWED in (records, after[model]):
            if records != after[model]:
                found.append(f"access to {model} has changed")
            continue
        if records.keys() != after[model].keys():
            found.append(f"{model} had {sorted(records)} and has {sorted(after[model])}")
            continue
        for record, values in records.items():
            found += _value_differences(f"{model} {record}", model, values, after[model][record])
    return found


def _value_differences(record, model, before, after):
    for name, value in before.items():
        if name in VOLATILE:
            continue
        if converted := CONVERTED.get((model, name)):
            value = converted.get(value, value)
        if name not in after:
            if name not in REMOVED.get(model, ()):
                yield f"{name} of {record} no longer exists"
        elif name in GROWING and value and _is_part_of(value, after[name]):
            continue
        elif after[name] != value:
            yield f"{name} of {record} was {value!r} and is {after[name]!r}"


def _is_part_of(value, larger):
    if isinstance(value, dict):
        return value == {name: larger.get(name) for name in value}
    return [one for one in larger if one in value] == value


def _records(session, model):
    try:
        fields = session.call(model, "fields_get", [], attributes=["type"])
        names = [name for name in fields if model not in EXTENDED or name.startswith(ADDED)]
        context = {"active_test": False}
        rows = session.call(model, "search_read", [], fields=names, order="id", context=context)
    except OdooError as error:
        if "not allowed to access" not in str(error):
            raise
        return NOT_ALLOWED
    return {row["id"]: row for row in rows}
