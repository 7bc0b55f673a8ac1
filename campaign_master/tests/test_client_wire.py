"""How Campaign Master's answers are read and what is written to it, member by member."""

from datetime import datetime, timedelta, timezone

from odoo.addons.campaign_master.client import Limits, wire

from .client_common import ClientCase

NOW = datetime(2025, 1, 31, 23, 30, tzinfo=timezone.utc)


class TestReading(ClientCase):
    def read_member(self, method, value, *args):
        return getattr(wire.Members({"member": value}), method)("member", *args)

    def assertUnusable(self, method, value, problem):
        with self.assertRaises(wire.UnusableError) as caught:
            self.read_member(method, value)
        self.assertEqual(str(caught.exception), f"“member” {problem}")

    def test_a_time(self):
        for text, moment in (
            ("2025-01-31T09:30:00Z", datetime(2025, 1, 31, 9, 30)),
            ("2025-01-31T09:30:00.5Z", datetime(2025, 1, 31, 9, 30, 0, 500_000)),
            ("2024-02-29T23:59:59.123456Z", datetime(2024, 2, 29, 23, 59, 59, 123_456)),
            ("2025-01-31T09:30:00.123456789Z", datetime(2025, 1, 31, 9, 30, 0, 123_456)),
            ("1970-01-01T00:00:00Z", datetime(1970, 1, 1)),
            ("2999-12-31T23:59:59.999999Z", datetime(2999, 12, 31, 23, 59, 59, 999_999)),
        ):
            with self.subTest(text):
                self.assertEqual(
                    self.read_member("time", text), moment.replace(tzinfo=timezone.utc)
                )

    def test_what_is_no_time(self):
        for text in (
            "",
            "2025-01-31",
            "2025-01-31T09:30:00",
            "2025-01-31 09:30:00Z",
            "2025-01-31T09:30:00z",
            "2025-01-31T09:30:00+00:00",
            "2025-01-31T09:30:00.Z",
            "2025-01-31T09:30:00.1234567890Z",
            "2025-01-31T09:30:00Z\n",
            " 2025-01-31T09:30:00Z",
            "2025-02-29T09:30:00Z",
            "2025-13-01T09:30:00Z",
            "2025-01-31T24:00:00Z",
            "2025-01-31T23:59:60Z",
            "0000-01-31T09:30:00Z",
            "1969-12-31T23:59:59Z",
            "3000-01-01T00:00:00Z",
            "٢٠٢٥-01-31T09:30:00Z",
        ):
            with self.subTest(text):
                self.assertUnusable("time", text, "is not a time in UTC")

    def test_a_count(self):
        for value in (0, 1, 2**31 - 1):
            self.assertEqual(self.read_member("count", value), value)
        for value in (-1, 2**31, 10**100):
            self.assertUnusable("count", value, "is out of range")
        for value in (True, False, 1.0, "1", None, [], {}):
            self.assertUnusable("count", value, "has the wrong type")

    def test_an_id(self):
        for value, ref in ((7, "7"), (0, "0"), (-3, "-3"), ("a/b", "a/b"), (2**63, str(2**63))):
            self.assertEqual(self.read_member("ref", value), ref)
        for value in ("", ".", "..", "x" * 129, 10**128, "a\x00", "a\ud800"):
            self.assertUnusable("ref", value, "cannot be an id")
        for value in (True, 1.0, None, [], {}):
            self.assertUnusable("ref", value, "has the wrong type")

    def test_text_is_made_storable(self):
        self.assertEqual(
            self.read_member("text", "a\x00b\ud83dc\U0001f600"), "a\ufffdb\ufffdc\U0001f600"
        )
        self.assertEqual(len(self.read_member("text", "x" * 30_000)), 20_000)
        self.assertEqual(self.read_member("text", "abc", 2), "ab")

    def test_a_flag(self):
        self.assertIs(self.read_member("flag", True), True)
        for value in (0, 1, "true", None):
            self.assertUnusable("flag", value, "has the wrong type")

    def test_a_problem_names_the_member_and_never_its_value(self):
        answer = wire.Members({"results": [{"email": "ann@example.com", "status": "added"}]})
        with self.assertRaises(wire.UnusableError) as caught:
            wire.read_results(answer)
        self.assertEqual(str(caught.exception), "“results[0].message” is missing")
        with self.assertRaises(wire.UnusableError) as caught:
            wire.read_results(wire.Members({"results": [["ann@example.com"]]}))
        self.assertEqual(str(caught.exception), "results[0] is not an object")
        with self.assertRaises(wire.UnusableError) as caught:
            wire.Members(["ann@example.com"])
        self.assertEqual(str(caught.exception), "the answer is not an object")


class TestWriting(ClientCase):
    def test_an_id_goes_back_in_the_type_it_came_in(self):
        for value in (7, 0, -3, 2**63, "x-9", "007", "+7", "7.0", "", "1e3", "٧", "-0", " 7"):
            with self.subTest(value):
                ref = str(value)
                self.assertEqual(wire.ref_to_wire(ref), value)
                self.assertIs(type(wire.ref_to_wire(ref)), type(value))

    def test_decimal_text_is_taken_for_an_integer(self):
        self.assertEqual(wire.ref_to_wire("7"), 7)

    def test_a_call_shows_neither_query_nor_body(self):
        secret = "hunter2"
        for call in (
            wire.login("ann", secret),
            wire.add_recipients("7", [secret]),
            wire.campaigns_by_reference(secret, 2),
        ):
            self.assertNotIn(secret, str(call) + repr(call))


class TestLimits(ClientCase):
    def test_the_hour_or_the_month(self):
        soon = NOW + timedelta(minutes=5)
        february = datetime(2025, 2, 1, tzinfo=timezone.utc)
        for limits, expected in (
            (Limits(5000, 0, soon), ("hour", soon)),
            (Limits(5000, 1, soon), ("month", february)),
            (Limits(5000, 0, None), ("month", february)),
            (Limits(5000, None, soon), ("month", february)),
            (Limits(5000, 0, NOW - timedelta(minutes=5)), ("month", february)),
            # our clock is half a minute ahead of the server's
            (Limits(5000, 0, NOW - timedelta(seconds=30)), ("hour", NOW - timedelta(seconds=30))),
        ):
            with self.subTest(limits):
                self.assertEqual(wire.spent_period(limits, NOW), expected)

    def test_the_month_after_december(self):
        now = datetime(2025, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
        self.assertEqual(
            wire.spent_period(Limits(), now), ("month", datetime(2026, 1, 1, tzinfo=timezone.utc))
        )
