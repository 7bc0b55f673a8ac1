from odoo.fields import Domain

from .models.campaign_master_engagement_words import POSITION


def uninstall_hook(env):
    """Delete what Odoo would keep: the users' favorite filters that need the add-on, as a list that
    opens with one of them would fail, and the position of a scheduled action that was cut."""
    uses_addon = Domain("model_id", "=like", "campaign.master.%") | Domain.OR(
        Domain(name, "like", "campaign_master_") for name in ("domain", "context", "sort")
    )
    env["ir.filters"].with_context(active_test=False).search(uses_addon).unlink()
    env["ir.config_parameter"].set_param(POSITION, False)
