"""*Check API* without Odoo: one answer after the other, compared with the contract."""

import json
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.campaign_master.client import CampaignMasterClient, Observation, wire
from odoo.addons.campaign_master.client.check import check, examine
from odoo.addons.campaign_master.client.check_steps import (
    ADDED,
    CREATED,
    FOUND_AGAIN,
    LOGIN,
    STEPS,
    Target,
)
from odoo.addons.campaign_master.client.inspection import contract
from odoo.addons.campaign_master.tools import render_report

from .client_common import (
    ACTIVITY,
    CAMPAIGN,
    EXAMPLES,
    LIST,
    PASSWORD,
    RESULT,
    STATISTICS,
    TEMPLATE,
    TOKEN,
    URL,
    USERNAME,
    MockedCase,
    Recorder,
    page_of,
)

DOCS = Path(__file__).parents[2] / "docs"
TARGET = Target(
    campaign_ref="42",
    reference="odoo-1",
    created_ref="42",
    list_ref="7",
    template_ref="3",
    email="ann@example.com",
)
NOW = datetime(2026, 7, 15, 12, 0, 7, tzinfo=timezone.utc)
HEADERS = {"Date": format_datetime(NOW, usegmt=True)}
ACTIVITY_PAGE = page_of(ACTIVITY, page_size=5, asOf="2026-07-15T12:00:07Z")
ANSWERS = {
    "login": {"token": "token-2"},
    "templates": page_of(TEMPLATE),
    "lists": page_of(LIST),
    "campaigns_by_reference": page_of(CAMPAIGN),
    "create_campaign": CAMPAIGN,
    "campaign": CAMPAIGN,
    "update_campaign": CAMPAIGN,
    "add_recipients": {"results": [RESULT]},
    "statistics": STATISTICS,
    "activity": ACTIVITY_PAGE,
}
# What of the contract the examples leave out.
OPTIONAL = {"isLastPage", "sentAt", "bounces", "uniqueForwards"}
STEP = {step.build.__name__: step for step in reversed(STEPS)}


def answer_to(step):
    return ANSWERS[step.build.__name__]


def renamed(data, rename):
    if isinstance(data, list):
        return [renamed(item, rename) for item in data]
    if isinstance(data, dict):
        return {rename(name): renamed(value, rename) for name, value in data.items()}
    return data


# Texts that no report may contain.
PLANTED = ("hunter2 secret", "sesame-key", "Ann.Archer@example.com", "+44 20 7946 0018")
TEXTS = st.sampled_from(PLANTED) | st.text(max_size=8)
NAMES = st.sampled_from(
    sorted({*ACTIVITY_PAGE, *ACTIVITY, *CAMPAIGN, *RESULT, *STATISTICS, "results"})
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    VALUES,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(NAMES | TEXTS, parts, max_size=8),
)


class CheckCase(MockedCase):
    def check(self, step, answer=None, target=TARGET, **options):
        """The finding of a step, if the server gives this answer."""
        self.http.reset()
        call, seen = step.call(target), []
        self.on(f"{call.method} {call.path}", answer=answer, **{"headers": HEADERS} | options)
        with CampaignMasterClient(
            URL,
            USERNAME,
            PASSWORD,
            ledger=Recorder(TOKEN),
            retries=0,
            observer=seen.append,
        ) as client:
            finding, _result = check(client, step, target, seen)
        return finding

    def found(self, finding, name):
        return {entry.get("member", ""): entry["found"] for entry in finding.get(name, ())}


