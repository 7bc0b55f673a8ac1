from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..tools import format_moment
from .common import CampaignMasterCase
from .test_sync import REFUSAL

RULE = {"__action_done": {}}  # the context of an automation rule
CRON = {"cron_id": 1}  # the context of a scheduled action


class TestStartOfASync(CampaignMasterCase):
    """The button starts a sync; the scheduled action makes the calls."""

    def triggers(self):
        """Number of times that the scheduled action is to run."""
        return (
            self.env["ir.cron.trigger"]
            .sudo()
            .search_count(
                [("cron_id", "=", self.env.ref("campaign_master.ir_cron_push_recipients").id)]
            )
        )

    def test_a_missing_value_is_refused_at_once(self):
        campaign = self.make_campaign(campaign_master_list_id=False)
        calls, triggers = self.sandbox.calls(), self.triggers()
        with self.assertRaises(UserError) as refusal:
            self.press(campaign)
        self.assertEqual(str(refusal.exception), REFUSAL % "Campaign list")
        self.assertEqual(self.sandbox.calls(), calls)
        self.assertFalse(self.syncs(campaign))
        self.assertEqual(self.triggers(), triggers)
        self.assertEqual(campaign.campaign_master_sync_state, "never")

    def test_the_button_makes_no_call_and_the_form_shows_a_running_sync(self):
        campaign = self.make_campaign()
        calls, triggers = self.sandbox.calls(), self.triggers()
        action = self.press(campaign)
        self.assertEqual(self.sandbox.calls(), calls)
        self.assertEqual(self.triggers(), triggers + 1)
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        message = "The sync of “Spring offers” is starting."
        self.assertEqual(action["params"]["message"], message)
        progress = campaign.campaign_master_progress()
        self.assertEqual((progress["state"], progress["message"]), ("running", message))
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_a_rollback_undoes_the_start(self):
        campaign = self.make_campaign()
        triggers = self.triggers()
        with self.assertRaises(ZeroDivisionError):
            self.press(campaign)
            self.assertEqual(campaign.campaign_master_sync_state, "running")
            raise ZeroDivisionError
        self.assertFalse(self.syncs(campaign))
        self.assertFalse(self.work(campaign))
        self.assertEqual(self.triggers(), triggers)
        self.assertEqual(campaign.campaign_master_sync_state, "never")
        self.push()
        self.assertEqual(self.sandbox.state()["campaigns"], [])

    def test_a_sync_keeps_user_language_time_zone_and_texts(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        campaign = self.make_campaign(campaign_master_from_name="Mara")
        french = campaign.with_context(lang="fr_FR", tz="Asia/Tokyo")
        french.title = "Offres de printemps"
        self.press(french)
        [sync] = self.syncs(campaign)
        self.assertEqual((sync.user_id, sync.lang, sync.tz), (self.marketer, "fr_FR", "Asia/Tokyo"))
        self.assertEqual(
            sync.draft,
            {
                "name": "Offres de printemps",
                "description": "What we have for spring",
                "subject": "Spring is here",
                "template_ref": self.template_ref,
                "from_name": "Mara",
                "from_email": None,
                "reply_to": None,
            },
        )
        self.push()
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(remote["name"], "Offres de printemps")
        self.assertEqual(campaign.with_context(lang="en_US").title, "Spring offers")
        self.assertEqual(campaign.campaign_master_synced_by_id, self.marketer)

    def test_the_texts_of_the_start_are_sent_and_later_changes_by_the_next_sync(self):
        campaign = self.make_campaign()
        self.press(campaign)
        campaign.write({"title": "Summer offers", "campaign_master_subject": "Summer is here"})
        self.push()
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual((remote["name"], remote["subject"]), ("Spring offers", "Spring is here"))
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual((remote["name"], remote["subject"]), ("Summer offers", "Summer is here"))

    def test_a_value_that_is_emptied_after_the_start_fails_the_sync_and_nothing_is_sent(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.press(campaign)
        calls = self.sandbox.calls()
        campaign.campaign_master_subject = False
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertEqual(campaign.campaign_master_sync_message, REFUSAL % "Campaign subject")
        self.assertEqual(self.sandbox.calls(), calls)

    def test_template_list_and_account_are_locked_before_the_campaign_is_created(self):
        template_ref, list_ref = self.sandbox.template("Summer"), self.sandbox.list("Press")
        self.account.with_env(self.env).action_refresh_catalogue()
        company = self.env["res.company"].sudo().create({"name": "Second Company"})
        others = {
            "campaign_master_template_id": self.find("campaign.master.template", template_ref),
            "campaign_master_list_id": self.find("campaign.master.list", list_ref),
            "campaign_master_account_id": self.account.sudo().copy(
                {"company_id": company.id, "enabled": False}
            ),
        }
        campaign = self.make_campaign()
        self.press(campaign)
        for name, other in others.items():
            with (
                self.subTest(name),
                self.assertRaisesRegex(UserError, "is being synced. Nothing was changed"),
            ):
                campaign.write({name: other.id})
        change = self.env["campaign.master.change.list"].create(
            {"campaign_id": campaign.id, "list_id": others["campaign_master_list_id"].id}
        )
        with self.assertRaisesRegex(UserError, "is being synced. Nothing was changed"):
            change.action_change()
        campaign.action_campaign_master_cancel()
        campaign.campaign_master_template_id = others["campaign_master_template_id"]
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(str(remote["templateId"]), template_ref)

    def test_a_second_click_says_that_a_sync_is_running(self):
        """As information: a second tab, or a colleague, wants what is happening anyway."""
        campaign = self.make_campaign()
        self.press(campaign)
        for button in ("sync", "retry", "create_again"):
            with self.subTest(button):
                params = self.press(campaign, button)["params"]
                self.assertEqual(params["type"], "info")
                self.assertIn("“Spring offers” is already being synced", params["message"])
        self.assertEqual(len(self.syncs(campaign)), 1)

    def test_a_campaign_never_has_two_running_syncs(self):
        campaign = self.make_campaign()
        self.press(campaign)
        Sync = self.env["campaign.master.sync"].sudo()
        with self.assertRaises(UniqueViolation) as violation, mute_logger("odoo.sql_db"):
            Sync.create(Sync._prepare_values(campaign.sudo()))
        self.assertEqual(
            Sync._sql_error_to_message(violation.exception),
            "This campaign is already being synced.",
        )


class TestSyncInAutomationRules(CampaignMasterCase):
    """A refusal in an automation rule or scheduled action must not undo what was saved before."""

    def test_a_refusal_is_stored_as_a_failed_sync(self):
        for context in (RULE, CRON):
            with self.subTest(context):
                campaign = self.make_campaign(campaign_master_subject=False)
                campaign.title = "Changed before"
                action = self.press(campaign.with_context(**context))
                self.assertEqual(action["params"]["message"], REFUSAL % "Campaign subject")
                [sync] = self.syncs(campaign)
                self.assertEqual(
                    (sync.state, sync.message), ("failed", REFUSAL % "Campaign subject")
                )
                self.assertEqual(sync.user_id, self.marketer)
                self.assertTrue(sync.ended_at)
                self.env.invalidate_all()
                self.assertEqual(campaign.title, "Changed before")
                self.assertEqual(campaign.campaign_master_sync_state, "never")

    def test_a_rule_on_every_change_does_not_start_a_sync_after_each_sync(self):
        """The scheduled action changes the campaign, which would trigger the rule again."""
        campaign = self.make_campaign()
        for name in ("push_recipients", "pull_statistics", "find_machines"):
            own = self.env.ref(f"campaign_master.ir_cron_{name}").id
            self.press(campaign.with_context(**RULE, cron_id=own))
            sync = self.syncs(campaign)[0]
            self.assertEqual(sync.state, "failed")
            self.assertIn("because a sync or new statistics changed the campaign", sync.message)
        self.assertEqual(campaign.campaign_master_sync_state, "never")

    def test_a_person_gets_an_error_instead(self):
        campaign = self.make_campaign(campaign_master_subject=False)
        with self.assertRaises(UserError):
            self.press(campaign)
        self.assertFalse(self.syncs(campaign))

    def test_a_rule_on_a_running_sync_leaves_it_alone(self):
        campaign = self.make_campaign()
        self.press(campaign)
        self.press(campaign.with_context(**RULE))
        self.assertEqual(self.syncs(campaign).state, "running")
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_a_rule_cannot_create_an_existing_campaign_again(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        names = [
            "campaign_master_ref",
            "campaign_master_remote_status",
            "campaign_master_sync_state",
        ]
        [before] = campaign.read(names)
        row = self.work(campaign)
        self.press(campaign.with_context(**RULE), "create_again")
        self.assertEqual(campaign.read(names), [before])
        self.assertEqual(self.work(campaign), row)
        self.assertEqual(self.syncs(campaign)[0].state, "failed")
        self.assertIn("still exists in Campaign Master", self.syncs(campaign)[0].message)
        self.push()
        self.assertEqual(len(self.sandbox.state()["campaigns"]), 1)

    def test_a_rule_with_a_disabled_account_leaves_a_failed_sync(self):
        campaign = self.make_campaign()
        self.account.sudo().enabled = False
        self.press(campaign.with_context(**RULE))
        [sync] = self.syncs(campaign)
        self.assertEqual(sync.state, "failed")
        self.assertIn("not enabled", sync.message)

    def test_a_rule_that_writes_an_address_and_syncs_adds_the_new_address(self):
        ann = self.make_contacts("old@example.com")
        campaign = self.make_campaign()
        self.add(campaign, ann)
        ann.email = "new@example.com"
        self.sync(campaign.with_context(**RULE))
        self.assertEqual(self.sandbox.members(self.list_ref), ["new@example.com"])
        self.assertEqual(self.states(campaign), {"new@example.com": "added"})


class TestProgress(CampaignMasterCase):
    """What forms and RPC clients are told of a running sync."""

    def message(self, campaign):
        return campaign.campaign_master_progress()["message"]

    def started(self, **ago):
        """A campaign whose sync was started some time ago and is still to begin."""
        campaign = self.make_campaign()
        self.press(campaign)
        self.syncs(campaign).started_at -= timedelta(**ago)
        return campaign

    def test_the_number_of_recipients_is_a_correct_sentence(self):
        for emails, words in (
            (["ann@example.com"], "1 recipient is being added"),
            (["bob@example.com", "cem@example.com"], "2 recipients are being added"),
        ):
            campaign = self.make_campaign()
            self.add(campaign, self.make_contacts(*emails))
            self.press(campaign)
            self.export(campaign)
            progress = campaign.campaign_master_progress()
            self.assertIn(f"{words} to the list “Customers”", progress["message"])
            self.assertEqual((progress["done"], progress["total"]), (0, len(emails)))
            self.assertEqual(progress["counts"], {"pending": len(emails)})

    def test_a_sync_that_has_just_been_started_is_starting(self):
        self.assertIn("is starting", self.message(self.started(seconds=10)))

    def test_after_15_seconds_it_says_that_scheduled_actions_are_busy_or_switched_off(self):
        campaign = self.started(seconds=20)
        self.assertIn("which are busy or switched off", self.message(campaign))
        self.push()
        self.assertNotIn("switched off", self.message(campaign))

    def test_it_says_at_once_that_the_scheduled_action_is_not_active(self):
        campaign = self.started(seconds=0)
        self.env.ref("campaign_master.ir_cron_push_recipients").sudo().active = False
        self.assertIn(
            "“Campaign Master: Add Waiting Recipients” is not active", self.message(campaign)
        )

    def test_a_sync_that_waits_says_until_when(self):
        campaign = self.started(seconds=20)
        self.sandbox.faults({"match": "GET /campaigns", "kind": "429:900"})
        self.push()
        until = format_moment(self.env, self.syncs(campaign).next_at)
        self.assertIn(f"The sync resumes automatically at {until}.", self.message(campaign))

    def test_it_is_for_marketing_users_of_the_company(self):
        campaign = self.started(seconds=0)
        company = self.env["res.company"].sudo().create({"name": "Second Company"})
        env = self.account.sudo().env
        marketing = "mass_mailing.group_mass_mailing_user"
        colleague = new_test_user(env, "colleague", marketing)
        self.assertEqual(
            campaign.with_user(colleague).campaign_master_progress()["state"], "running"
        )
        for user in (
            new_test_user(env, "internal", "base.group_user"),
            new_test_user(
                env, "stranger", marketing, company_id=company.id, company_ids=[(6, 0, company.ids)]
            ),
        ):
            with self.subTest(user.login), self.assertRaises(AccessError):
                campaign.with_user(user).campaign_master_progress()
