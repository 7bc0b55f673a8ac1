"""What can go wrong, for each call, answered by ``responses``."""

import json
from datetime import datetime, timezone

import requests

from odoo.addons.campaign_master.client import (
    CampaignMasterAddressError,
    CampaignMasterConnectionError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
    CampaignMasterNotAllowedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    CampaignMasterServerError,
    CampaignMasterTokenRefusedError,
    FieldError,
    month_end,
)

from .client_common import (
    EXAMPLES,
    TOKEN,
    MockedCase,
    each_call,
    from_now,
)

CALLS_WITH_TOKEN = tuple(name for name in EXAMPLES if name != "authenticate")
WRITING = ("create_campaign", "update_campaign", "add_recipients")
ABOUT = {
    "get_campaign": "campaign",
    "update_campaign": "campaign",
    "add_recipients": "list",
    "statistics": "campaign",
    "activity": "campaign",
}


class TestOutcomes(MockedCase):
    """What can go wrong, for each call."""

    def writes(self, example):
        return example in (EXAMPLES[name] for name in WRITING)

    def about(self, example):
        return next((ABOUT[name] for name in ABOUT if EXAMPLES[name] is example), None)

    def tries(self, example):
        return 3 if example.method in ("GET", "PUT") else 1

    @each_call()
    def test_good(self, example):
        self.on_example(example)
        example.make(self.client)
        if example is EXAMPLES["authenticate"]:
            self.assertEqual(self.ledger.told, [])
            self.assertEqual(self.ledger.token(), "token-2")
        else:
            self.assertEqual(
                self.ledger.told, [("before", example.name), ("after", example.name, 1)]
            )
            self.assertEqual(self.http.calls[0].request.headers["Authorization"], f"Bearer {TOKEN}")

    @each_call()
    def test_connect_timeout(self, example):
        self.on_example(example, body=requests.ConnectTimeout())
        self.assertFails(
            CampaignMasterConnectionError, example.make, "timeout", outcome_unknown=False
        )

    @each_call(*CALLS_WITH_TOKEN)
    def test_400(self, example):
        refusal = {
            "message": "Not like this.",
            "errors": [{"field": "subject", "message": "Missing."}, {"field": 3}, "x"],
        }
        self.on_example(example, status=400, answer=refusal)
        self.assertFails(
            CampaignMasterRefusedError,
            example.make,
            "refused",
            message="Not like this.",
            errors=[FieldError("subject", "Missing.")],
            status=400,
            outcome_unknown=False,
        )
        self.assertEqual(len(self.http.calls), 1)

    def test_400_of_a_login_on_the_way_does_not_refuse_the_call(self):
        refusal = {"message": "No.", "errors": [{"field": "username", "message": "Too long."}]}
        self.on("POST /lists/7/recipients", status=401)
        self.on("POST /authenticate", status=400, answer=refusal)
        self.assertFails(
            CampaignMasterLoginRequestError,
            EXAMPLES["add_recipients"].make,
            "login_request_refused",
            message="No.",
            errors=[FieldError("username", "Too long.")],
            call="POST /authenticate",
        )

    @each_call(*CALLS_WITH_TOKEN)
    def test_400_that_says_nothing(self, example):
        for body in ("", "<p>no</p>", "[]", '{"message": 3, "errors": {}}'):
            self.start_over()
            self.on_example(example, status=400, body=body)
            error = self.assertFails(CampaignMasterRefusedError, example.make, errors=[])
            self.assertEqual(error.message, "Campaign Master refused the request.")

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_once(self, example):
        self.on_example(example, status=401, answer={"message": "Ended."})
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.on_example(example)
        example.make(self.client)
        self.assertEqual(self.sent(), [example.name, "POST /authenticate", example.name])
        self.assertEqual(self.http.calls[2].request.headers["Authorization"], "Bearer token-2")
        self.assertEqual(self.ledger.told, [("before", example.name), ("after", example.name, 2)])
        self.assertEqual(self.log.lines[-1][:5], "DEBUG")

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_twice(self, example):
        self.on_example(example, status=401)
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.assertFails(
            CampaignMasterTokenRefusedError, example.make, "token_refused", call=example.name
        )
        self.assertEqual(len(self.http.calls), 3)

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_and_then_the_login_fails(self, example):
        self.on_example(example, status=401)
        self.on("POST /authenticate", status=401)
        self.assertFails(
            CampaignMasterLoginRefusedError,
            example.make,
            "login_refused",
            call="POST /authenticate",
        )
        self.assertEqual(self.ledger.told[-1], ("after", example.name, 1))

    @each_call(*CALLS_WITH_TOKEN)
    def test_403_is_not_a_refused_login(self, example):
        self.on_example(example, status=403, answer={"message": "No rights."})
        self.assertFails(
            CampaignMasterNotAllowedError,
            example.make,
            "not_allowed",
            reason="No rights.",
            status=403,
            outcome_unknown=False,
        )
        self.assertEqual(self.sent(), [example.name])

    @each_call(*ABOUT)
    def test_404_of_a_campaign_or_list(self, example):
        about = self.about(example)
        self.on_example(example, status=404)
        error = self.assertFails(
            CampaignMasterNotFoundError,
            example.make,
            about=about,
            key=f"{about}_not_found",
            outcome_unknown=False,
        )
        self.assertIn(about, error.message)
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*(name for name in EXAMPLES if name not in ABOUT))
    def test_404_of_a_path_that_names_neither(self, example):
        self.on_example(example, status=404)
        self.assertFails(CampaignMasterAddressError, example.make, "wrong_address")
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*CALLS_WITH_TOKEN)
    def test_429_of_the_hour(self, example):
        reset_at, header = from_now(minutes=20)
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": header}
        self.on_example(example, status=429, headers=headers)
        self.assertFails(
            CampaignMasterRateLimitError,
            example.make,
            "hour_spent",
            period="hour",
            retry_at=reset_at,
        )
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*CALLS_WITH_TOKEN)
    def test_429_of_the_month(self, example):
        self.on_example(example, status=429)
        self.assertFails(
            CampaignMasterRateLimitError,
            example.make,
            "month_spent",
            period="month",
            retry_at=month_end(datetime.now(timezone.utc)),
        )

    def test_429_of_a_login_never_stops_the_month(self):
        """Its answers have no limits to tell hour from month by."""
        self.on("POST /authenticate", status=429)
        self.assertFails(
            CampaignMasterRateLimitError,
            EXAMPLES["authenticate"].make,
            "hour_spent",
            period="hour",
            retry_at=None,
        )

    @each_call()
    def test_500(self, example):
        self.on_example(example, status=500, answer={"message": "Oh."})
        self.assertFails(
            CampaignMasterServerError,
            example.make,
            "server_error",
            outcome_unknown=self.writes(example),
        )
        self.assertEqual(len(self.http.calls), self.tries(example))

    @each_call()
    def test_redirect_is_not_followed(self, example):
        named = self.about(example)
        for status in (301, 302, 303, 307, 308):
            self.start_over()
            self.on_example(
                example, status=status, headers={"Location": "https://evil.example.com/"}
            )
            self.assertFails(
                CampaignMasterResponseError if named else CampaignMasterAddressError,
                example.make,
                "redirect",
                status=status,
                outcome_unknown=self.writes(example),
            )
            self.assertEqual(len(self.http.calls), 1)

    @each_call()
    def test_statuses_that_were_not_agreed_on(self, example):
        for status in (202, 203, 405, 418, 999):
            if status == 202 and example is EXAMPLES["add_recipients"]:
                continue  # the results come later
            self.start_over()
            self.on_example(example, status=status, answer=example.answer)
            self.assertFails(
                CampaignMasterResponseError,
                example.make,
                "unexpected_status",
                status=status,
                outcome_unknown=self.writes(example) and not 400 <= status < 500,
            )

    @each_call()
    def test_an_answer_that_is_not_json(self, example):
        for body in (
            "<html><body>Welcome</body></html>",
            "",
            '{"id": 1',
            '{"id": NaN}',
            b"\xff\xfe",
            "[" * 100_000,
            "1" * 10_000,
        ):
            self.start_over()
            self.on_example(example, body=body)
            self.assertFails(
                CampaignMasterResponseError,
                example.make,
                "not_json",
                outcome_unknown=self.writes(example),
            )

    @each_call()
    def test_a_byte_order_mark_does_no_harm(self, example):
        self.on_example(example, body=b"\xef\xbb\xbf" + json.dumps(example.answer).encode())
        example.make(self.client)

    @each_call()
    def test_a_member_that_may_be_missing_or_null(self, example):
        for member, answer in answers_without(example.answer):
            with self.subTest(member=member):
                self.http.reset()
                self.on_example(example, answer=answer)
                example.make(self.client)

    @each_call()
    def test_any_letter_case(self, example):
        for change in (str.upper, str.lower, str.title):
            with self.subTest(change.__name__):
                self.http.reset()
                self.on_example(example, answer=renamed(example.answer, change))
                example.make(self.client)

    @each_call()
    def test_a_member_that_is_missing_or_of_another_type(self, example):
        for member, broken in broken_answers(example.answer):
            with self.subTest(member=member):
                self.http.reset()
                self.on_example(example, answer=broken)
                error = self.assertFails(
                    CampaignMasterResponseError,
                    example.make,
                    "bad_member",
                    call=example.name,
                    outcome_unknown=self.writes(example),
                )
                self.assertIn(f"{member}”", error.message)


