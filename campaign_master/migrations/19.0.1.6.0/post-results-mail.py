from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Nobody is mailed the results of campaigns that were seen sent before the upgrade. The script
    of 19.0.1.5.0, which may have run just now, marks them as sent."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["campaign.master.campaign"].search([("results_mail_due", "=", True)]).write(
        {"results_mail_due": False}
    )