class TestAnswers(CheckCase):
    def test_an_answer_in_the_contracts_form_is_as_documented_or_modeled(self):
        for step in STEPS:
            with self.subTest(step.kind):
                finding = self.check(step, answer_to(step))
                expected = "modeled" if step.grade == "M" else "documented"
                self.assertEqual(finding["result"], expected, finding)
                self.assertNotIn("differs", finding)
                self.assertNotIn("unlisted", finding)
                tolerated = {name.rpartition(".")[2] for name in self.found(finding, "tolerated")}
                self.assertLessEqual(tolerated, OPTIONAL)

    def test_another_letter_case_is_tolerated_and_named(self):
        finding = self.check(STEP["lists"], renamed(page_of(LIST), str.upper))
        self.assertEqual(finding["result"], "modeled")
        tolerated = self.found(finding, "tolerated")
        self.assertEqual(tolerated["items[].name"], "in another letter case")
        self.assertEqual(tolerated["total"], "in another letter case")

    def test_numbers_as_texts_are_tolerated_and_named(self):
        answer = page_of(LIST | {"recipients": "12", "id": 7.0})
        tolerated = self.found(self.check(STEP["lists"], answer), "tolerated")
        self.assertEqual(tolerated["items[].recipients"], "text “99”")
        self.assertEqual(tolerated["items[].id"], "number with a fraction")

    def test_all_that_differs_is_found_at_once_with_its_place(self):
        row = {"ID": 7, "title": "Members", "recipients": {"count": 12}}
        finding = self.check(STEP["lists"], page_of(row))
        self.assertEqual(finding["result"], "differs")
        self.assertEqual(
            self.found(finding, "differs"),
            {
                "items[].name": "missing",
                "items[].recipients": "object, which has the wrong type",
            },
        )
        self.assertEqual(self.found(finding, "unlisted"), {"items[].title": "text “aaaaaaa”"})
        self.assertEqual({one["place"] for one in finding["differs"]}, {"read_list"})
        self.assertIn("title", finding["body"])

    def test_a_member_that_one_of_several_rows_has_is_not_missing(self):
        rows = page_of(ACTIVITY, {"email": "bob@example.com"}, asOf="2026-07-15T12:00:07Z")
        finding = self.check(STEP["activity"], rows)
        self.assertEqual(self.found(finding, "tolerated").keys(), {"isLastPage"})

    def test_a_time_of_another_form_is_shown_as_its_shape(self):
        rows = page_of(ACTIVITY | {"firstOpen": "31/01/2025 09:30"})
        finding = self.check(STEP["activity"], rows)
        self.assertEqual(
            self.found(finding, "differs"),
            {"items[].firstOpen": "text “99/99/9999 99:99”, which is not a time"},
        )

    def test_an_unknown_status_word_is_tolerated_and_shown_as_its_shape(self):
        finding = self.check(STEP["campaign"], CAMPAIGN | {"status": "Archived"})
        self.assertEqual(
            self.found(finding, "tolerated")["status"], "an unknown word, text “aaaaaaaa”"
        )

    def test_rows_that_are_no_objects_and_answers_that_are_no_json(self):
        finding = self.check(STEP["templates"], page_of("Spring"))
        self.assertIn("items[]", self.found(finding, "differs"))
        finding = self.check(STEP["templates"], body="<html>Ann</html>")
        self.assertEqual(self.found(finding, "differs"), {"": "The answer is not JSON."})
        self.assertNotIn("Ann", json.dumps(finding))

    def test_an_empty_list_says_that_nothing_was_compared(self):
        finding = self.check(STEP["templates"], page_of())
        self.assertIn("could not be compared", self.found(finding, "tolerated")[""])

    def test_parameters_that_are_ignored_are_named(self):
        finding = self.check(STEP["templates"], page_of(*[TEMPLATE] * 6))
        self.assertIn("pageSize is ignored", self.found(finding, "tolerated")[""])
        others = page_of(CAMPAIGN | {"reference": "odoo-2"})
        finding = self.check(STEP["campaigns_by_reference"], others)
        self.assertIn("reference is ignored", self.found(finding, "tolerated")[""])

    def test_a_created_campaign_must_be_found_by_its_reference(self):
        finding = self.check(FOUND_AGAIN, page_of())
        self.assertEqual(finding["result"], "differs")
        self.assertIn("not found by its reference", self.found(finding, "differs")[""])

    def test_another_campaign_than_the_one_that_was_asked_for_differs(self):
        finding = self.check(STEP["campaign"], CAMPAIGN | {"id": 43})
        self.assertIn("another campaign", self.found(finding, "differs")[""])

    def test_a_refusal_is_told_with_its_status_and_what_it_may_mean(self):
        for status, hint in (
            (400, "another form"),
            (401, "BEARER"),
            (403, "API module"),
            (404, "path"),
            (429, "limit"),
        ):
            with self.subTest(status):
                if status == 401:  # is followed by a login and the same again
                    self.ledger = Recorder(TOKEN)
                finding = self.refusal(status)
                self.assertEqual((finding["result"], finding["status"]), ("refused", status))
                self.assertIn(hint, finding["reason"])
                self.assertIn("aaaa", finding["body"])

    def refusal(self, status):
        step, seen = STEP["templates"], []
        self.http.reset()
        for _try in range(2 if status == 401 else 1):
            self.on("GET /templates", answer={"message": "Anna says no."}, status=status)
        if status == 401:
            self.on("POST /authenticate", answer={"token": "token-2"})
        with CampaignMasterClient(
            URL, USERNAME, PASSWORD, ledger=Recorder(TOKEN), retries=0, observer=seen.append
        ) as client:
            return check(client, step, TARGET, seen)[0]

    def test_a_refused_login_ends_the_check(self):
        for options in (
            {"status": 401, "answer": {"message": "No."}},
            {"status": 200, "answer": {"Status": -1, "StatusMessage": "No."}},
            {"status": 500, "body": "InvalidLogin"},
        ):
            with self.subTest(**options):
                finding = self.check(LOGIN, **options)
                self.assertEqual(finding["result"], "refused")
                self.assertEqual(finding["stop"], "The login was refused.")
                self.assertIn("API user", finding["reason"])

    def test_a_result_that_comes_later_is_as_modeled(self):
        finding = self.check(ADDED, {"job": 7}, status=202)
        self.assertEqual(finding["result"], "modeled")
        self.assertIn("comes later", self.found(finding, "tolerated")[""])


