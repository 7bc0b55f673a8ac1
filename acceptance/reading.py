"""All that a user can see of the add-on's data, to be compared before and after an upgrade."""

from environment.rpc import OdooError

# Models of Odoo, of which only what the add-on added is read.
EXTENDED = ("utm.campaign", "res.partner", "crm.lead")
ADDED = ("campaign_master_", "description")
NOT_ALLOWED = "not allowed"
# Say another thing at each moment.
MOVING = {
    "calls_forecast",
    "calls_this_hour",
    "duration",
    "write_date",
}


def models(admin):
    """Return the names of the add-on's models, wizards left out."""
    domain = [("model", "=like", "campaign.master.%"), ("transient", "=", False)]
    return [row["model"] for row in admin.find("ir.model", domain, ["model"])]


def everything(session, names):
    """Read all records of the models, with all fields that the user may read.

    :param session: ``environment.rpc.Odoo`` of the user
    :param names: of models
    :return: by model: values by field by id, or ``NOT_ALLOWED``
    """
    return {name: _records(session, name) for name in (*names, *EXTENDED)}


def differences(before, after):
    """Compare what was read of one user before and after.

    Fields that only one side has are left out; what the former version offered and this one does
    not is the CHANGELOG's.

    :return: sentences
    """
    found = []
    for model, records in before.items():
        if NOT_ALLOWED in (records, after[model]):
            if records != after[model]:
                found.append(f"{model} was {_access(records)} and is {_access(after[model])}")
            continue
        if records.keys() != after[model].keys():
            found.append(f"{model} had {sorted(records)} and has {sorted(after[model])}")
            continue
        for record, values in records.items():
            now = after[model][record]
            found += [
                f"{name} of {model} {record} was {value!r} and is {now[name]!r}"
                for name, value in values.items()
                if name in now and name not in MOVING and now[name] != value
            ]
    return found


def _access(records):
    return NOT_ALLOWED if records == NOT_ALLOWED else "readable"


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
