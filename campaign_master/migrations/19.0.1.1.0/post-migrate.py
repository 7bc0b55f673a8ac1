from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Syncs have a log with their position now. The position of running ones is not known: they
    are cancelled, and another sync adds the remaining recipients."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["utm.campaign"].search([("campaign_master_sync_state", "=", "running")]).write(
        {
            "campaign_master_sync_state": "cancelled",
            "campaign_master_sync_message": "Interrupted by an update of the add-on. Sync again: "
            "it goes on where it stopped.",
        }
    )
