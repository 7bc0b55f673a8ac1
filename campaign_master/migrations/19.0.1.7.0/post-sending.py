from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every


def migrate(cr, version):
    """Recipients that Campaign Master left out because they had opted out say so, and what is not
    known at an age is not 0. The age of snapshots is no longer stored. People have opted out, too,
    if another person did with their address."""
    cr.execute("ALTER TABLE campaign_master_snapshot DROP COLUMN IF EXISTS age")
    # Of the recipients on the list, these are the only ones that are neither sent to nor late.
    cr.execute(
        """
        UPDATE campaign_master_recipient AS recipient SET opted_out_before = TRUE
          FROM utm_campaign AS campaign
         WHERE campaign.id = recipient.campaign_id
           AND campaign.campaign_master_remote_status IN ('sending', 'sent')
           AND recipient.sync_state IN ('added', 'exists')
           AND recipient.sent_to IS NOT TRUE AND recipient.late IS NOT TRUE
           AND recipient.opted_out_before IS NOT TRUE
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    campaigns = env["campaign.master.campaign"].search([("sent_at", "!=", False)]).campaign_id
    for some in split_every(100, campaigns.ids, campaigns.browse):
        env["campaign.master.age"]._keep(some)
    people = env["campaign.master.recipient"]._people_of(
        SQL("opted_out IS TRUE AND opted_out_before")
    )
    env["campaign.master.engagement"]._recompute_people(people)
