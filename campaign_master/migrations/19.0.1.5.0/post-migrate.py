from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every
from odoo.tools.sql import column_exists

from odoo.addons.campaign_master.models.campaign_master_recipient import SENT_STATUSES
from odoo.addons.campaign_master.models.campaign_master_sync import PROBLEMS
from odoo.addons.campaign_master.models.utm_campaign_figures import BY_PEOPLE

# What Campaign Master always reported so far.
FIGURES = (
    "sent delivered hard_bounces soft_bounces rejected opens unique_opens clicks unique_clicks"
    " forwards unsubscribes complaints"
).split()


def migrate(cr, version):
    """Recipients know whether the campaign was sent to them, and who shares an address."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("ALTER TABLE campaign_master_sync DROP COLUMN IF EXISTS late")
    _mark_twins(cr)
    campaigns = env["utm.campaign"].with_context(active_test=False)
    for campaign in campaigns.search([("campaign_master_remote_status", "in", SENT_STATUSES)]):
        campaign._campaign_master_mark_sent()
    _set_companies(cr)
    _settle_figures(cr)
    _recompute_states_and_rates(env)
    _recompute_engagement(env)
    _start_history(env)
    # After the upgrade: it takes as long as there are people.
    env["campaign.master.account"]._cron("update_engagement")._trigger()


def _mark_twins(cr):
    cr.execute(
        """
        UPDATE campaign_master_recipient AS recipient SET is_twin = TRUE
          FROM (SELECT id, ROW_NUMBER() OVER (
                           PARTITION BY campaign_id, email
                               ORDER BY sync_state NOT IN ('added', 'exists'), id) AS rank
                  FROM campaign_master_recipient WHERE email IS NOT NULL) AS ranked
         WHERE ranked.id = recipient.id AND ranked.rank > 1
        """
    )


def _set_companies(cr):
    """Where campaigns have a company, it is that of their account."""
    # In SQL: Odoo's Sales app, which adds it, may not be loaded yet.
    if column_exists(cr, "utm_campaign", "company_id"):
        cr.execute(
            """
            UPDATE utm_campaign AS campaign SET company_id = account.company_id
              FROM campaign_master_account AS account
             WHERE account.id = campaign.campaign_master_account_id
               AND campaign.company_id IS DISTINCT FROM account.company_id
            """
        )


def _settle_figures(cr):
    """Figures that were read are numbers, the others NULL. Until now, zeros were not always stored,
    and the zeros of campaigns that were not read were."""
    columns = [SQL.identifier(f"campaign_master_{name}") for name in FIGURES]
    cr.execute(
        SQL(
            "UPDATE utm_campaign SET %s",
            SQL(", ").join(
                SQL(
                    "%s = CASE WHEN campaign_master_statistics_at IS NOT NULL"
                    " THEN COALESCE(%s, 0) END",
                    column,
                    column,
                )
                for column in columns
            ),
        )
    )


def _recompute_states_and_rates(env):
    """Syncs that left somebody out were partial, even if they had nothing to do; campaigns that
    were not sent have no rate."""
    env.cr.execute(
        """
        UPDATE utm_campaign SET campaign_master_sync_state = 'partial'
         WHERE campaign_master_sync_state IN ('complete', 'unchanged')
           AND campaign_master_outcome ?| %s
        """,
        [list(PROBLEMS)],
    )
    env.invalidate_all()
    campaigns = env["utm.campaign"].with_context(active_test=False).search([])
    names = ["state", "total_bounces", "successful", "unreported"]
    names += [f"{name}_by_people" for name in BY_PEOPLE]
    others = [campaigns._fields[f"campaign_master_{name}"] for name in names]
    for field in (*campaigns._rates(), *others):
        env.add_to_compute(field, campaigns)
    env.flush_all()


def _recompute_engagement(env):
    """Whether a person is bounced, and what leads did, is counted in another way."""
    env.cr.execute(
        """
        SELECT partner_id, lead_id FROM campaign_master_recipient
         WHERE open_count > 0 OR click_count > 0 OR forward_count > 0 OR unsubscribe_count > 0
            OR bounced OR opted_out
         UNION SELECT partner_id, lead_id FROM campaign_master_engagement
        """
    )
    env["campaign.master.engagement"]._recompute_people(env.cr.fetchall(), removed=True)


def _start_history(env):
    """The history of each campaign starts with today's figures. What people did, and had done at
    which age, is known of all campaigns: from the recipients."""
    campaigns = env["utm.campaign"].with_context(active_test=False)
    campaigns = campaigns.search([("campaign_master_statistics_at", "!=", False)])
    env["campaign.master.snapshot"]._take(campaigns)
    for some in split_every(100, campaigns.ids, campaigns.browse):
        some._campaign_master_keep_sums()
        env["campaign.master.age"]._keep(some)
