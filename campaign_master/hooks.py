from odoo.fields import Domain
from odoo.tools import SQL

from .models.campaign_master_engagement_words import POSITION

# Tables of what activities leave behind, with their columns of model and record.
ACTIVITY_TABLES = {
    "mail.activity": "res_model",
    "mail.message": "model",
    "mail.followers": "res_model",
}


def uninstall_hook(env):
    """Delete what Odoo would keep: the users' favorite filters that need the add-on, as a list that
    opens with one of them would fail, the position of a scheduled action that was cut, and
    activities of campaigns."""
    uses_addon = Domain("model_id", "=like", "campaign.master.%") | Domain.OR(
        Domain(name, "like", "campaign_master_") for name in ("domain", "context", "sort")
    )
    env["ir.filters"].with_context(active_test=False).search(uses_addon).unlink()
    env["ir.config_parameter"].set_param(POSITION, False)
    if not _others_need_activities(env):
        _delete_activities(env)


def _others_need_activities(env):
    """:return: whether campaigns have messages by another add-on, too"""
    return any(
        "mail.thread" in vars(base).get("_inherit", ()) and base._module != "campaign_master"
        for base in env.registry["utm.campaign"]._base_classes__
    )


def _delete_activities(env):
    """Campaigns have no activities without the add-on."""
    for model, column in ACTIVITY_TABLES.items():
        rows = env[model].with_context(active_test=False)
        rows.search([(column, "=", "utm.campaign")]).unlink()
    # Odoo updates these for the models of a module that it installs.
    env.cr.execute(
        SQL(
            "UPDATE ir_model SET is_mail_thread = FALSE, is_mail_activity = FALSE WHERE model = %s",
            "utm.campaign",
        )
    )
