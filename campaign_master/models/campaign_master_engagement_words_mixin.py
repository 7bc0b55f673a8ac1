from odoo import api, fields, models
from odoo.tools import SQL

from .campaign_master_engagement_mixin import TOTAL, WORD, _search
from .campaign_master_engagement_words import BASIS, WORDS
from .campaign_master_totals import TotalSelection


def _rank(word):
    """:return: an expression for the place of a word: 1 for the most engaged
    :rtype: SQL

    :param SQL word: an expression for the word
    """
    return SQL("ARRAY_POSITION(%s::varchar[], %s)", [word for word, _label in WORDS], word)


class CampaignMasterEngagementMixin(models.AbstractModel):
    """How engaged a partner or lead is, in a word, and why.

    The words are those of ``campaign.master.engagement``. Of several companies, the most engaged
    one is shown.
    """

    _inherit = "campaign.master.engagement.mixin"

    campaign_master_engagement = TotalSelection(
        WORDS,
        string="Engagement",
        search=_search("engagement"),
        help="How this person reacts to Campaign Master emails: the first that applies.\n"
        "New: fewer than 3 campaigns were delivered.\n"
        "Dormant: no open or click in the last 10 delivered, or for 12 months.\n"
        "Active: clicked in at least 2 of the last 5 delivered.\n"
        "Warm: clicked in one of the last 5 delivered, or opened at least 3 of them.\n"
        "Cold: neither.\n"
        "Updated after each campaign that is sent, and daily.",
        **TOTAL,
    )
    campaign_master_engagement_reason = fields.Char(
        string="Reason for Engagement", help="Why the person has this engagement.", **TOTAL
    )

    @api.model
    def _campaign_master_words_sql(self, ids=None):
        """:return: a SELECT of people's words in the selected companies, one row per person

        :param ids: ids of people; ``None`` for all
        """
        person = SQL.identifier(self._campaign_master_field)
        companies = self.env.companies.ids
        # Without GROUP BY or DISTINCT: PostgreSQL then joins the table itself, and uses its index.
        most_engaged = SQL(
            """
            AND NOT EXISTS (
                SELECT FROM campaign_master_engagement AS other
                 WHERE other.%(person)s = engagement.%(person)s
                   AND other.company_id = ANY(%(companies)s)
                   AND (%(other)s, other.company_id) < (%(own)s, engagement.company_id))
            """,
            person=person,
            companies=companies,
            other=_rank(SQL("other.word")),
            own=_rank(SQL("engagement.word")),
        )
        return SQL(
            """
            SELECT %(person)s AS person_id, word, %(basis)s
              FROM campaign_master_engagement AS engagement
             WHERE company_id = ANY(%(companies)s) AND word IS NOT NULL AND %(people)s
            %(most_engaged)s
            """,
            person=person,
            basis=SQL(", ").join(map(SQL.identifier, BASIS)),
            companies=companies,
            people=self._campaign_master_people_sql(person, ids),
            most_engaged=most_engaged if len(companies) > 1 else SQL(""),
            to_flush=self._campaign_master_sources(),
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Sort by engagement, the most engaged first, rather than alphabetically."""
        if field_name != WORD:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        rank = _rank(self._field_to_sql(alias, WORD, query))
        query._order_groupby.append(rank)
        return SQL("%s %s %s", rank, direction, nulls)

    @api.model
    def _read_group_orderby(self, order, groupby_terms, query):
        """Sort groups in the same way."""
        terms = dict(groupby_terms)
        if WORD in terms:
            terms[WORD] = _rank(terms[WORD])
        result = super()._read_group_orderby(order, terms, query)
        # Odoo may have added terms.
        groupby_terms.update((spec, term) for spec, term in terms.items() if spec != WORD)
        return result

    @api.model
    def _campaign_master_reason(self, word, delivered, opened, clicked):
        """:return: why this is the word, in the user's language; ``False`` without a word

        :param delivered: number of the last delivered campaigns that it is about, ``None`` if it is
            about a period; the person ``opened`` and ``clicked`` so many of them
        """
        if not word:
            return False
        if word == "new":
            return self.env._("Only %(delivered)s delivered so far", delivered=delivered)
        if word == "dormant" and not delivered:
            return self.env._("Not opened or clicked for 12 months")
        if word == "dormant":
            return self.env._(
                "Opened none of the last %(delivered)s delivered", delivered=delivered
            )
        if clicked:
            return self.env._(
                "Clicked in %(clicked)s of the last %(delivered)s delivered",
                clicked=clicked,
                delivered=delivered,
            )
        return self.env._(
            "Opened %(opened)s of the last %(delivered)s delivered",
            opened=opened,
            delivered=delivered,
        )
