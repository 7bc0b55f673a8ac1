from odoo import SUPERUSER_ID, api
from odoo.tools import split_every


def migrate(cr, version):
    """Which recipients are likely machines, and what campaigns did without them.

    Snapshots and words of before stay as they are: the next reading and the next run of the
    scheduled action tell what has changed.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    rows = env["campaign.master.campaign"].search([])
    campaigns = rows.campaign_id.with_context(active_test=False)
    for some in split_every(100, campaigns.ids, campaigns.browse):
        for campaign in some:
            env["campaign.master.recipient"]._judge(campaign)
        some._campaign_master_keep_sums()
        env.flush_all()
        env.invalidate_all()
    for name in ("unique_opens_by_people", "unique_clicks_by_people", "unreported"):
        env.add_to_compute(campaigns._fields[f"campaign_master_{name}"], campaigns.search([]))
    env.flush_all()
    env["campaign.master.account"]._cron("update_engagement")._trigger()
