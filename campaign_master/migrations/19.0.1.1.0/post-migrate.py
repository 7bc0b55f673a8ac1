from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Syncs have a log of their own now, and the scheduled action that pushes belongs to it."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cron = env.ref("campaign_master.ir_cron_push_recipients", raise_if_not_found=False)
    if cron:
        cron.ir_actions_server_id.write(
            {
                "model_id": env["ir.model"]._get_id("campaign.master.sync"),
                "code": "model._cron_push()",
            }
        )
    # Where these stood is not known any more; another sync goes on with those who wait.
    env["utm.campaign"].search([("campaign_master_sync_state", "=", "running")]).write(
        {
            "campaign_master_sync_state": "cancelled",
            "campaign_master_sync_message": "Interrupted by an update of the add-on. Sync again: "
            "it goes on where it stopped.",
        }
    )
