"""Listings of several pages, and how many there may be."""

import json
from datetime import datetime, timezone

from odoo.addons.campaign_master.client import CampaignMasterResponseError, pages

from .client_common import ACTIVITY, TEMPLATE, MockedCase, page_of


class TestPages(MockedCase):
    def templates(self, *ids):
        return [TEMPLATE | {"id": i} for i in ids]

    def refs(self):
        return [template.ref for template in self.client.templates()]

    def announce(self, *pages, total):
        for number, ids in enumerate(pages, 1):
            page = page_of(*self.templates(*ids), page=number, total=total)
            self.on("GET /templates", answer=page)

    def test_an_empty_page_before_the_total_is_no_end(self):
        """Otherwise the missing ones would be taken for deleted."""
        self.announce([1, 2], [], total=9)
        self.assertFails(CampaignMasterResponseError, lambda _c: self.refs(), "missing_items")

    def test_pages_are_fetched_while_they_are_consumed(self):
        self.announce([1], total=2)
        self.assertEqual(next(self.client.templates()).ref, "1")
        self.assertEqual(len(self.http.calls), 1)

    def test_what_moves_to_the_next_page_comes_once(self):
        self.announce([1, 2], [2, 3], total=3)
        self.assertEqual(self.refs(), ["1", "2", "3"])

    def test_the_same_page_again_and_again_is_an_error(self):
        self.announce([1, 2], [1, 2], total=9)
        error = self.assertFails(CampaignMasterResponseError, lambda _c: self.refs())
        self.assertEqual((error.code, error.call), ("endless_pages", "GET /templates"))

    def announce_untold(self, *pages):
        """Pages that do not say how many there are; each may have other members."""
        for page in pages:
            ids, members = page if isinstance(page, tuple) else (page, {})
            self.on("GET /templates", answer={"items": self.templates(*ids)} | members)

    def test_an_empty_page_is_the_end_when_nobody_says_how_many_there_are(self):
        self.announce_untold([1, 2], [3], [])
        self.assertEqual(self.refs(), ["1", "2", "3"])

    def test_a_last_page_says_so(self):
        self.announce_untold(([1, 2], {"isLastPage": False}), ([3], {"IsLastPage": True}))
        self.assertEqual(self.refs(), ["1", "2", "3"])

    def test_a_last_page_before_the_total_is_an_error(self):
        self.announce_untold(([1, 2], {"isLastPage": True, "total": 3}))
        self.assertFails(CampaignMasterResponseError, lambda _c: self.refs(), "missing_items")

    def test_a_repeated_page_is_the_end_when_nobody_says_how_many_there_are(self):
        self.announce_untold([1, 2], [3, 4], [3, 4])
        self.assertEqual(self.refs(), ["1", "2", "3", "4"])

    def test_pages_in_a_cycle_are_an_error_even_then(self):
        self.announce_untold([1, 2], [3, 4], [1, 2])
        self.assertFails(CampaignMasterResponseError, lambda _c: self.refs(), "endless_pages")

    def test_any_number_of_pages_is_read(self):
        self.announce(*([number] for number in range(1, 1_201)), total=1_200)
        self.assertEqual(len(self.refs()), 1_200)

    def test_page_one_again_is_not_page_two(self):
        self.announce([1, 2], total=9)
        self.on("GET /templates", answer=page_of(*self.templates(1, 2), page=1, total=9))
        self.assertFails(CampaignMasterResponseError, lambda _c: self.refs(), "bad_member")

    def read_activity(self, pages, total=None):
        """Read pages of addresses, each with a new client as after a restart.

        :return: the last page that was read
        """
        seen = None
        for number, emails in enumerate(pages, 1):
            rows = [ACTIVITY | {"email": email} for email in emails]
            self.http.reset()
            self.on(
                "GET /campaigns/42/activity",
                answer=page_of(
                    *rows,
                    page=number,
                    total=total or 1_000_000,
                    asOf="2025-01-31T11:00:00Z",
                ),
            )
            with self.make_client() as client:
                page = client.activity("42", page=number, seen=seen)
            # As it is stored in the database.
            seen = json.loads(json.dumps(page.seen))
            if page.last:
                break
        return page

    def addresses(self, start, end):
        return [f"person{number}@example.com" for number in range(start, end)]

    def test_any_number_of_pages_of_activity_is_read(self):
        pages = [self.addresses(number, number + 1) for number in range(1_200)]
        self.assertEqual(self.read_activity(pages).page, 1_200)

    def test_activity_ends_when_all_rows_came_however_long_pages_claim_to_be(self):
        page = self.read_activity([self.addresses(0, 2), self.addresses(2, 4)], total=4)
        self.assertEqual((page.page, page.last), (2, True))

    def test_a_repeated_page_of_activity_is_the_end_when_no_rows_are_missing(self):
        # Rows were inserted: more came than there are.
        pages = [self.addresses(0, 2), self.addresses(1, 3), self.addresses(1, 3)]
        page = self.read_activity(pages, total=3)
        self.assertEqual((page.page, page.last), (3, True))

    def read_untold(self, *answers):
        """As ``read_activity``, of pages that say neither number nor size nor total."""
        seen = None
        for number, (emails, members) in enumerate(answers, 1):
            rows = [{"email": email} for email in emails]
            self.http.reset()
            self.on("GET /campaigns/42/activity", answer={"items": rows} | members)
            page = self.client.activity("42", page=number, seen=seen)
            seen = json.loads(json.dumps(page.seen))
            if page.last:
                break
        return page

    def test_activity_without_a_total_ends_at_an_empty_or_repeated_or_last_page(self):
        first, second = self.addresses(0, 2), self.addresses(2, 4)
        for sentence, answers in (
            ("empty", [(first, {}), (second, {}), ([], {})]),
            ("repeated", [(first, {}), (second, {}), (second, {})]),
            ("last", [(first, {"isLastPage": False}), (second, {}), (["x"], {"isLastPage": True})]),
        ):
            with self.subTest(sentence):
                page = self.read_untold(*answers)
                self.assertEqual((page.page, page.last), (3, True))

    def test_a_last_page_of_activity_before_its_total_is_an_error(self):
        with self.assertRaises(CampaignMasterResponseError) as caught:
            self.read_untold((self.addresses(0, 2), {"isLastPage": True, "total": 3}))
        self.assertEqual(caught.exception.code, "missing_items")

    def test_activity_that_does_not_say_its_time_is_of_the_answers_date(self):
        date = {"Date": "Fri, 31 Jan 2025 11:00:00 GMT"}
        for members, headers, moment in (
            ({"asOf": "2025-01-31T10:00:00"}, date, datetime(2025, 1, 31, 10)),
            ({}, date, datetime(2025, 1, 31, 11)),
            ({"asOf": "0001-01-01T00:00:00"}, date, datetime(2025, 1, 31, 11)),
            ({}, {}, None),
            ({}, {"Date": "once upon a time"}, None),
        ):
            with self.subTest(members=members, headers=headers):
                self.http.reset()
                self.on(
                    "GET /campaigns/42/activity", answer={"items": []} | members, headers=headers
                )
                before = datetime.now(timezone.utc)
                as_of = self.client.activity("42").as_of
                if moment:
                    self.assertEqual(as_of, moment.replace(tzinfo=timezone.utc))
                else:
                    self.assertTrue(before <= as_of <= datetime.now(timezone.utc))

    def test_a_repeated_page_of_activity_is_an_error_when_rows_are_missing(self):
        pages = [self.addresses(0, 2), self.addresses(0, 2)]
        with self.assertRaises(CampaignMasterResponseError) as caught:
            self.read_activity(pages)
        self.assertEqual(caught.exception.code, "endless_pages")

    def cycle(self, distinct, number):
        """Pages of two addresses, which begin again after ``distinct`` addresses."""
        starts = (2 * page % distinct for page in range(number))
        return [self.addresses(start, start + 2) for start in starts]

    def test_pages_that_repeat_in_a_cycle_are_an_error(self):
        for distinct, most in ((4, 5), (400, 401)):
            with self.assertRaises(CampaignMasterResponseError, msg=distinct) as caught:
                self.read_activity(self.cycle(distinct, most))
            self.assertEqual(caught.exception.code, "endless_pages")

    def test_a_cycle_of_more_addresses_than_the_sample_is_noticed_the_third_time(self):
        seen = None
        for rows in self.cycle(3_000, 4_500):
            checked = pages.check(seen, rows, total=1_000_000)
            if checked.endless:
                return
            seen = checked.seen
        self.fail("It was not noticed.")

    def check_pages(self, rows, size, total):
        """Check pages of a list of addresses.

        :return: what is known after the last page
        """
        seen = None
        for start in range(0, len(rows), size):
            checked = pages.check(seen, rows[start : start + size], total)
            self.assertFalse(checked.repeated or checked.endless, (size, start))
            seen = checked.seen
        return seen

    def test_rows_may_be_inserted_before_those_that_were_read(self):
        """Each row that was read comes once more, on later pages."""
        for read, inserted, size in ((4, 4, 1), (50, 30, 10), (300, 300, 100), (10_000, 300, 100)):
            rows = self.addresses(0, read)
            again = rows[-inserted:]
            self.check_pages([*rows, *again, *self.addresses(read, 2 * read)], size, total=1)

    def test_a_page_may_come_again_when_rows_were_inserted_before_it(self):
        first = pages.check(None, self.addresses(0, 2), total=4)
        self.assertTrue(pages.check(first.seen, self.addresses(0, 2), total=4).repeated)
        self.assertFalse(pages.check(first.seen, self.addresses(0, 2), total=6).repeated)

    def test_few_new_addresses_among_many_known_ones_are_noticed(self):
        known = self.addresses(0, 50_000)
        new = iter(self.addresses(50_000, 60_000))
        rows = [next(new) if number % 20 == 0 else email for number, email in enumerate(known)]
        self.check_pages([*known, *rows], 1_000, total=1)

    def test_what_is_known_of_a_reading_takes_little_space(self):
        seen = self.check_pages(self.addresses(0, 200_000), 1_000, total=200_000)
        self.assertEqual(seen["rows"], 200_000)
        self.assertLess(len(json.dumps(seen)), 10_000)

    def test_the_same_page_of_activity_may_be_asked_for_again(self):
        self.read_activity([self.addresses(0, 2)])
        self.read_activity([self.addresses(0, 2)])
