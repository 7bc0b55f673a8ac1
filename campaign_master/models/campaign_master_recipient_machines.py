from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.iap.tools.iap_tools import _MAIL_PROVIDERS

from ..tools import to_client, to_odoo

# Thresholds of the rules.
SENDING_TIME = timedelta(seconds=10)
BURST_CLICKS, BURST_TIME = 4, timedelta(seconds=10)
DOMAIN_PEOPLE, DOMAIN_TIME = 3, timedelta(seconds=60)
# Many strangers have addresses there. Odoo's list, and British providers that are missing in it.
FREE_DOMAINS = frozenset(
    {domain.strip() for domain in _MAIL_PROVIDERS}
    | {"blueyonder.co.uk", "btopenworld.com", "hotmail.co.uk", "mail.co.uk", "ntlworld.com"}
    | {"talk21.com", "talktalk.net", "tiscali.co.uk", "virgin.net", "virginmedia.com"}
)
DOMAIN = SQL("SPLIT_PART(email, '@', 2)")


class CampaignMasterRecipient(models.Model):
    """Which recipients are likely machines: security software that opens emails and follows links.

    The first rule that holds is kept in ``machine_rule``; nothing else changes. Each is about a
    burst, and holds only as long as nothing was opened or clicked after it.

    ======= ================================================ =====================================
    rule    the burst                                        ends
    ======= ================================================ =====================================
    sending the first open or click is at most 10 s after    10 s after the sending
            the sending, as Campaign Master says
    burst   4 clicks or more, in at most 10 s from the first 10 s after the first click
            to the last
    domain  at least 3 addresses of a domain that is not     60 s after the address's own first
            free-mail click first within 60 s, which need    click
            not be a minute of the clock
    ======= ================================================ =====================================

    Who opened or clicked after the burst still counts for the domain: a scanner has followed that
    person's links as well. A click without an open says nothing: pictures may be blocked.
    """

    _inherit = "campaign.master.recipient"

    # Who clicked at a domain. It grows when an address clicks first, which is once: adding and
    # pushing recipients leave it alone.
    _click_index = models.Index(
        "(campaign_id, SPLIT_PART(email, '@', 2), first_click) WHERE first_click IS NOT NULL"
    )

    @api.model
    def _judge(self, campaign):
        """Judge all recipients of a campaign, in one statement. The sums are to be counted again.

        :param campaign: ``utm.campaign``
        """
        self.flush_model()
        free = SQL("%s <> ALL(%s)", DOMAIN, sorted(FREE_DOMAINS))
        lines = SQL(
            """
            SELECT * FROM campaign_master_recipient
             WHERE campaign_id = %s
               AND (first_open IS NOT NULL OR first_click IS NOT NULL OR machine_rule IS NOT NULL)
            """,
            campaign.id,
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient AS recipient SET machine_rule = judged.rule
                  FROM (%s) AS judged WHERE recipient.id = judged.id
                """,
                self._judged_sql(campaign, free, lines),
            )
        )
        self.invalidate_model(["machine_rule"], flush=False)

    @api.model
    def _judge_activity(self, campaign, activities):
        """Judge recipients whose activity was stored, and those of the same domains, and adjust the
        kept sums. In the same transaction, so that none is forgotten.

        Most pages take one statement, or none if nobody clicked.

        :param campaign: ``utm.campaign``; before it is sent, there are only test emails
        :param dict activities: the stored columns by address
        """
        sums = campaign.sudo().campaign_master_campaign_ids.sums
        if not sums:
            return
        # A flag of any of them may end.
        emails = [*activities] if sums["machines"] else self._suspects(campaign, activities)
        domains = self._burst_domains(campaign, activities)
        if not (emails or domains):
            return
        # OFFSET: PostgreSQL looks up each address, whatever it expects to find.
        lines = SQL(
            """
            SELECT line.*
              FROM (SELECT UNNEST(%(emails)s::varchar[]) AS email
                     UNION
                    SELECT email FROM clicked WHERE is_burst OR machine_rule IS NOT NULL
                   ) AS address
                   CROSS JOIN LATERAL (
                       SELECT * FROM campaign_master_recipient
                        WHERE campaign_id = %(campaign)s AND email = address.email OFFSET 0
                   ) AS line
            """,
            emails=emails,
            campaign=campaign.id,
        )
        of_domains = SQL("%s = ANY(%s)", DOMAIN, domains)
        judged = dict(self.env.execute_query(self._judged_sql(campaign, of_domains, lines)))
        if not judged:
            return
        before = self._count_ids(campaign, [*judged], sign=-1)
        self.env.cr.execute(
            SQL(
                """
                UPDATE campaign_master_recipient AS recipient SET machine_rule = judged.rule
                  FROM UNNEST(%s::int[], %s::varchar[]) AS judged(id, rule)
                 WHERE recipient.id = judged.id
                """,
                [*judged],
                [*judged.values()],
            )
        )
        after = self._count_ids(campaign, [*judged], sign=1)
        campaign._campaign_master_adjust_sums(before + after)

    @api.model
    def _suspects(self, campaign, activities):
        """:return: the addresses for which a rule may hold that looks at one recipient alone:
            whether the account has it is asked only if there are any
        :rtype: list[str]"""
        sent_at = to_client(campaign.campaign_master_sent_at)
        sent_by = sent_at and sent_at + SENDING_TIME

        def may_be_machine(values):
            first_click, last_click = values["first_click"], values["last_click"]
            if values["click_count"] >= BURST_CLICKS and first_click and last_click:
                if last_click - first_click <= BURST_TIME:
                    return True
            first_open = values["first_open"]
            return sent_by and (
                (first_open and first_open <= sent_by) or (first_click and first_click <= sent_by)
            )

        return [email for email, values in activities.items() if may_be_machine(values)]

    @api.model
    def _burst_domains(self, campaign, activities):
        """:return: the domains of those who clicked at which, around that time, there is a burst or
            a likely machine. Most often there is none: judging everybody would take four times
            as long
        :rtype: list[str]"""
        clicks = {}
        for email, values in activities.items():
            if values["first_click"]:
                clicks.setdefault(email.rpartition("@")[2], []).append(values["first_click"])
        periods = [
            (domain, to_odoo(min(times)) - DOMAIN_TIME, to_odoo(max(times)) + DOMAIN_TIME)
            for domain, times in clicks.items()
            if domain not in FREE_DOMAINS
        ]
        if not periods:
            return []
        # OFFSET: PostgreSQL looks up each domain, whatever it expects to find.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT domain
                  FROM (
                      SELECT domain, machine_rule, first_click - LAG(first_click, %(others)s) OVER (
                                 PARTITION BY domain ORDER BY first_click) AS since
                        FROM UNNEST(%(domains)s::varchar[], %(starts)s, %(ends)s)
                                 AS period(domain, period_start, period_end)
                             CROSS JOIN LATERAL (
                                 SELECT machine_rule, first_click FROM campaign_master_recipient
                                  WHERE campaign_id = %(campaign)s AND is_twin IS NOT TRUE
                                    AND %(domain)s = period.domain
                                    AND first_click BETWEEN period_start AND period_end OFFSET 0
                             ) AS recipient
                  ) AS clicked
                 WHERE since <= %(time)s OR machine_rule IS NOT NULL
                """,
                others=DOMAIN_PEOPLE - 1,
                campaign=campaign.id,
                domain=DOMAIN,
                time=DOMAIN_TIME,
                **{
                    name: list(column)
                    for name, column in zip(
                        ("domains", "starts", "ends"), zip(*periods, strict=True), strict=True
                    )
                },
            )
        )
        return [domain for [domain] in rows]

    @api.model
    def _judged_sql(self, campaign, domains, lines):
        """:return: a SELECT of ``id`` and ``rule`` of the recipients whose rule has changed

        :param campaign: ``utm.campaign``
        :param SQL domains: a condition on ``email``: at which domains bursts are looked for
        :param SQL lines: a SELECT of the recipients to judge; it may use ``clicked``: for each
            address of these domains that clicked, ``is_burst`` and its ``machine_rule``
        """
        rules = campaign.sudo().campaign_master_account_id._machine_rules()
        last = SQL("GREATEST(first_open, last_open, first_click, last_click)")
        sent_at = SQL("%s::timestamp", campaign.campaign_master_sent_at or None)
        conditions = {
            "sending": SQL(
                "LEAST(first_open, first_click) >= %(sent_at)s"
                " AND %(last)s <= %(sent_at)s + %(time)s",
                sent_at=sent_at,
                last=last,
                time=SENDING_TIME,
            ),
            "burst": SQL(
                "click_count >= %(clicks)s AND last_click <= line.first_click + %(time)s"
                " AND %(last)s <= line.first_click + %(time)s",
                clicks=BURST_CLICKS,
                last=last,
                time=BURST_TIME,
            ),
            "domain": SQL("clicked.is_burst AND %s <= line.first_click + %s", last, DOMAIN_TIME),
        }
        return SQL(
            """
            WITH clicked AS (
                -- Of the addresses that clicked first at most 60 s before this one or with it, one
                -- begins 60 s in which enough did.
                SELECT email, machine_rule,
                       COUNT(*) FILTER (WHERE followers >= %(people)s) OVER (
                           PARTITION BY %(domain)s ORDER BY first_click
                           RANGE BETWEEN %(time)s PRECEDING AND CURRENT ROW) > 0 AS is_burst
                  FROM (
                      SELECT email, machine_rule, first_click, COUNT(*) OVER (
                                 PARTITION BY %(domain)s ORDER BY first_click
                                 RANGE BETWEEN CURRENT ROW AND %(time)s FOLLOWING) AS followers
                        FROM campaign_master_recipient
                       WHERE campaign_id = %(campaign)s AND first_click IS NOT NULL
                         AND is_twin IS NOT TRUE AND %(is_on)s AND %(domains)s
                  ) AS first
            ), judged AS (
                SELECT line.id, line.machine_rule, CASE %(cases)s END AS rule
                  FROM (%(lines)s) AS line LEFT JOIN clicked ON clicked.email = line.email
            )
            SELECT id, rule FROM judged WHERE machine_rule IS DISTINCT FROM rule
            """,
            people=DOMAIN_PEOPLE,
            time=DOMAIN_TIME,
            domain=DOMAIN,
            campaign=campaign.id,
            is_on="domain" in rules,
            domains=domains,
            cases=SQL(" ").join(
                SQL("WHEN %s AND %s THEN %s", rule in rules, condition, rule)
                for rule, condition in conditions.items()
            ),
            lines=lines,
        )

    @api.model
    def _count_ids(self, campaign, ids, sign):
        """:return: see :meth:`_count_sql`"""
        recipients = SQL(
            "SELECT %s AS sign, recipient.* FROM campaign_master_recipient AS recipient"
            " WHERE id = ANY(%s)",
            sign,
            ids,
        )
        self.env.cr.execute(self._count_sql(campaign, recipients))
        return self.env.cr.dictfetchall()
