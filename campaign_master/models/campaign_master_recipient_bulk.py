from odoo import api, models
from odoo.tools import SQL

# After adding this many recipients, PostgreSQL's statistics are updated: otherwise it plans for an
# empty campaign, reads all 100,000 lines to show a page, and joins each of them with all others to
# classify them (25,000: more than 90 seconds instead of 0.1).
ANALYZE_FROM = 1_000


class CampaignMasterRecipient(models.Model):
    """Set-based statements. A campaign may have 100,000 recipients: adding as many mailing contacts
    through the ORM takes more than 30 times as long (``./dev bench``)."""

    _inherit = "campaign.master.recipient"

    # === ADDING === #

    @api.model
    def _add(self, campaign, people):
        """Add people to a campaign, except those who are already on it.

        :param campaign: ``utm.campaign`` with an account
        :param people: the result of ``_search`` (``Query``) on ``res.partner`` or ``crm.lead``,
            with the access rights of whoever adds them
        :return: ``added``, ``existing`` and, among those added, ``without_email``
        :rtype: dict
        """
        table = people.table
        if table == "res_partner":
            person_field, email_field = "partner_id", "email"
            kind = SQL("CASE WHEN person.is_company THEN 'company' ELSE 'contact' END")
        else:
            person_field, email_field = "lead_id", "email_from"
            kind = SQL("'lead'")
        self.env["mail.blacklist"].flush_model()
        is_late = campaign._campaign_master_is_sent()
        # Others who add to the same campaign wait. It is then known who is on it, and no line needs
        # ON CONFLICT, which takes an eighth of the time.
        self.env.cr.execute(
            SQL("SELECT FROM utm_campaign WHERE id = %s FOR NO KEY UPDATE", campaign.id)
        )
        [[total, added, without_email, first_opted_out_id]] = self.env.execute_query(
            SQL(
                """
                WITH people AS MATERIALIZED (
                    %(people)s
                ), added AS (
                    INSERT INTO campaign_master_recipient (
                        campaign_id, %(person)s, kind, email, sync_state, open_count, click_count,
                        forward_count, unsubscribe_count, bounced, opted_out_before, late
                    )
                    SELECT %(campaign)s, person.id, %(kind)s, recipient.email,
                           COALESCE(%(reason)s, 'pending'), 0, 0, 0, 0, FALSE, is_opted_out,
                           %(late)s
                      FROM people
                      JOIN %(table)s AS person ON person.id = people.id
                           CROSS JOIN LATERAL (
                               SELECT %(email)s AS email, %(is_valid)s AS is_valid
                           ) AS recipient
                           CROSS JOIN LATERAL (
                               SELECT %(blacklisted)s AS is_blacklisted,
                                      %(opted_out)s AS is_opted_out
                           ) AS known
                     WHERE NOT EXISTS (
                               SELECT FROM campaign_master_recipient AS existing
                                WHERE existing.campaign_id = %(campaign)s
                                  AND existing.%(person)s = people.id)
                     ORDER BY person.id
                    RETURNING id, email, opted_out_before
                )
                SELECT (SELECT COUNT(*) FROM people), COUNT(*), COUNT(*) - COUNT(email),
                       MIN(id) FILTER (WHERE opted_out_before)
                  FROM added
                """,
                people=people.select(),
                person=SQL.identifier(person_field),
                campaign=campaign.id,
                kind=kind,
                table=SQL.identifier(table),
                email=self._email_sql("person", email_field),
                is_valid=self._is_valid_sql("person", email_field),
                blacklisted=self._blacklisted_sql(),
                opted_out=self._opted_out_sql(campaign.campaign_master_account_id),
                reason=self._reason_sql(),
                late=is_late,
            )
        )
        if added >= ANALYZE_FROM:
            self.env.cr.execute(SQL("ANALYZE campaign_master_recipient"))
        if added:
            campaign.campaign_master_recipient_count += added
        if added and is_late:
            # A person who shares an address with somebody who got it must not be counted twice.
            self._classify(campaign, SQL("recipient.late"))
            campaign._campaign_master_keep_sums()
        if first_opted_out_id:
            # Perhaps another person with the same address.
            people = self._people_of(
                SQL(
                    "campaign_id = %s AND id >= %s AND opted_out_before",
                    campaign.id,
                    first_opted_out_id,
                )
            )
            self.env["campaign.master.engagement"]._recompute_people(people)
        return {
            "added": added,
            "existing": total - added,
            "without_email": without_email,
        }

    # === PEOPLE === #

    @api.model
    def _people_of(self, recipients):
        """Return everyone whose totals depend on some recipients, also if these are gone or another
        person's afterwards.

        :param SQL recipients: a condition
        :return: ``(partner_id, lead_id)`` of these people
        :rtype: list[tuple]
        """
        self.flush_model()
        return self.env.execute_query(
            SQL(
                """
                WITH changed AS (
                    SELECT partner_id, lead_id, email, bounced
                      FROM campaign_master_recipient WHERE %s
                )
                SELECT partner_id, lead_id FROM changed
                 UNION
                SELECT lead.partner_id, NULL
                  FROM changed JOIN crm_lead AS lead ON lead.id = changed.lead_id
                 UNION %s
                """,
                recipients,
                self._sharing_bounced_sql(),
            )
        )

    @api.model
    def _sharing_bounced_sql(self):
        """:return: a SELECT of the people with the addresses of ``changed`` recipients that ever
        bounced: whether a person is bounced depends on everyone's recipients with the address"""
        # LIMIT and OFFSET: PostgreSQL looks up each address, whatever it expects to find.
        return SQL(
            """
            SELECT recipient.partner_id, recipient.lead_id
              FROM changed
                   CROSS JOIN LATERAL (
                       SELECT WHERE changed.bounced
                        UNION ALL
                       SELECT FROM campaign_master_recipient
                        WHERE email = changed.email AND bounced
                        LIMIT 1
                   ) AS bounce
                   CROSS JOIN LATERAL (
                       SELECT partner_id, lead_id FROM campaign_master_recipient
                        WHERE email = changed.email OFFSET 0
                   ) AS recipient
            """
        )

    @api.model
    def _merge_people(self, sources, target):
        """Move the recipients of people that are merged into another one.

        If several of them are on the same campaign, the others become merged recipients of the same
        person: what they did still counts, once per address.

        :param sources: ``res.partner`` or ``crm.lead`` records that will be deleted
        :param target: the record that remains
        """
        person_field = SQL.identifier(target._campaign_master_field)
        is_theirs = SQL("%s = ANY(%s)", person_field, (sources + target).ids)
        people = self._people_of(is_theirs)
        self.env.cr.execute(
            SQL(
                """
                WITH ranked AS (
                    SELECT id, ROW_NUMBER() OVER (
                               PARTITION BY campaign_id
                                   ORDER BY is_merged IS TRUE, %(person)s <> %(target)s, id
                           ) AS rank
                      FROM campaign_master_recipient
                     WHERE %(is_theirs)s
                )
                UPDATE campaign_master_recipient AS recipient
                   SET %(person)s = %(target)s, is_merged = ranked.rank > 1
                  FROM ranked WHERE ranked.id = recipient.id
                """,
                person=person_field,
                target=target.id,
                is_theirs=is_theirs,
            )
        )
        self.invalidate_model()
        self.env["campaign.master.engagement"]._recompute_people(
            people + self._people_of(is_theirs), removed=True
        )
