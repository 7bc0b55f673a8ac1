"""How Campaign Master's answers are read and what is written to it, member by member."""

from datetime import datetime, timedelta, timezone
from unittest.mock import patch
from zoneinfo import ZoneInfo

from odoo.addons.campaign_master.client import Activity, Limits, RecipientResult, wire

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
            ("2025-01-31T09:30:00+00:00", datetime(2025, 1, 31, 9, 30)),
            ("2025-01-31T09:30:00.25+02:00", datetime(2025, 1, 31, 7, 30, 0, 250_000)),
            ("2025-01-31T20:30:00-0530", datetime(2025, 2, 1, 2, 0)),
            ("2025-01-31T09:30:00", datetime(2025, 1, 31, 9, 30)),
            ("2025-07-31T09:30:00.1234567", datetime(2025, 7, 31, 9, 30, 0, 123_456)),
        ):
            with self.subTest(text):
                self.assertEqual(
                    self.read_member("time", text), moment.replace(tzinfo=timezone.utc)
                )

    def test_the_zone_of_a_time_that_names_none_is_one_constant(self):
        with patch.object(wire, "UNZONED", ZoneInfo("Europe/London")):
            for text, hour in (
                ("2025-07-31T09:30:00", 8),
                ("2025-01-31T09:30:00", 9),
                ("2025-07-31T09:30:00Z", 9),
            ):
                with self.subTest(text):
                    self.assertEqual(self.read_member("time", text).hour, hour)

    def test_the_year_1_is_no_time_yet(self):
        for text in ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"):
            self.assertIsNone(self.read_member("time", text))

    def test_what_is_no_time(self):
        for text in (
            "",
            "2025-01-31",
            "2025-01-31 09:30:00Z",
            "2025-01-31T09:30:00z",
            "2025-01-31T09:30:00+1",
            "2025-01-31T09:30:00+24:00",
            "2025-01-31T09:30:00+00:60",
            "2025-01-31T09:30:00 +00:00",
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
            "9999-12-31T23:59:59-23:59",
            "0002-01-01T00:00:00Z",
            "1970-01-01T00:00:00+00:01",
            "٢٠٢٥-01-31T09:30:00Z",
        ):
            with self.subTest(text):
                self.assertUnusable("time", text, "is not a time")

    def test_a_count(self):
        for value in (0, 1, 2**31 - 1):
            self.assertEqual(self.read_member("count", value), value)
        for value, count in (("0", 0), ("007", 7), (str(2**31 - 1), 2**31 - 1), (12.0, 12)):
            self.assertEqual(self.read_member("count", value), count)
            self.assertIs(type(self.read_member("count", value)), int)
        for value in (-1, 2**31, 10**100, "-1", str(2**31), 1e300):
            self.assertUnusable("count", value, "is out of range")
        for value in ("", " 1", "1.0", "1e3", "x", "٣", "9" * 5000, 1.5, float("inf")):
            self.assertUnusable("count", value, "is not a whole number")
        for value in (True, False, None, [], {}):
            self.assertUnusable("count", value, "has the wrong type")

    def test_an_id(self):
        for value, ref in (
            (7, "7"),
            (0, "0"),
            (-3, "-3"),
            ("a/b", "a/b"),
            (2**63, str(2**63)),
            (7.0, "7"),
        ):
            self.assertEqual(self.read_member("ref", value), ref)
        for value in ("", ".", "..", "x" * 129, 10**128, "a\x00", "a\ud800"):
            self.assertUnusable("ref", value, "cannot be an id")
        self.assertUnusable("ref", 1.5, "is not a whole number")
        for value in (True, None, [], {}):
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
        answer = wire.Members({"results": [{"email": "ann@example.com", "message": ""}]})
        with self.assertRaises(wire.UnusableError) as caught:
            wire.read_results(answer)
        self.assertEqual(str(caught.exception), "“results[0].status” is missing")
        with self.assertRaises(wire.UnusableError) as caught:
            wire.read_results(wire.Members({"results": [["ann@example.com"]]}))
        self.assertEqual(str(caught.exception), "results[0] is not an object")
        with self.assertRaises(wire.UnusableError) as caught:
            wire.Members(["ann@example.com"])
        self.assertEqual(str(caught.exception), "the answer is not an object")

    def test_the_letter_case_of_a_name_does_not_matter(self):
        rows = [
            {"Email": "ann@example.com", "STATUS": "added", "mEssage": "Done."},
            {"email": "bob@example.com", "status": "added", "Message": "Done."},
        ]
        self.assertEqual(
            wire.read_results(wire.Members({"Results": rows})),
            [
                RecipientResult("ann@example.com", "added", "Done."),
                RecipientResult("bob@example.com", "added", "Done."),
            ],
        )
        with self.assertRaises(wire.UnusableError) as caught:
            wire.read_template(wire.Members({"ID": 3, "NAME": None}))
        self.assertEqual(str(caught.exception), "“name” has the wrong type")

    def test_a_row_of_activity_needs_only_the_address(self):
        nobody_did_anything = Activity(
            "ann@example.com", 0, 0, 0, 0, None, None, None, None, False, False, False, None
        )
        for others in ({}, {"opens": None, "firstOpen": None, "optedOut": None}):
            row = wire.Members({"email": "ann@example.com"} | others)
            self.assertEqual(wire.read_activity(row), nobody_did_anything)

    def test_a_complaint_is_an_optout(self):
        for told in ({}, {"optedOut": False}, {"optedOut": True}):
            row = wire.read_activity(wire.Members({"email": "a", "complained": True} | told))
            self.assertEqual((row.opted_out, row.complained), (True, True))
        row = wire.read_activity(wire.Members({"email": "a", "optedOut": True}))
        self.assertEqual((row.opted_out, row.complained), (True, False))

    def test_where_opt_outs_are_not_told_whoever_unsubscribed_is_out(self):
        for told, is_out in (({}, True), ({"optedOut": False}, False), ({"optedOut": None}, True)):
            row = wire.read_activity(wire.Members({"email": "a", "unsubscribes": 1} | told))
            self.assertEqual(row.opted_out, is_out)

    def test_why_an_address_bounced(self):
        row = {"email": "a", "bounced": True, "BounceReason": "No such mailbox."}
        self.assertEqual(wire.read_activity(wire.Members(row)).bounce_reason, "No such mailbox.")

    def test_the_reason_of_a_bounce_is_one_short_line_of_plain_text(self):
        for told, stored in (
            ("550 5.1.1 <ann@x.com>:\r\n  no\tuser", "550 5.1.1 <ann@x.com>: no user"),
            ("\x1b[31mfull\x00\u202e\ud800", "[31mfull\ufffd \ufffd"),
            ("x" * 10_000, "x" * 200),
            (" \n", None),
            ("", None),
            (None, None),
        ):
            with self.subTest(told):
                row = wire.Members({"email": "a", "bounceReason": told})
                self.assertEqual(wire.read_activity(row).bounce_reason, stored)

    def test_a_date_of_http(self):
        noon = datetime(2025, 1, 31, 12, tzinfo=timezone.utc)
        for text, moment in (
            ("Fri, 31 Jan 2025 12:00:00 GMT", noon),
            ("Fri, 31 Jan 2025 13:00:00 +0100", noon),
            ("Fri, 31 Jan 2025 12:00:00 -0000", noon),
            ("", None),
            ("today", None),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("Fri, 31 Jan 99999 12:00:00 GMT", None),
        ):
            with self.subTest(text):
                self.assertEqual(wire.read_date({"Date": text}), moment)
        self.assertIsNone(wire.read_date({}))

    def test_the_text_of_an_error(self):
        for body, text in (
            ('{"message": "Not so."}', "Not so."),
            ('{"Message": "Not so."}', "Not so."),
            ('{"Status": "-1", "StatusMessage": "Not so."}', "Not so."),
            ('{"error": "Not so.", "status": 400}', "Not so."),
            ('{"message": " ", "error": "Not so."}', "Not so."),
            ('{"message": {"text": "x"}, "error": "Not so."}', "Not so."),
            ('{"error": "Not so.", "message": "First of all."}', "First of all."),
            ('"Not so."', "Not so."),
            ("Not so.\r\n  Really.", "Not so. Really."),
            ("\ufeffNot so.", "Not so."),
            ("x" * 300, "x" * 200),
            ('{"message": "a\\u0000b"}', "a\ufffdb"),
            ("", ""),
            ("<!DOCTYPE html><p>Not so.</p>", ""),
            ("Not <b>so</b>.", ""),
            ('{"message": "<p>Not so.</p>"}', ""),
            ('{"message": "Not', ""),
            ("[1, 2]", ""),
            ("null", ""),
            ("a\x00b", ""),
            (b"\xff\xfe", ""),
        ):
            with self.subTest(body):
                body = body if isinstance(body, bytes) else body.encode()
                self.assertEqual(wire.read_error(body, str), (text, []))

    def test_a_secret_in_an_error_is_hidden_before_the_text_is_cut(self):
        body = b"x" * 198 + b"hunter22"
        text, _pairs = wire.read_error(body, lambda text: text.replace("hunter22", "***"))
        self.assertEqual(text, "x" * 198 + "**")

    def test_what_is_wrong_with_each_member(self):
        body = b'{"Errors": [{"Field": "name", "MESSAGE": "Too long."}, {"field": 3}, null]}'
        self.assertEqual(wire.read_error(body, str), ("", [("name", "Too long.")]))


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
            wire.login("ann", secret, secret, secret),
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
