"""Opens every view of the add-on like the web client, and uses its fields and filters."""

import ast
import re
from xml.etree import ElementTree

from devtools.environment.rpc import OdooError

MODULE = "campaign_master"
# Values of the names in domains of filters.
NAMES = {"uid": 1, "self": "ann", "active_id": 1}
SUMMED = ("integer", "float", "monetary")
GROUPED = ("boolean", "char", "date", "datetime", "many2one", "selection")
LINES = 40


def displayed(admin):
    """Return the add-on's views as ``(model, type, id)``, with extensions as the view that they
    extend."""
    domain = [("module", "=", MODULE), ("model", "=", "ir.ui.view")]
    ids = [row["res_id"] for row in admin.find("ir.model.data", domain, ["res_id"])]
    ids = admin.call("ir.ui.view", "search", [("id", "in", ids), ("model", "!=", False)])
    fields = ["model", "type", "inherit_id", "mode"]
    found = set()
    for view in admin.call("ir.ui.view", "read", ids, fields):
        root, current = view["id"], view
        while current["mode"] == "extension":
            root = current["inherit_id"][0]
            [current] = admin.call("ir.ui.view", "read", [root], fields)
        found.add((view["model"], current["type"], root))
    return sorted(found)


def open_all(session, views):
    """Open views as a user, with their records, filters and groups.

    :param session: ``devtools.environment.rpc.Odoo``
    :param views: see :func:`displayed`
    :return: the number of views whose model the user can read
    """
    return sum(_open(session, *view) for view in views)


def _open(session, model, kind, view):
    if not session.call(model, "has_access", [], "read"):
        return False
    options = {"toolbar": True, "load_filters": True}
    result = session.call(model, "get_views", [[view, kind]], options)
    arch = ElementTree.fromstring(result["views"][kind]["arch"])
    fields = result["models"][model]["fields"]
    use = {"search": _use_search, "graph": _use_report, "pivot": _use_report}.get(
        kind, _use_records
    )
    try:
        use(session, model, kind, arch, fields)
    except OdooError as error:
        raise AssertionError(f"{kind} of {model} ({view}): {error}") from error
    return True


def _use_records(session, model, kind, arch, fields):
    """Read the records, and sort a list by each sortable field."""
    specification = {
        name: {"fields": {"display_name": {}}} if fields[name]["type"] == "many2one" else {}
        for name in _names(arch)
        # Some of Odoo's fields fail for users who can read the record.
        if _is_ours(model, name)
    }
    found = session.call(model, "web_search_read", [], specification=specification, limit=LINES)
    records = [row["id"] for row in found["records"]]
    if kind == "form" and records:
        session.call(model, "web_read", records[:1], specification=specification)
    if kind == "list":
        for name in specification:
            if fields[name].get("sortable"):
                session.call(model, "search", [], limit=LINES, order=name)


def _use_search(session, model, _kind, arch, fields):
    for node in arch.iter("filter"):
        if node.get("domain"):
            session.call(model, "search_count", _domain(node.get("domain")))
        group = re.search(r"['\"]group_by['\"]: *['\"]([\w:]+)['\"]", node.get("context", ""))
        # Not properties, as none are defined.
        if group and fields[group[1].split(":")[0]]["type"] in GROUPED:
            session.call(model, "formatted_read_group", [], [_group(group[1], fields)], ["__count"])
    for node in arch.iter("field"):
        name = node.get("name")
        if not _is_ours(model, name):
            continue
        if node.get("filter_domain"):
            session.call(model, "search_count", _domain(node.get("filter_domain")))
        elif fields[name]["type"] in ("char", "many2one", "text"):
            session.call(model, "search_count", [(name, "ilike", NAMES["self"])])


def _use_report(session, model, _kind, arch, fields):
    """Group by each groupable field, with all sums."""
    ours = [
        name for name, field in fields.items() if field.get("store", True) and _is_ours(model, name)
    ]
    sums = [
        f"{name}:{fields[name].get('aggregator') or 'sum'}"
        for name in ours
        if fields[name]["type"] in SUMMED and fields[name].get("aggregator")
    ]
    groups = {name for name in ours if fields[name].get("groupable", True)}
    groups = {name for name in groups if fields[name]["type"] in GROUPED}
    groups |= {name for name in _names(arch) if fields[name]["type"] in GROUPED}
    for name in sorted(groups):
        group = _group(name, fields)
        session.call(model, "formatted_read_group", [], [group], ["__count", *sums])


def _group(name, fields):
    """Return the value to group by; the default for dates and times is by month."""
    is_time = ":" not in name and fields[name]["type"] in ("date", "datetime")
    return f"{name}:month" if is_time else name


def _is_ours(model, name):
    return model.startswith("campaign.master.") or name.startswith(MODULE)


def _names(arch):
    """Return the field names of a view, without nested views."""
    names = {}

    def collect(node):
        for child in node:
            if child.tag == "field":
                names[child.get("name")] = None
            else:
                collect(child)

    collect(arch)
    return list(names)


def _domain(text):
    """Evaluate a domain, with all times replaced by the same date."""
    if "context_today" in text or "datetime" in text:
        text = re.sub(r"\(?\(?context_today\(\).*?strftime\([^)]*\)\)?", "'2026-01-01'", text)
    return ast.literal_eval(
        re.sub(rf"\b({'|'.join(NAMES)})\b", lambda match: repr(NAMES[match[1]]), text)
    )
