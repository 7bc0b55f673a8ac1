from odoo import models


class MailBlacklist(models.Model):
    """Odoo's blacklist. The add-on reads it, and never writes it."""

    _inherit = "mail.blacklist"

    # Recipients' addresses are in lower case. Odoo keeps the case of local parts with characters
    # outside ASCII.
    _campaign_master_email_index = models.Index("(LOWER(email)) WHERE active")
