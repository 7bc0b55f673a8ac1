"""However many recipients were just added in one go, no statement reads all recipients of the
campaign for each of them, and none reads all of them to show or push a few."""

from contextlib import contextmanager
from datetime import datetime, timezone
from unittest.mock import patch

from odoo.tools import SQL

from ..client import Activity
from .common import CampaignMasterCase

# As large as a campaign may be, and a few companies among them.
MANY, FEW = 100_000, 200
# One page of a tab, one batch of a sync, one page of activity.
PAGE, BATCH = 12, 1000
PEOPLE = """
    INSERT INTO res_partner (name, complete_name, email, email_normalized, active, is_company, type)
    SELECT address, address, address, address, TRUE, number <= %(few)s, 'contact'
      FROM (SELECT number, 'person' || number || '@example.com' AS address
              FROM generate_series(1, %(many)s) AS number) AS people
    RETURNING id
"""


class TestPlans(CampaignMasterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The ORM would take four minutes to create them.
        rows = cls.env.execute_query(SQL(PEOPLE, few=FEW, many=MANY))
        cls.person_ids = [person_id for [person_id] in rows]
        # They have been there for a while.
        cls.env.cr.execute("ANALYZE res_partner")

    def setUp(self):
        super().setUp()
        # A wrong plan takes hours.
        self.env.cr.execute("SET LOCAL statement_timeout = '60s'")
        self.Recipient = self.env["campaign.master.recipient"]
        self.campaign = self.make_campaign()
        self.people = self.env["res.partner"].browse(self.person_ids)
        self.analyze_empty_table()
        with self.rows_read_by("INSERT INTO campaign_master_recipient") as added:
            result = self.add(self.campaign, self.people)
        self.assertEqual(result["added"], MANY)
        self.assertReadOnce(added)

    def analyze_empty_table(self):
        """PostgreSQL takes the table for empty from now on, whatever is added to it: it has pages,
        but no rows."""
        with self.env.cr.savepoint() as savepoint:
            self.add(self.campaign, self.people[:FEW])
            self.env.flush_all()
            savepoint.rollback()
        self.env.invalidate_all()
        self.env.cr.execute("ANALYZE campaign_master_recipient")

    @contextmanager
    def rows_read_by(self, words):
        """:return: a list that contains, at the end of the block, for each node of the plan of each
        statement with these words the table, if it reads one, and how many rows it has read"""
        rows = []
        execute = self.env.cr.execute

        def explained(query, *args, **kwargs):
            if words in str(getattr(query, "code", query)):
                # What it writes is undone, so that the statement itself finds everything as before.
                execute("SAVEPOINT explain")
                execute(SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) %s", query))
                rows.extend(_rows(self.env.cr.fetchone()[0][0]["Plan"]))
                execute("ROLLBACK TO SAVEPOINT explain")
            return execute(query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", side_effect=explained):
            yield rows
        self.assertTrue(rows)

    def assertReadOnce(self, rows):
        """No node has read the recipients more often than twice: nothing was done for each of them
        with all of them."""
        self.assertLessEqual(max(count for _table, count in rows), 2 * MANY)

    def assertRecipientsRead(self, rows, limit, message):
        """No node has read more recipients than this. People may be read all, once."""
        self.assertReadOnce(rows)
        tables = "campaign_master_recipient", "campaign_master_engagement"
        read = [count for table, count in rows if table in tables]
        self.assertLessEqual(max(read), limit, message)

    def test_all_recipients_are_read_once_to_add_and_classify_them(self):
        with self.rows_read_by("INSERT INTO campaign_master_recipient") as rows:
            result = self.add(self.campaign, self.people)
        self.assertEqual((result["added"], result["existing"]), (0, MANY))
        self.assertReadOnce(rows)
        with self.rows_read_by("outcome AS") as rows:
            self.Recipient.sudo()._classify(self.campaign.sudo())
        self.assertReadOnce(rows)

    def test_a_page_of_a_tab_and_the_last_batch_read_only_what_they_need(self):
        for kind, count in (("contact", MANY - FEW), ("company", FEW)):
            for offset in (0, PAGE):
                domain = [("campaign_id", "=", self.campaign.id), ("kind", "=", kind)]
                with self.rows_read_by('ORDER BY "campaign_master_recipient"') as rows:
                    page = self.Recipient.web_search_read(
                        domain, {"email": {}}, limit=PAGE, offset=offset
                    )
                self.assertEqual((len(page["records"]), page["length"]), (PAGE, count))
                # To find contacts, PostgreSQL may pass by the few companies.
                self.assertRecipientsRead(rows, FEW + PAGE + offset, kind)
        # The last recipients that are to be added, among 100,000 that are on the list already.
        Recipient = self.Recipient.sudo()
        lines = Recipient.search([("campaign_id", "=", self.campaign.id)])
        Recipient._store_results(self.campaign.sudo(), {("added", ""): lines[:-3].ids})
        with self.rows_read_by("campaign_master_recipient") as rows:
            batch = Recipient._next_pending(self.started(), lines[-4].id, lines[-1].id, BATCH)
        self.assertEqual(len(batch), 3)
        self.assertRecipientsRead(rows, PAGE, "Last batch")

    def started(self):
        """A sync of the campaign."""
        self.press(self.campaign)
        return self.syncs(self.campaign)[0]

    def test_a_batch_and_a_page_of_activity_read_only_their_own_recipients(self):
        campaign, Recipient = self.campaign.sudo(), self.Recipient.sudo()
        sync = self.started()
        position_id, last_id = 0, Recipient.search([], order="id desc", limit=1).id
        for number in range(3):
            with self.rows_read_by("campaign_master_recipient") as rows:
                batch = Recipient._next_pending(sync, position_id, last_id, BATCH)
            self.assertEqual(len(batch), BATCH)
            self.assertRecipientsRead(rows, 2 * BATCH, f"Batch {number}")
            with self.rows_read_by("campaign_master_recipient") as rows:
                Recipient._store_results(
                    self.campaign.sudo(), {("added", ""): list(batch.values())}
                )
            self.assertRecipientsRead(rows, 2 * BATCH, f"Answers {number}")
            position_id = max(batch.values())
            opened = datetime(2026, 3, 1, 10, number, tzinfo=timezone.utc)
            activities = [
                Activity(email, 1, 0, 0, 0, opened, opened, None, None, False, False)
                for email in batch
            ]
            with self.rows_read_by("campaign_master_recipient") as rows:
                self.assertEqual(Recipient._ingest(campaign, activities), BATCH)
            self.assertRecipientsRead(rows, 2 * BATCH, f"Activity {number}")


def _rows(plan):
    """The table that each node of a plan reads, or None, and how many rows over all its loops."""
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    read += plan.get("Rows Removed by Join Filter", 0)
    yield plan.get("Relation Name"), read * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from _rows(part)
