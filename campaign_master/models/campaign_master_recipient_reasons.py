from odoo import api, models
from odoo.tools import SQL

from .campaign_master_recipient import ON_LIST

# What may surround an address without being seen: blanks, tabs, line breaks, no-break spaces, and
# characters without width. Odoo keeps some of them.
BLANKS = "\t\n\r \u00a0\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u2060\u3000\ufeff"
# One local part and one domain with a dot, each without empty parts. Stricter than the standard,
# which allows quotes and comments.
_LOCAL = rf"[^[:space:]{BLANKS}@\"(),:;<>.\[\]\\]+"
ADDRESS_PATTERN = (
    rf"^{_LOCAL}(\.{_LOCAL})*"
    r"@([[:alnum:]]([[:alnum:]-]*[[:alnum:]])?\.)+[[:alpha:]][[:alnum:]-]*[[:alnum:]]$"
)


class CampaignMasterRecipient(models.Model):
    """Which address a person has, and why it is not added to the list: the only place that decides
    it."""

    _inherit = "campaign.master.recipient"

    # === WHICH ADDRESS === #

    @api.model
    def _email_sql(self, table, email_field):
        """:return: a person's address as recipients store it: as Odoo sends to it, in lower case;
        what was entered, if it is not an address; ``NULL`` if nothing was entered"""
        return SQL(
            "COALESCE(NULLIF(%s, ''), NULLIF(BTRIM(%s, %s), ''))",
            self._address_sql(table),
            SQL.identifier(table, email_field),
            BLANKS,
        )

    @api.model
    def _address_sql(self, table):
        return SQL("LOWER(BTRIM(%s, %s))", SQL.identifier(table, "email_normalized"), BLANKS)

    @api.model
    def _is_valid_sql(self, table, email_field):
        """:return: whether the address of :meth:`_email_sql` is one that can exist, and is what was
        entered, alone or between commas, semicolons, line breaks or angle brackets: Odoo also makes
        an address of ``john doe@example.com``"""
        return SQL(
            """
            COALESCE(
                %(address)s ~ %(pattern)s AND CASE
                    WHEN LOWER(%(entered)s) = %(address)s THEN TRUE
                    ELSE %(address)s = ANY(
                        regexp_split_to_array(BTRIM(LOWER(%(entered)s), %(blanks)s), %(between)s))
                END,
                FALSE)
            """,
            address=self._address_sql(table),
            entered=SQL.identifier(table, email_field),
            pattern=ADDRESS_PATTERN,
            blanks=BLANKS,
            between=rf"[{BLANKS}]*[,;<>\r\n\t][{BLANKS}]*",
        )

    # === WHY A RECIPIENT IS NOT ADDED === #

    @api.model
    def _classify(self, campaign, some=None, retry_refused=False):
        """Compute why each recipient that is not on the list can or cannot be added, and which
        recipients share an address.

        When a sync starts, and again if somebody unsubscribes or is blacklisted before their batch.
        Addresses are taken from the people as they are now. Recipients to whom the campaign was
        sent no longer change.

        :param campaign: ``utm.campaign`` with an account
        :param SQL some: a condition on ``recipient``: only these, and others with their addresses
        :param bool retry_refused: whether rejected recipients are added again
        """
        self.flush_model()
        self.env["mail.blacklist"].flush_model()
        self.env["res.partner"].flush_model(["email", "email_normalized"])
        self.env["crm.lead"].flush_model(["email_from", "email_normalized"])
        only = SQL("TRUE")
        if some:
            only = SQL(
                """
                (%(some)s OR recipient.email IN (
                     SELECT email FROM campaign_master_recipient AS recipient
                      WHERE campaign_id = %(campaign)s AND %(some)s))
                """,
                some=some,
                campaign=campaign.id,
            )
        people = self.env.execute_query(
            SQL(
                """
                WITH recipient AS (
                    SELECT recipient.id, recipient.sync_state AS old_state,
                           recipient.email AS old_email,
                           recipient.sync_message AS old_message,
                           COALESCE(recipient.is_twin, FALSE) AS old_is_twin,
                           COALESCE(recipient.opted_out_before, FALSE) AS old_is_opted_out,
                           recipient.sync_state IN %(on_list)s AS is_on_list,
                           recipient.sync_state IN %(on_list)s
                           OR (recipient.sent_to IS TRUE AND recipient.sync_state <> 'pending')
                           AS is_final,
                           CASE WHEN recipient.sync_state IN %(on_list)s
                                     OR recipient.sent_to THEN recipient.email
                                ELSE COALESCE(%(partner_email)s, %(lead_email)s)
                           END AS email,
                           %(partner_is_valid)s OR %(lead_is_valid)s AS is_valid
                      FROM campaign_master_recipient AS recipient
                           LEFT JOIN res_partner AS partner ON partner.id = recipient.partner_id
                           LEFT JOIN crm_lead AS lead ON lead.id = recipient.lead_id
                     WHERE recipient.campaign_id = %(campaign)s
                       AND %(only)s
                ), known AS (
                    SELECT recipient.*,
                           %(blacklisted)s AS is_blacklisted,
                           %(opted_out)s AS is_opted_out,
                           ROW_NUMBER() OVER (
                               PARTITION BY recipient.email
                                   ORDER BY NOT recipient.is_on_list, recipient.old_is_twin,
                                            recipient.id
                           ) > 1 AND recipient.email IS NOT NULL AS is_twin,
                           BOOL_OR(recipient.is_on_list) OVER (
                               PARTITION BY recipient.email
                           ) AS address_is_on_list
                      FROM recipient
                ), outcome AS (
                    SELECT recipient.*,
                           CASE WHEN is_final THEN old_state
                                WHEN is_twin AND address_is_on_list THEN 'duplicate'
                                ELSE COALESCE(
                                    %(reason)s,
                                    CASE WHEN is_twin THEN 'duplicate'
                                         WHEN old_state IN ('refused', 'invalid')
                                              AND old_message IS NOT NULL
                                              AND email = old_email AND NOT %(retry_refused)s
                                         THEN old_state ELSE 'pending' END)
                           END AS state,
                           CASE WHEN is_final THEN old_is_opted_out ELSE is_opted_out
                           END AS is_out
                      FROM known AS recipient
                ), changed AS (
                    UPDATE campaign_master_recipient AS recipient
                       SET email = outcome.email,
                           is_twin = outcome.is_twin,
                           opted_out_before = outcome.is_out,
                           sync_state = outcome.state,
                           late = recipient.late OR %(is_sent)s AND outcome.state = 'pending',
                           sync_message = CASE WHEN outcome.state = outcome.old_state
                                               THEN recipient.sync_message END
                      FROM outcome
                     WHERE recipient.id = outcome.id
                       AND (old_email, old_is_twin, old_is_opted_out, old_state)
                           IS DISTINCT FROM
                           (outcome.email, outcome.is_twin, outcome.is_out, outcome.state)
                    RETURNING recipient.partner_id, recipient.lead_id, is_out <> old_is_opted_out
                )
                SELECT partner_id, lead_id FROM changed AS person(partner_id, lead_id, has_changed)
                 WHERE has_changed
                """,
                partner_email=self._email_sql("partner", "email"),
                lead_email=self._email_sql("lead", "email_from"),
                partner_is_valid=self._is_valid_sql("partner", "email"),
                lead_is_valid=self._is_valid_sql("lead", "email_from"),
                campaign=campaign.id,
                blacklisted=self._blacklisted_sql(),
                opted_out=self._opted_out_sql(campaign.campaign_master_account_id),
                reason=self._reason_sql(),
                only=only,
                on_list=ON_LIST,
                is_sent=campaign._campaign_master_is_sent(),
                retry_refused=retry_refused,
            )
        )
        self.invalidate_model()
        # sudo: nobody may read totals. The opt-out may be another person's with the same address.
        self.env["campaign.master.engagement"].sudo()._recompute_people(people, removed=True)

    @api.model
    def _reason_sql(self):
        """:return: why a recipient cannot be added, as a state, or ``NULL``

        The only place that decides this, from the four columns that it names; only duplicates and
        rejections need the other recipients. Used when people are added, too: classifying them in a
        second statement takes 0.3 s more for 100,000 (1.8 s instead of 1.5).
        """
        return SQL(
            """
            CASE WHEN recipient.email IS NULL THEN 'no_email'
                 WHEN NOT recipient.is_valid THEN 'invalid'
                 WHEN is_blacklisted THEN 'blacklisted'
                 WHEN is_opted_out THEN 'opted_out' END
            """
        )

    @api.model
    def _blacklisted_sql(self, table=None):
        """:return: whether the address of ``recipient``, or of another table of recipients, is on
        Odoo's blacklist"""
        # LOWER: Odoo keeps the case of local parts that are not ASCII.
        return SQL(
            """
            EXISTS (SELECT FROM mail_blacklist AS blacklist
                     WHERE blacklist.active AND LOWER(blacklist.email) = %s.email)
            """,
            table or SQL("recipient"),
        )

    @api.model
    def _opted_out_sql(self, account, before=None):
        """:return: whether ``recipient``'s address unsubscribed from a campaign of the account

        :param datetime before: as far as Odoo knew then; by default, as it knows now
        """
        return SQL(
            """
            EXISTS (SELECT FROM campaign_master_optout AS optout
                     WHERE optout.account_id = %s AND optout.email = recipient.email AND %s)
            """,
            account.id,
            SQL("optout.create_date < %s", before) if before else SQL("TRUE"),
        )

    @api.model
    def _count_by_state(self, campaign):
        """:return: number of the campaign's recipients by state; unused states are left out
        :rtype: dict"""
        groups = self._read_group([("campaign_id", "=", campaign.id)], ["sync_state"], ["__count"])
        return dict(groups)
