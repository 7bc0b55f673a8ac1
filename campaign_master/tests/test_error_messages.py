from odoo.tests import TransactionCase, tagged

from ..client import CampaignMasterError
from ..client import errors as client_errors
from ..tools import explain, explain_cause

# Base classes that the client never raises itself.
ABSTRACT = {"CampaignMasterError", "CampaignMasterAuthError"}


@tagged("post_install", "-at_install")
class TestErrorMessages(TransactionCase):
    """Each failure is a sentence that says what happened and what to do now."""

    def errors(self):
        for name, cls in vars(client_errors).items():
            if isinstance(cls, type) and issubclass(cls, CampaignMasterError):
                if name in ABSTRACT:
                    continue
                for attribute, values in (
                    ("period", ("hour", "month")),
                    ("about", ("campaign", "list")),
                ):
                    if attribute in cls.__init__.__annotations__:
                        for value in values:
                            yield cls("code", "Bad Request", **{attribute: value})
                        break
                else:
                    yield cls("code", "Bad Request")

    def test_a_refused_login_names_the_api_module_and_the_api_user_and_says_why(self):
        for name in ("LoginRefused", "LoginDoubt", "NotAllowed"):
            error_class = getattr(client_errors, f"CampaignMaster{name}Error")
            with self.subTest(name):
                text = explain(self.env, error_class("code", "No.", reason="Locked out. "))
                self.assertIn("API module", text)
                self.assertIn("API user", text)
                self.assertIn("The response says: “Locked out”. ", text)

    def test_every_error_of_the_client_has_a_message(self):
        errors = list(self.errors())
        self.assertGreater(len(errors), 12)
        for error in errors:
            with self.subTest(type(error).__name__, key=error.key):
                text = explain(self.env, error)
                self.assertRegex(text, r"^[A-Z].+\. [A-Z].+\.$")
                self.assertNotIn("%(", text)

    def test_in_the_settings_nobody_is_sent_to_the_settings(self):
        for error in self.errors():
            with self.subTest(key=error.key):
                text = explain(self.env, error, in_settings=True)
                self.assertNotIn("Settings ›", text)

    def test_a_cause_gives_no_advice(self):
        """A sync that waits adds what happens next: the advice to try again would contradict it."""
        for error in self.errors():
            with self.subTest(key=error.key):
                cause = explain_cause(self.env, error)
                self.assertEqual(cause.count(". "), 0, cause)
                self.assertNotRegex(cause, "(?i)try again|click|select|correct")