class TestZone(CheckCase):
    def zone(self, hours, asked=CREATED):
        local = (NOW + timedelta(hours=hours)).replace(tzinfo=None).isoformat()
        if asked is CREATED:
            return self.check(CREATED, CAMPAIGN | {"createdOn": local})
        return self.check(asked, ACTIVITY_PAGE | {"asOf": local})

    def test_the_zone_of_times_without_one_is_found_by_the_http_date(self):
        for step in (STEP["activity"], CREATED):
            for hours, zone in ((1, r"UTC\+01:00 \(British summer time\)"), (-5.5, "UTC-05:30")):
                with self.subTest(step.kind, hours=hours):
                    finding = self.zone(hours, step)
                    self.assertRegex(finding["zone"], zone)
                    self.assertIn("UNZONED", finding["zone"])
                    self.assertEqual(finding["result"], "differs")

    def test_times_in_utc_without_a_zone_are_as_assumed(self):
        for step in (STEP["activity"], CREATED):
            finding = self.zone(0, step)
            self.assertIn("in UTC, as assumed", finding["zone"])
            self.assertNotEqual(finding["result"], "differs")

    def test_a_time_that_is_not_now_tells_no_zone(self):
        finding = self.zone(0.1, STEP["activity"])
        self.assertIn("none of them can be compared", finding["zone"])
        sent = CAMPAIGN | {"sentAt": "2026-07-15T13:00:07"}
        self.assertIn("none of them", self.check(STEP["campaign"], sent)["zone"])

    def test_times_with_a_zone_need_no_comparison(self):
        self.assertNotIn("zone", self.check(STEP["activity"], ACTIVITY_PAGE))


