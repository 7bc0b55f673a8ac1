from odoo import SUPERUSER_ID, api

# The model and code of scheduled actions. All other values belong to the administrator.
SCHEDULED_ACTIONS = {
    "ir_cron_pull_statistics": ("utm.campaign", "model._cron_campaign_master_pull()"),
    "ir_cron_push_recipients": ("campaign.master.sync", "model._cron_push()"),
    "ir_cron_refresh_catalogue": (
        "campaign.master.account",
        "model._cron_refresh_catalogue()",
    ),
}


def migrate(cr, version):
    """Update what loading the data files does not: the code of scheduled actions, which have
    noupdate; the number of recipients, which the first commits of 19.0.1.2.0 left empty; and the
    log columns of recipients, which 19.0.1.0.0 had and which make adding people slower."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, (model, code) in SCHEDULED_ACTIONS.items():
        cron = env.ref(f"campaign_master.{name}", raise_if_not_found=False)
        if cron:
            cron.ir_actions_server_id.write(
                {"model_id": env["ir.model"]._get_id(model), "state": "code", "code": code}
            )
    cr.execute(
        """
        UPDATE utm_campaign AS campaign SET campaign_master_recipient_count = line.count
          FROM (SELECT campaign_id, COUNT(*) FROM campaign_master_recipient
                 GROUP BY campaign_id) AS line
         WHERE line.campaign_id = campaign.id
           AND campaign.campaign_master_recipient_count IS DISTINCT FROM line.count
        """
    )
    cr.execute(
        """
        ALTER TABLE campaign_master_recipient
              DROP COLUMN IF EXISTS create_uid, DROP COLUMN IF EXISTS create_date,
              DROP COLUMN IF EXISTS write_uid, DROP COLUMN IF EXISTS write_date
        """
    )
