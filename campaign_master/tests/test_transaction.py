from psycopg2.errors import SerializationFailure

from odoo.tests import TransactionCase, tagged

from ..tools import commit_with_retry
from ..tools.transaction import MAX_TRIES


@tagged("post_install", "-at_install")
class TestCommitWithRetry(TransactionCase):
    """The result of an API call is not lost because somebody else changes the same rows."""

    def setUp(self):
        super().setUp()
        self.registry_enter_test_mode()
        self.calls = 0

    def store(self, failures, wrapped=False):
        """Fail this often, then store something."""
        self.calls += 1
        if self.calls <= failures:
            error = SerializationFailure("could not serialize access due to concurrent update")
            if wrapped:
                raise ValueError("An automation rule failed") from error
            raise error
        return "stored"

    def run_with(self, *args):
        with self.registry.cursor() as cr:
            return commit_with_retry(self.env(cr=cr), self.store, *args)

    def test_a_concurrent_update_is_tried_again(self):
        self.assertEqual(self.run_with(2), "stored")
        self.assertEqual(self.calls, 3)

    def test_so_is_one_in_an_automation_rule(self):
        self.assertEqual(self.run_with(1, True), "stored")

    def test_it_is_given_up_in_the_end(self):
        with self.assertRaises(SerializationFailure):
            self.run_with(MAX_TRIES)
        self.assertEqual(self.calls, MAX_TRIES)
