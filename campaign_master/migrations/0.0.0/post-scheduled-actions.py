from odoo import SUPERUSER_ID, api

# The model and code of scheduled actions. Their other values belong to the administrator.
SCHEDULED_ACTIONS = {
    "ir_cron_pull_statistics": ("campaign.master.campaign", "model._cron_read_statistics()"),
    "ir_cron_push_recipients": ("campaign.master.sync", "model._cron_push()"),
    "ir_cron_check_api": ("campaign.master.api.check", "model._cron_check()"),
    "ir_cron_refresh_catalogue": ("campaign.master.account", "model._cron_refresh_catalog()"),
    "ir_cron_find_machines": ("campaign.master.campaign", "model._cron_judge()"),
    "ir_cron_mail_results": ("campaign.master.campaign", "model._cron_mail_results()"),
    "ir_cron_update_engagement": ("campaign.master.engagement", "model._cron_update_words()"),
}


def migrate(cr, version):
    """Runs with each upgrade: the records are ``noupdate``, so that Odoo does not update them."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, (model, code) in SCHEDULED_ACTIONS.items():
        cron = env.ref(f"campaign_master.{name}", raise_if_not_found=False)
        if cron:
            cron.ir_actions_server_id.write(
                {"model_id": env["ir.model"]._get_id(model), "state": "code", "code": code}
            )
