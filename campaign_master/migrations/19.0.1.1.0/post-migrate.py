from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Syncs have a log of their own now. Where running ones stood is not known any more; another
    sync goes on with those who wait."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["utm.campaign"].search([("campaign_master_sync_state", "=", "running")]).write(
        {
            "campaign_master_sync_state": "cancelled",
            "campaign_master_sync_message": "Interrupted by an update of the add-on. Sync again: "
            "it goes on where it stopped.",
        }
    )
