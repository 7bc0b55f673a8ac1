"""However little PostgreSQL knows of people who were just imported or added, no statement looks at
all of them for each, nor at all of them to show a few."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo.tools import SQL

from .common import CampaignMasterCase

MANY, FEW = 3000, 200
PEOPLE = """
    INSERT INTO res_partner (id, commercial_partner_id, name, complete_name, email,
                             email_normalized, active, is_company, type)
    SELECT id, id, address, address, address, address, TRUE, number <= %(few)s, 'contact'
      FROM (SELECT nextval('res_partner_id_seq') AS id, number,
                   %(name)s || number || '@example.com' AS address
              FROM generate_series(1, %(many)s) AS number) AS people
    RETURNING id
"""


class TestPlans(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.Recipient = self.env["campaign.master.recipient"]
        self.campaign = self.a_campaign_that_is_not_counted_yet()

    def a_campaign_that_is_not_counted_yet(self):
        """PostgreSQL takes such a campaign for empty."""
        self.add(self.make_campaign(), self.people("a"))
        self.env.flush_all()
        self.env.cr.execute("ANALYZE campaign_master_recipient")
        campaign = self.make_campaign()
        self.add(campaign, self.people("b"))
        self.env.flush_all()
        return campaign

    def people(self, name):
        """A few companies among many contacts; the ORM would take 7 seconds to create them."""
        rows = self.env.execute_query(SQL(PEOPLE, name=name, few=FEW, many=MANY))
        return self.env["res.partner"].browse(person_id for [person_id] in rows)

    @contextmanager
    def most_rows_of(self, words):
        """:return: a list that has, at the end of the block, how many rows each node of the plan
        of each statement with these words looked at"""
        rows = []
        execute = self.env.cr.execute

        def explained(query, *args, **kwargs):
            if words in str(getattr(query, "code", query)):
                explain = SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) %s", query)
                # What it writes is written again by the statement itself.
                execute(explain)
                rows.extend(_rows(self.env.cr.fetchone()[0][0]["Plan"]))
            return execute(query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", side_effect=explained):
            yield rows
        self.assertTrue(rows)

    def test_who_is_there_already_is_found_in_one_walk(self):
        with self.most_rows_of("INSERT INTO campaign_master_recipient") as rows:
            result = self.add(self.campaign, self.lines(self.campaign).partner_id)
        self.assertEqual((result["added"], result["existing"]), (0, MANY))
        self.assertLess(max(rows), 20 * MANY)

    def test_outcomes_are_classified_in_one_walk(self):
        with self.most_rows_of("outcome AS") as rows:
            self.Recipient.sudo()._classify(self.campaign.sudo())
        self.assertLess(max(rows), 20 * MANY)

    def test_answers_are_stored_in_one_walk(self):
        lines = self.lines(self.campaign)
        for several in (lines[:1000], lines[1000:1003], lines[::100]):
            results = [(line.id, "added", None) for line in several]
            with self.most_rows_of("AS outcome") as rows:
                self.Recipient.sudo()._store_results(self.campaign, results, late=False)
            self.assertLessEqual(max(rows), 2 * MANY)
            self.assertEqual(set(several.mapped("sync_state")), {"added"})

    def test_a_page_of_a_tab_looks_at_no_more_recipients_than_it_shows(self):
        for kind, count in (("contact", MANY - FEW), ("company", FEW)):
            domain = [("campaign_id", "=", self.campaign.id), ("kind", "=", kind)]
            with self.most_rows_of('ORDER BY "campaign_master_recipient"') as rows:
                page = self.Recipient.web_search_read(domain, {"email": {}}, limit=12)
            self.assertEqual((len(page["records"]), page["length"]), (12, count))
            self.assertLessEqual(max(rows), 12, kind)


def _rows(plan):
    """How many rows each node of a plan looked at, over all its loops."""
    seen = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    seen += plan.get("Rows Removed by Join Filter", 0)
    yield seen * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from _rows(part)
