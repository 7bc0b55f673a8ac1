from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .campaign_master_recipient import ON_LIST


class CampaignMasterRecipient(models.Model):
    """Who is added to the list next, what Campaign Master answered, and to whom it sent the
    campaign."""

    _inherit = "campaign.master.recipient"

    # === PUSHING === #

    @api.model
    def _next_pending(self, sync, after_id, upto_id, size):
        """Return the next recipients to add to the list, in the order of their ids.

        :param sync: ``campaign.master.sync``
        :param int after_id: only recipients with a higher id
        :param int upto_id: only recipients up to this id
        :param int size: maximum number
        :return: recipient ids by email address
        :rtype: dict[str, int]
        """
        self.flush_model()
        self.env["mail.blacklist"].flush_model()
        batch, rows = {}, None
        while not batch and rows != []:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT id, email, %(opted_out)s OR %(blacklisted)s
                      FROM campaign_master_recipient AS recipient
                     WHERE campaign_id = %(campaign)s AND sync_state = 'pending'
                       AND id > %(after)s AND id <= %(upto)s
                     ORDER BY id LIMIT %(size)s
                    """,
                    opted_out=self._opted_out_sql(sync.account_id),
                    blacklisted=self._blacklisted_sql(),
                    campaign=sync.campaign_id.id,
                    after=after_id,
                    upto=upto_id,
                    size=size,
                )
            )
            batch = {email: recipient_id for recipient_id, email, objects in rows if not objects}
            objecting_ids = [recipient_id for recipient_id, _email, objects in rows if objects]
            if objecting_ids:
                # They have unsubscribed or were blacklisted since the sync started.
                objecting = SQL("recipient.id = ANY(%s)", objecting_ids)
                self._classify(sync.campaign_id, objecting)
                after_id = rows[-1][0]
        return batch

    @api.model
    def _store_results(self, campaign, results):
        """Store what Campaign Master answered for some recipients: one statement per result.

        :param campaign: ``utm.campaign``
        :param dict results: lists of recipient ids by ``(state, message)``
        """
        self.flush_model()
        is_sent = campaign._campaign_master_is_sent()
        for (state, message), ids in results.items():
            if state in ("invalid", "refused"):
                # Only what Odoo itself found invalid has no message.
                message = message or self.env._("Rejected by Campaign Master.")
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE campaign_master_recipient
                       SET sync_state = %(state)s, sync_message = %(message)s,
                           late = %(is_on_list)s AND (late IS TRUE OR %(is_sent)s),
                           on_list_at = %(on_list_at)s
                     WHERE id = ANY(%(ids)s::int[])
                    """,
                    state=state,
                    message=message or None,
                    is_on_list=state in ON_LIST,
                    is_sent=is_sent,
                    on_list_at=fields.Datetime.now() if state in ON_LIST else None,
                    # As one text: psycopg2 writes a list as an expression, with 1,000 constants to
                    # parse (4.0 ms instead of 3.5 for the whole statement).
                    ids=f"{{{','.join(map(str, ids))}}}",
                )
            )
        self.invalidate_model()

    @api.model
    def _reset_for_new_list(self, campaigns):
        """Another list was selected: recipients on the old one are added to the new one, too.

        Through the ORM, 100,000 take 1.5 times as long (3.7 s of CPU time instead of 2.4).
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient
                   SET sync_state = 'pending', sync_message = NULL, late = FALSE,
                       on_list_at = NULL
                 WHERE campaign_id = ANY(%s) AND sync_state IN %s
                """,
                campaigns.ids,
                (*ON_LIST, "refused"),
            )
        )
        self.invalidate_model()

    # === SENDING === #

    @api.model
    def _mark_sent(self, campaign, sent_at):
        """The campaign was sent: to the addresses that were on the list before.

        :param campaign: ``utm.campaign``
        :param datetime sent_at: when it was sent
        :return: number of these addresses, without those that bounced before
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH recipient AS (
                    SELECT id, email, late IS NOT TRUE
                               AND COALESCE(on_list_at <= %(sent_at)s, TRUE) AS was_on_list,
                           open_count > 0 OR click_count > 0 OR bounced IS TRUE
                               OR opted_out_here IS TRUE AS has_reacted,
                           %(opted_out)s AS is_out
                      FROM campaign_master_recipient AS recipient
                     WHERE campaign_id = %(campaign)s AND sync_state IN %(on_list)s
                ), outcome AS (
                    SELECT id, has_reacted OR (was_on_list AND NOT is_out) AS is_sent_to,
                           NOT has_reacted AND NOT was_on_list AS is_late,
                           is_out AND NOT has_reacted AS is_out
                      FROM recipient
                )
                UPDATE campaign_master_recipient AS recipient
                   SET sent_to = is_sent_to, late = is_late,
                       opted_out_before = opted_out_before IS TRUE OR is_out
                  FROM outcome
                 WHERE recipient.id = outcome.id
                   AND (sent_to IS TRUE, late IS TRUE, opted_out_before IS TRUE)
                       IS DISTINCT FROM (is_sent_to, is_late, opted_out_before IS TRUE OR is_out)
                """,
                campaign=campaign.id,
                on_list=ON_LIST,
                sent_at=sent_at,
                # Campaign Master leaves them out. It may have told us of them a little later.
                opted_out=self._opted_out_sql(
                    campaign.campaign_master_account_id, sent_at + timedelta(minutes=1)
                ),
            )
        )
        has_changed = bool(self.env.cr.rowcount)
        # Those who were not on the list yet will not receive it.
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient SET late = TRUE
                 WHERE campaign_id = %s AND sync_state = 'pending' AND late IS NOT TRUE
                """,
                campaign.id,
            )
        )
        # People who share an address with a recipient on the list.
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient AS twin
                   SET sent_to = counted.sent_to IS TRUE,
                       late = twin.late AND counted.sent_to IS NOT TRUE
                  FROM campaign_master_recipient AS counted
                 WHERE twin.campaign_id = %(campaign)s AND twin.sync_state = 'duplicate'
                   AND counted.campaign_id = twin.campaign_id AND counted.email = twin.email
                   AND counted.sync_state IN %(on_list)s
                   AND (twin.sent_to IS TRUE) <> (counted.sent_to IS TRUE)
                """,
                campaign=campaign.id,
                on_list=ON_LIST,
            )
        )
        self.invalidate_model()
        if has_changed or self.env.cr.rowcount:
            # It is now the latest campaign that was sent to these addresses. An opt-out may
            # have been another person's with the same address.
            people = self.env.execute_query(
                SQL(
                    """
                    WITH changed AS (
                        SELECT email, bounced FROM campaign_master_recipient
                         WHERE campaign_id = %(campaign)s AND sent_to
                    )
                    SELECT partner_id, lead_id FROM campaign_master_recipient
                     WHERE campaign_id = %(campaign)s AND opted_out_before
                     UNION ALL %(sharing)s
                    """,
                    campaign=campaign.id,
                    sharing=self._sharing_bounced_sql(),
                )
            )
            self.env["campaign.master.engagement"]._recompute_people(people, removed=True)
            self.env["campaign.master.account"]._cron("update_engagement")._trigger()
        return self.search_count(
            Domain("campaign_id", "=", campaign.id)
            & Domain("sent_to", "=", True)
            & Domain("is_twin", "!=", True)
            # Campaign Master may leave them out.
            & ~Domain("bounced_before", "=", True)
        )

    @api.model
    def _forget_sending(self, campaign):
        """The campaign will be created again, and sent to everybody who is on the list by then.

        What they did with the old one is forgotten, except opt-outs, which have their own table.
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient
                   SET late = FALSE, sent_to = FALSE, opted_out_here = FALSE,
                       bounced = FALSE, bounce_reason = NULL, machine_rule = NULL,
                       open_count = 0, click_count = 0, forward_count = 0, unsubscribe_count = 0,
                       first_open = NULL, last_open = NULL, first_click = NULL, last_click = NULL
                 WHERE campaign_id = %s
                   AND (late OR sent_to OR opened OR clicked OR bounced OR opted_out_here
                        OR forward_count > 0 OR unsubscribe_count > 0)
                """,
                campaign.id,
            )
        )
        self.invalidate_model()