def broken_answers(answer, where=""):
    """The answer with one listed member of another type or, if it is required, missing; member
    after member."""
    for member, value in answer.items():
        optional = is_optional(member, answer)
        if not optional:
            yield where + member, {k: v for k, v in answer.items() if k != member}
        for other in (None, 3, "x", True, 1.5, [], {}, -1, 2**31):
            # 3 and "x" are both ids
            if member in ("id", "templateId", "email") and type(other) in (int, str):
                continue
            if type(other) is type(value) and (type(value) is not int or 0 <= other < 2**31):
                continue
            if value is None or (other is None and optional):
                continue
            yield where + member, answer | {member: other}
    for member in ("items", "results"):
        if member in answer:
            for inner, broken in broken_answers(answer[member][0], f"{member}[0]."):
                yield inner, answer | {member: [broken]}


def answers_without(answer):
    """The answer with one optional member missing or null, member after member."""
    for member in answer:
        if is_optional(member, answer):
            rest = {name: value for name, value in answer.items() if name != member}
            if member == "total":
                rest["isLastPage"] = True
            yield member, rest
            yield member, rest | {member: None}
    for member in ("items", "results"):
        if member in answer:
            for inner, item in answers_without(answer[member][0]):
                yield inner, answer | {member: [item]}


def is_optional(member, answer):
    required = {"token", "id", "name", "email", "items", "results"}
    return member not in required and not (member == "status" and "email" in answer)


def renamed(answer, change):
    """The answer with other names of all members."""
    if isinstance(answer, list):
        return [renamed(item, change) for item in answer]
    if isinstance(answer, dict):
        return {change(name): renamed(value, change) for name, value in answer.items()}
    return answer
