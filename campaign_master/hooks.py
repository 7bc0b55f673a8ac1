from odoo.fields import Domain


def uninstall_hook(env):
    """Delete the users' favorite filters that need the add-on: Odoo keeps them, and a list that
    opens with one of them would fail."""
    uses_addon = Domain("model_id", "=like", "campaign.master.%") | Domain.OR(
        Domain(name, "like", "campaign_master_") for name in ("domain", "context", "sort")
    )
    env["ir.filters"].with_context(active_test=False).search(uses_addon).unlink()