class TestContract(CheckCase):
    """Grades and places are written once, in ``wire.py``."""

    def test_each_call_has_the_grade_of_the_contract(self):
        paths = yaml.safe_load((DOCS / "openapi.yaml").read_text())["paths"]
        grades = {"documented": "D", "sister": "S", "modeled": "M"}
        for step in STEPS:
            method, path = step.kind.split(" ")
            [operation] = [
                operations[method.lower()]
                for pattern, operations in paths.items()
                if re.sub(r"\{\w+\}", "ID", pattern) == path and method.lower() in operations
            ]
            self.assertEqual(step.grade, grades[operation["x-source"]], step.kind)

    def test_the_check_makes_each_call_of_the_client(self):
        made = {step.kind for step in STEPS}
        known = {re.sub(r"/\d+", "/ID", example.name) for example in EXAMPLES.values()}
        self.assertEqual(made, known)

    def test_the_documentation_says_where_each_member_is_corrected(self):
        documented = {}
        for line in (DOCS / "api.md").read_text().splitlines():
            if match := re.fullmatch(r"\| .* \| `(read_\w+)` \| (.*) \|", line):
                documented[match[1]] = set(re.findall(r"`(\w+)`( \(S\))?", match[2]))
        expected = {}
        for step in STEPS:
            for member in contract(step.read(Target())):
                name = member.rpartition(".")[2].removesuffix("[]")
                grade = " (S)" if name in wire.SISTER_NAMES else ""
                for function in step.place(member).split(", "):
                    expected.setdefault(function, set()).add((name, grade))
        # An answer is read by several functions; each names its own members.
        own = {("asOf", "")}
        expected["read_page"] -= own
        expected["read_activity_page"] = own
        self.assertEqual(documented, expected)

    def test_each_name_of_a_sister_is_one_of_the_contract(self):
        names = {
            member.rpartition(".")[2] for step in STEPS for member in contract(step.read(Target()))
        }
        self.assertLessEqual(wire.SISTER_NAMES, names)


class TestSafe(CheckCase):
    """A report has no password, no address and no text of Campaign Master."""

    def plant(self, data):
        """The answer with planted texts wherever a server can put them."""
        if isinstance(data, list):
            return [*map(self.plant, data), *PLANTED]
        if isinstance(data, dict):
            planted = dict(zip(PLANTED, PLANTED, strict=True))
            return {name: self.plant(value) for name, value in data.items()} | {
                **planted,
                "extra": list(PLANTED),
            }
        return PLANTED[0] if isinstance(data, str) else data

    def assertSafe(self, finding):
        text = json.dumps(finding, ensure_ascii=False)
        text += render_report({"Add-on": "1"}, [finding, finding], ["Nothing."])
        for planted in (*PLANTED, PASSWORD, TOKEN, "Archer", "hunter"):
            self.assertNotIn(planted, text)

    def test_planted_texts_do_not_get_into_a_finding(self):
        headers = HEADERS | {
            "x-rate-limit-limit": PLANTED[1],
            "x-token-reset": PLANTED[0],
            "Set-Cookie": PLANTED[1],
            "Content-Type": PLANTED[1],
        }
        for step in STEPS:
            for status in (200, 400, 403, 404, 500):
                with self.subTest(step.kind, status=status):
                    answer = self.plant(answer_to(step))
                    self.assertSafe(self.check(step, answer, status=status, headers=headers))
                    for body in (" ".join(PLANTED), json.dumps(list(PLANTED))):
                        finding = self.check(step, body=body, status=status, headers=headers)
                        self.assertSafe(finding)

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(STEPS), st.sampled_from([200, 201, 202, 302, 400, 500]), JSON)
    def test_no_answer_whatever_breaks_the_check_or_leaks(self, step, status, data):
        seen = Observation(
            call=step.kind,
            method="GET",
            path="/",
            params={},
            sent=None,
            status=status,
            headers={"Date": HEADERS["Date"]},
            body=json.dumps(data).encode(),
            error=None,
            at=NOW,
            seconds=0.5,
        )
        self.assertSafe(examine(step, TARGET, [seen], None))
