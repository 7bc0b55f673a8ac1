"""The columns that 19.0.1.4.0 moved or renamed, to compare their values before and after."""

# New columns by old ones.
CAMPAIGN = {
    "campaign_master_generation": "generation",
    "campaign_master_synced_draft": "synced_texts",
    "campaign_master_next_poll_at": "next_poll_at",
    "campaign_master_fresh_at": "fresh_at",
    "campaign_master_moved_at": "moved_at",
    "campaign_master_pull_step": "read_step",
    "campaign_master_pull_failures": "read_failures",
    "campaign_master_activity_due": "activity_due",
    "campaign_master_activity_since": "activity_since",
    "campaign_master_activity_next_since": "activity_next_since",
    "campaign_master_activity_page": "activity_page",
    "campaign_master_activity_seen": "activity_seen",
}
ACCOUNT = {
    "token": "token",
    "token_reset_at": "token_reset_at",
    "login_refused_at": "login_refused_at",
    "told_problem": "notified_problem",
    "hour_limit": "hour_limit",
    "hour_remaining": "hour_remaining",
    "hour_reset_at": "hour_reset_at",
    "month": "month",
    "month_calls": "month_calls",
    "rests_until": "next_turn_at",
    "catalogue_asked_at": "catalog_requested_at",
    "catalogue_read_at": "catalog_read_at",
    "catalogue_failed": "catalog_failed",
}
SYNC = {
    "asked_after_id": "inflight_from_id",
    "asked_upto_id": "inflight_to_id",
    "refused_upto_id": "bisect_to_id",
    "refusals": "bisect_calls",
    "round": "attempt",
    "waited": "waiting",
}
# Columns of a person's totals.
TOTALS = (
    "open_count",
    "click_count",
    "forward_count",
    "unsubscribe_count",
    "first_open",
    "last_open",
    "first_click",
    "last_click",
    "bounced",
    "opted_out",
)
OLD = {
    "utm_campaign": "SELECT id, to_jsonb(row) FROM utm_campaign AS row",
    "campaign_master_account": "SELECT id, to_jsonb(row) FROM campaign_master_account AS row",
    "campaign_master_sync": "SELECT id, to_jsonb(row) FROM campaign_master_sync AS row",
    "campaign_master_total": """
        SELECT COALESCE(partner_id, -lead_id) || ' in ' || company_id, to_jsonb(row)
          FROM campaign_master_total AS row
    """,
}
NEW = {
    "utm_campaign": "SELECT campaign_id, to_jsonb(row) FROM campaign_master_campaign AS row",
    "campaign_master_account": """
        SELECT account_id, to_jsonb(row) FROM campaign_master_account_state AS row
    """,
    "campaign_master_sync": OLD["campaign_master_sync"],
    "campaign_master_total": OLD["campaign_master_total"].replace("_total", "_engagement"),
}


def old_rows(data):
    """Return the rows of the old tables that the version has, by table and id."""
    return {table: dict(data.scene.sql(OLD[table])) for table in OLD if data.columns(table)}


def new_rows(data):
    """Return the rows that the old tables' rows became, likewise."""
    rows = {table: dict(data.scene.sql(query)) for table, query in NEW.items()}
    totals = rows["campaign_master_total"]
    rows["campaign_master_total"] = {key: row for key, row in totals.items() if _total(row)}
    return rows


def differences(before, after):
    """Compare the values of the old columns with those of the new ones.

    :param before: see :func:`old_rows`
    :param after: see :func:`new_rows`
    :return: a message for each difference
    """
    found = []
    for table, rows in before.items():
        expected = {key: _EXPECTED[table](row) for key, row in rows.items()}
        expected = {key: row for key, row in expected.items() if row is not None}
        if not expected:
            continue  # moved by an earlier upgrade
        lost, gained = expected.keys() - after[table].keys(), after[table].keys() - expected
        if table == "campaign_master_total":
            gained = set()  # contacts now have the totals of leads that became them
        if lost or gained:
            found.append(f"{table}: without {lost}, and with {gained}")
            continue
        found += [
            f"{name} of {table} {key} is {after[table][key][name]!r} instead of {value!r}"
            for key, row in expected.items()
            for name, value in row.items()
            if after[table][key][name] != value
        ]
    return found


def _renamed(row, columns):
    return {new: row[old] for old, new in columns.items() if old in row}


def _campaign(row):
    if "campaign_master_generation" not in row:
        return None  # moved already
    ref = row["campaign_master_ref"]
    if not (ref or row["campaign_master_generation"]):
        return None
    values = _renamed(row, CAMPAIGN)
    values["generation"] = values["generation"] or 0
    values["fresh_at"] = values.get("fresh_at") or row["campaign_master_synced_at"]
    if not ref or row["campaign_master_remote_status"] == "deleted":
        values["next_poll_at"] = None
    elif not values.get("next_poll_at"):
        values.pop("next_poll_at", None)  # due
    return values


def _account(row):
    if "token" not in row:
        return None  # moved already
    values = {**_renamed(row, ACCOUNT), "login_version": 0}
    if values.get("notified_problem") == "login":
        values["notified_problem"] = "login 0"
    return values


def _sync(row):
    return {**_renamed(row, SYNC), "step": row.get("step", "push")}


def _total(row):
    """People without activity may have a row or not."""
    values = {name: row[name] for name in TOTALS if name in row}
    return values if any(values.values()) else None


_EXPECTED = {
    "utm_campaign": _campaign,
    "campaign_master_account": _account,
    "campaign_master_sync": _sync,
    "campaign_master_total": _total,
}
