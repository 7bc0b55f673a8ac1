from odoo import SUPERUSER_ID, api
from odoo.tools import SQL
from odoo.tools.sql import column_exists

# Old columns by the new ones, in another table or with another name. Older versions do not have all
# of them.
ACCOUNT_STATE = {
    "token": "token",
    "token_reset_at": "token_reset_at",
    "login_refused_at": "login_refused_at",
    "notified_problem": "told_problem",
    "hour_limit": "hour_limit",
    "hour_remaining": "hour_remaining",
    "hour_reset_at": "hour_reset_at",
    "month": "month",
    "month_calls": "month_calls",
    "next_turn_at": "rests_until",
    "catalog_requested_at": "catalogue_asked_at",
    "catalog_read_at": "catalogue_read_at",
    "catalog_failed": "catalogue_failed",
}
CAMPAIGN = {
    "generation": "campaign_master_generation",
    "synced_texts": "campaign_master_synced_draft",
    "next_poll_at": "campaign_master_next_poll_at",
    "fresh_at": "campaign_master_fresh_at",
    "moved_at": "campaign_master_moved_at",
    "read_failures": "campaign_master_pull_failures",
    "activity_due": "campaign_master_activity_due",
    "activity_since": "campaign_master_activity_since",
    "activity_next_since": "campaign_master_activity_next_since",
    "activity_page": "campaign_master_activity_page",
    "activity_seen": "campaign_master_activity_seen",
}
SYNC = {
    "inflight_from_id": "asked_after_id",
    "inflight_to_id": "asked_upto_id",
    "bisect_to_id": "refused_upto_id",
    "bisect_calls": "refusals",
    "attempt": "round",
    "waiting": "waited",
}


def migrate(cr, version):
    """Move how the work stands out of Odoo's campaigns and of the accounts, into its own tables."""
    _move_account_states(cr)
    _move_campaigns(cr)
    _convert_syncs(cr)
    cr.execute("UPDATE campaign_master_usage SET purpose = 'catalog' WHERE purpose = 'catalogue'")
    # Engagement has a new table, which the next version fills.
    cr.execute("DROP TABLE IF EXISTS campaign_master_total")
    _drop_computed_columns(cr)
    # Set by earlier versions; PostgreSQL now gets statistics after people were added.
    cr.execute("ALTER TABLE campaign_master_recipient ALTER COLUMN campaign_id SET STATISTICS -1")


def _existing(cr, table, columns):
    """:return: pairs of new and old column, as identifiers, of those that the table has"""
    return [
        (SQL.identifier(new), SQL.identifier(old))
        for new, old in columns.items()
        if column_exists(cr, table, old)
    ]


def _move_account_states(cr):
    columns = _existing(cr, "campaign_master_account", ACCOUNT_STATE)
    cr.execute("UPDATE campaign_master_account SET login_version = 0 WHERE login_version IS NULL")
    cr.execute(
        SQL(
            """
            INSERT INTO campaign_master_account_state (account_id, login_version, %s)
            SELECT id, login_version, %s FROM campaign_master_account
            ON CONFLICT DO NOTHING
            """,
            SQL(", ").join(new for new, _old in columns),
            SQL(", ").join(old for _new, old in columns),
        )
    )
    # An administrator is notified once of each refused login.
    cr.execute(
        """
        UPDATE campaign_master_account_state SET notified_problem = 'login ' || login_version
         WHERE notified_problem = 'login'
        """
    )


def _move_campaigns(cr):
    columns = _existing(cr, "utm_campaign", CAMPAIGN)
    cr.execute(
        SQL(
            """
            INSERT INTO campaign_master_campaign (campaign_id, account_id, %s)
            SELECT id, campaign_master_account_id, %s FROM utm_campaign
             WHERE campaign_master_ref IS NOT NULL OR campaign_master_generation > 0
                OR campaign_master_sync_state = 'running'
            ON CONFLICT DO NOTHING
            """,
            SQL(", ").join(new for new, _old in columns),
            SQL(", ").join(old for _new, old in columns),
        )
    )
    if column_exists(cr, "utm_campaign", "campaign_master_pull_step"):
        cr.execute(
            """
            UPDATE campaign_master_campaign AS state
               SET read_step = campaign.campaign_master_pull_step
              FROM utm_campaign AS campaign
             WHERE campaign.id = state.campaign_id
               AND campaign.campaign_master_pull_step IN ('status', 'activity')
            """
        )
    # Deleted campaigns are not read; those of the first version, which had no schedule, are due.
    cr.execute(
        """
        UPDATE campaign_master_campaign AS state
           SET fresh_at = COALESCE(state.fresh_at, campaign.campaign_master_synced_at),
               generation = COALESCE(state.generation, 0),
               next_poll_at = CASE
                   WHEN campaign.campaign_master_ref IS NULL
                        OR campaign.campaign_master_remote_status = 'deleted' THEN NULL
                   ELSE COALESCE(state.next_poll_at, now() AT TIME ZONE 'UTC') END
          FROM utm_campaign AS campaign
         WHERE campaign.id = state.campaign_id
        """
    )
    # Odoo has computed it before there were rows.
    env = api.Environment(cr, SUPERUSER_ID, {})
    rows = env["campaign.master.campaign"].search([])
    env.add_to_compute(rows._fields["sent_at"], rows)
    env.flush_all()


def _convert_syncs(cr):
    columns = _existing(cr, "campaign_master_sync", SYNC)
    if columns:
        cr.execute(
            SQL(
                "UPDATE campaign_master_sync SET %s",
                SQL(", ").join(SQL("%s = %s", new, old) for new, old in columns),
            )
        )
    # They have created their campaign: the running ones continue with the recipients.
    cr.execute("UPDATE campaign_master_sync SET step = 'push', taken_at = started_at")
    cr.execute(
        """
        UPDATE campaign_master_sync AS sync SET lang = partner.lang, tz = partner.tz
          FROM res_users AS users
          JOIN res_partner AS partner ON partner.id = users.partner_id
         WHERE users.id = sync.user_id AND sync.state = 'running'
        """
    )


def _drop_computed_columns(cr):
    """Drop the columns of fields that are not stored anymore, which Odoo keeps."""
    cr.execute("ALTER TABLE utm_campaign DROP COLUMN IF EXISTS campaign_master_next_poll_at")
    cr.execute("ALTER TABLE campaign_master_account DROP COLUMN IF EXISTS login_refused_at")
