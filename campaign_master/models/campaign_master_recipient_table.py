from odoo import models
from odoo.tools import SQL

# A person has any number of merged recipients on a campaign, and one that is not merged.
MERGED_KEY = "CASE WHEN is_merged THEN id ELSE 0 END"
# Columns that PostgreSQL computes from others of the same row, so that no statement can forget
# them.
GENERATED_COLUMNS = {
    "opted_out": "opted_out_here IS TRUE OR opted_out_before IS TRUE",
    "delivered": "sent_to IS TRUE AND bounced IS NOT TRUE",
    # For indexes: unlike the counts, they change once.
    "opened": "COALESCE(open_count, 0) > 0",
    "clicked": "COALESCE(click_count, 0) > 0",
    "result": """
        CASE WHEN opted_out_here THEN 'opted_out'
             WHEN click_count > 0 THEN 'clicked'
             WHEN open_count > 0 THEN 'opened'
             WHEN bounced THEN 'bounced'
             WHEN sent_to THEN 'delivered'
             WHEN late THEN 'late'
             WHEN opted_out_before THEN 'opted_out'
             WHEN sync_state IN ('added', 'exists') THEN 'on_list'
             WHEN sync_state = 'pending' THEN 'waiting'
             WHEN sync_state = 'duplicate' THEN 'duplicate'
             ELSE 'not_sent' END""",
}


class CampaignMasterRecipient(models.Model):
    """How recipients are stored: constraints, indexes, and columns that PostgreSQL computes."""

    _inherit = "campaign.master.recipient"

    # No index contains a column that most syncs or readings update, so that updates are HOT. That
    # goes for their conditions, too.
    _unique_partner = models.UniqueIndex(
        f"(partner_id, campaign_id, ({MERGED_KEY})) WHERE partner_id IS NOT NULL",
        "This contact is already on the campaign.",
    )
    _unique_lead = models.UniqueIndex(
        f"(lead_id, campaign_id, ({MERGED_KEY})) WHERE lead_id IS NOT NULL",
        "This lead is already on the campaign.",
    )
    _one_person = models.Constraint(
        "CHECK (partner_id IS NULL OR lead_id IS NULL)",
        "A recipient is either a lead or a contact or company.",
    )
    _email_index = models.Index("(email, campaign_id) WHERE email IS NOT NULL")
    # Small, and changed only for the few that bounce: who shares an address that ever bounced.
    _bounced_index = models.Index("(email) WHERE bounced")
    _campaign_index = models.Index("(campaign_id, id)")
    # For the pages of the tabs: without them, the first page of a tab reads all lines of the
    # campaign up to its first lead.
    _lead_index = models.Index("(campaign_id, id) WHERE kind = 'lead'")
    _contact_index = models.Index("(campaign_id, id) WHERE kind = 'contact'")
    _company_index = models.Index("(campaign_id, id) WHERE kind = 'company'")
    # For the people behind a number, of whom there may be few: without them, the list of 20 of
    # 100,000 reads all lines of the campaign twice, 60 ms instead of 1. The first open, the first
    # click and an opt-out are updates that are not HOT, which makes the first reading of an opener
    # 12 µs slower.
    _opened_index = models.Index("(campaign_id, id) WHERE opened IS TRUE")
    _clicked_index = models.Index("(campaign_id, id) WHERE clicked IS TRUE")
    _lost_index = models.Index(
        "(campaign_id, id) WHERE bounced IS TRUE OR opted_out IS TRUE OR unsubscribe_count > 0"
    )
    _machine_index = models.Index("(campaign_id, id) WHERE machine_rule IS NOT NULL")

    def init(self):
        # Room for updates on the same page, which then touch no index: 4.5 ms for the results of
        # 1,000 recipients, 5.4 ms with a fillfactor of 50, at which 7 % find no room, as rows grow.
        # No statistics of kinds: one recipient in five is a lead, but PostgreSQL does not know that
        # leads were added last, and reads all others for the first page of their tab (10 ms
        # instead of 0.03).
        self.env.cr.execute(
            SQL(
                """
                ALTER TABLE campaign_master_recipient
                      SET (fillfactor = 40), ALTER COLUMN kind SET STATISTICS 0
                """
            )
        )
        self._generate_columns()

    def _generate_columns(self):
        """Replace the ordinary columns that Odoo has created by generated ones."""
        rows = self.env.execute_query(
            SQL(
                "SELECT attname FROM pg_attribute"
                " WHERE attrelid = 'campaign_master_recipient'::regclass AND attgenerated = 's'"
            )
        )
        changes = []
        for name, expression in GENERATED_COLUMNS.items():
            if (name,) not in rows:
                column = SQL.identifier(name)
                changes.append(SQL("DROP COLUMN IF EXISTS %s", column))
                changes.append(
                    SQL(
                        "ADD COLUMN %s %s GENERATED ALWAYS AS (%s) STORED",
                        column,
                        SQL(self._fields[name].column_type[1]),
                        SQL(expression),
                    )
                )
        if changes:
            self.env.cr.execute(
                SQL("ALTER TABLE campaign_master_recipient %s", SQL(", ").join(changes))
            )
            # The indexes of the columns went with them.
            self._add_sql_constraints()
