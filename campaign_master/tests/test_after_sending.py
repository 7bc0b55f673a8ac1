from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .common import CampaignMasterCase

TEXTS = {
    "description": "Something else",
    "campaign_master_subject": "Something else",
    "campaign_master_from_name": "Somebody else",
    "campaign_master_from_email": "else@example.com",
    "campaign_master_reply_to": "else@example.com",
}


class SentCase(CampaignMasterCase):
    def make_sent_campaign(self, *emails, status="sent"):
        """A campaign with one recipient per address, sent."""
        campaign = self.make_campaign()
        if emails:
            self.add(campaign, self.make_contacts(*emails))
        self.sync(campaign)
        minutes = 60 if status == "sending" else 0
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, minutes, quiet=True)
        self.sync(campaign)
        if campaign.campaign_master_remote_status != status:
            self.set_status(campaign, status)
        return campaign

    def set_status(self, campaign, status):
        """As a sync that finds this status does."""
        campaign.sudo().campaign_master_remote_status = status
        campaign.sudo()._campaign_master_mark_sent()
        self.env.invalidate_all()

    def open_dialog(self, campaign, kind="contact"):
        """Click Add Contacts (Leads, Companies) on the campaign."""
        action = getattr(campaign, f"action_campaign_master_add_{kind}")()
        return Form(self.env[action["res_model"]].with_context(**action["context"]))


class TestAddingAfterSending(SentCase):
    """People who are added to a campaign that was sent do not get it, and nobody is surprised."""

    def test_the_dialog_warns_before_and_says_when_the_campaign_was_sent(self):
        draft = self.make_campaign()
        self.assertFalse(self.open_dialog(draft).sent_message)
        campaign = self.make_sent_campaign("ann@example.com")
        message = self.open_dialog(campaign).sent_message
        self.assertRegex(message, r"“Spring offers” was sent on \d.*will not receive it")
        self.set_status(campaign, "sending")
        self.assertIn("is being sent", self.open_dialog(campaign).sent_message)
        campaign.sudo().write(
            {"campaign_master_remote_status": "sent", "campaign_master_sent_at": False}
        )
        self.assertIn("“Spring offers” was sent. ", self.open_dialog(campaign).sent_message)

    def test_they_can_be_added_to_a_new_campaign_with_the_same_plan(self):
        campaign = self.make_sent_campaign("ann@example.com")
        bea = self.make_contacts("bea@example.com")
        dialog = self.open_dialog(campaign)
        dialog.domain = str([("id", "in", bea.ids)])
        action = dialog.save().action_add_to_new_campaign()
        opened = action["params"]["next"]
        copy = self.env[opened["res_model"]].browse(opened["res_id"])
        self.assertEqual(self.lines(copy).partner_id, bea)
        self.assertEqual(copy.title, "Spring offers (copy)")
        self.assertEqual(copy.campaign_master_subject, campaign.campaign_master_subject)
        self.assertEqual(copy.campaign_master_template_id, self.template)
        self.assertFalse(copy.campaign_master_ref)
        self.assertIn("added to “Spring offers (copy)”", action["params"]["message"])
        self.assertNotIn("after sending", action["params"]["message"])
        self.assertNotIn("bea@example.com", self.states(campaign))

    def test_nobody_to_whom_it_was_sent_is_on_the_new_campaign(self):
        campaign = self.make_sent_campaign("ann@example.com", False)
        ann, nobody = self.lines(campaign).partner_id
        late, new = self.make_contacts("late@example.com", "new@example.com")
        self.add(campaign, late)
        dialog = self.open_dialog(campaign)
        dialog.domain = str([("id", "in", (ann + nobody + late + new).ids)])
        self.assertIn("3 of those selected did not receive it", dialog.unsent_message)
        opened = dialog.save().action_add_to_new_campaign()["params"]["next"]
        copy = self.env[opened["res_model"]].browse(opened["res_id"])
        self.assertEqual(self.lines(copy).partner_id, nobody + late + new)

    def test_there_is_no_new_campaign_for_nobody(self):
        campaign = self.make_sent_campaign("ann@example.com")
        dialog = self.open_dialog(campaign)
        dialog.domain = str([("id", "=", self.lines(campaign).partner_id.id)])
        self.assertFalse(dialog.unsent_message)
        with self.assertRaisesRegex(UserError, "No campaign was created"):
            dialog.save().action_add_to_new_campaign()

    def test_adding_them_all_the_same_says_that_they_will_not_receive_it(self):
        campaign = self.make_sent_campaign("ann@example.com")
        bea = self.make_contacts("bea@example.com")
        dialog = self.open_dialog(campaign)
        dialog.domain = str([("id", "in", bea.ids)])
        message = dialog.save().action_add()["params"]["message"]
        self.assertIn("they will not receive it", message)

    def test_other_programs_add_without_a_question(self):
        campaign = self.make_sent_campaign("ann@example.com")
        counts = self.add(campaign, self.make_contacts("bea@example.com"))
        self.assertEqual(counts, {"added": 1, "existing": 0, "without_email": 0})

    def test_they_count_apart(self):
        campaign = self.make_sent_campaign("ann@example.com", "bob@example.com")
        message = campaign.campaign_master_sync_message
        self.assertIn("Recipients on the list “Customers”: 2 of 2.", message)
        self.assertNotIn("after sending", message)
        self.add(campaign, self.make_contacts("late@example.com"))
        self.sync(campaign)
        message = campaign.campaign_master_sync_message
        self.assertIn("“Customers”: 3 of 3.\nAdded after sending: 1.\n", message)
        self.assertIn("was sent on", message)

    def test_nobody_waits_for_ever(self):
        """Neither who was added after sending, nor who had not been synced before."""
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", False))
        self.sync(campaign)
        waiting = self.make_contacts("waiting@example.com")
        self.add(campaign, waiting)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.refresh(campaign)
        self.add(campaign, self.make_contacts("late@example.com"))
        results = {line.email: line.result for line in self.lines(campaign)}
        self.assertEqual(
            results,
            {
                "ann@example.com": "delivered",
                "waiting@example.com": "late",
                "late@example.com": "late",
                False: "not_sent",
            },
        )
        # An address is entered after sending.
        nobody = self.lines(campaign).filtered(lambda line: not line.email).partner_id
        nobody.email = "found@example.com"
        campaign.action_campaign_master_check()
        line = self.lines(campaign).filtered(lambda line: line.partner_id == nobody)
        self.assertEqual((line.sync_state, line.result), ("pending", "late"))

    def test_the_form_calls_them_added_after_sending(self):
        campaign = self.make_sent_campaign("ann@example.com")
        labels = {
            entry["state"]: entry["label"]
            for entry in campaign.campaign_master_sync_status["labels"]
        }
        self.assertEqual(labels["pending"], "Added After Sending")


class TestLocks(SentCase):
    """What Campaign Master no longer takes from Odoo cannot be changed in Odoo."""

    def test_texts_and_list_are_locked_once_the_campaign_is_no_draft(self):
        campaign = self.make_sent_campaign("ann@example.com")
        other = self.sandbox.list("Press")
        self.account.with_env(self.env).action_refresh_catalogue()
        press = self.find("campaign.master.list", other)
        for status in ("sent", "sending", "scheduled", "held"):
            self.set_status(campaign, status)
            self.assertTrue(campaign.campaign_master_is_locked)
            for name, value in {**TEXTS, "campaign_master_list_id": press.id}.items():
                with (
                    self.subTest(status=status, name=name),
                    self.assertRaisesRegex(
                        UserError, f"is “{status}” in Campaign Master.*uplicate"
                    ),
                ):
                    campaign.write({name: value})
        change = self.env["campaign.master.change.list"].create(
            {"campaign_id": campaign.id, "list_id": press.id}
        )
        with self.assertRaisesRegex(UserError, "can no longer be updated"):
            change.action_change()

    def test_others_do_not_learn_the_status(self):
        campaign = self.make_sent_campaign()
        user = new_test_user(self.account.env, "ian", "base.group_user")
        with self.assertRaises(AccessError) as refusal:
            campaign.with_user(user).description = "Something else"
        self.assertNotIn("sent", str(refusal.exception))

    def test_superusers_are_told_too(self):
        campaign = self.make_sent_campaign()
        with self.assertRaisesRegex(UserError, "can no longer be updated"):
            campaign.sudo().campaign_master_subject = "Something else"

    def test_one_locked_campaign_of_many_locks_the_change(self):
        campaign, draft = self.make_sent_campaign(), self.make_campaign(title="Summer offers")
        with self.assertRaisesRegex(UserError, "“Spring offers”"):
            (draft + campaign).write({"campaign_master_subject": "Something else"})

    def test_an_import_says_so(self):
        campaign = self.make_sent_campaign()
        result = self.env["utm.campaign"].load(
            [".id", "campaign_master_subject"], [[str(campaign.id), "Something else"]]
        )
        self.assertFalse(result["ids"])
        self.assertIn("can no longer be updated", result["messages"][0]["message"])

    def test_the_same_values_are_no_change(self):
        campaign = self.make_sent_campaign()
        names = [*TEXTS, "campaign_master_list_id"]
        [values] = campaign.read(names, load=None)
        del values["id"]
        campaign.write({**values, "campaign_master_reply_to": ""})

    def test_title_stage_and_tags_stay_editable(self):
        campaign = self.make_sent_campaign()
        campaign.write({"title": "Spring offers 2026", "color": 3, "active": False})
        self.assertEqual(campaign.title, "Spring offers 2026")

    def test_campaigns_without_campaign_master_are_not_locked(self):
        campaign = self.env["utm.campaign"].create({"title": "Fair", "description": "A fair"})
        campaign.description = "Another fair"
        self.assertFalse(campaign.campaign_master_is_locked)

    def test_a_draft_is_not_locked(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        campaign.write(TEXTS)
        self.assertEqual(campaign.campaign_master_subject, "Something else")

    def test_deleting_it_there_unlocks_everything_but_the_account(self):
        other = self.sandbox.template("Summer")
        self.account.with_env(self.env).action_refresh_catalogue()
        campaign = self.make_sent_campaign()
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_remote_status, "deleted")
        campaign.write(TEXTS)
        campaign.campaign_master_template_id = self.find("campaign.master.template", other)
        company = self.env["res.company"].sudo().create({"name": "Second Company"})
        account = self.account.sudo().copy({"company_id": company.id, "enabled": False})
        with self.assertRaisesRegex(UserError, "cannot be moved"):
            campaign.sudo().campaign_master_account_id = account
        self.sync(campaign, "create_again")
        remote = self.sandbox.state()["campaigns"][-1]
        self.assertEqual(remote["subject"], "Something else")
        self.assertEqual(str(remote["templateId"]), other)

    def test_the_form_shows_them_read_only_with_the_reason(self):
        campaign = self.make_sent_campaign()
        form = Form(campaign)
        for name, value in TEXTS.items():
            with self.subTest(name), self.assertRaisesRegex(AssertionError, "readonly"):
                form[name] = value
        form.title = "Another title"
        form.save()


class TestArchivedCampaigns(SentCase):
    """An archived campaign is read once a week, because people may still unsubscribe."""

    def test_it_is_read_once_a_week(self):
        campaign = self.make_sent_campaign("ann@example.com")
        row = self.work(campaign)
        self.pull()
        self.assertLess(row.next_poll_at, fields.Datetime.now() + timedelta(hours=1))
        campaign.action_archive()
        self.pull()
        week = timedelta(days=7)
        self.assertAlmostEqual(
            row.next_poll_at, fields.Datetime.now() + week, delta=timedelta(minutes=10)
        )

    def test_opt_outs_still_arrive(self):
        campaign = self.make_sent_campaign("ann@example.com")
        self.pull()
        campaign.action_archive()
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "unsubscribe"},
        )
        self.pull()
        self.assertTrue(self.lines(campaign).opted_out)

    def test_restored_it_is_read_at_once(self):
        campaign = self.make_sent_campaign("ann@example.com")
        campaign.action_archive()
        self.pull()
        campaign.action_unarchive()
        self.assertLessEqual(self.work(campaign).next_poll_at, fields.Datetime.now())

    def test_a_restored_campaign_that_was_deleted_there_is_not_read(self):
        campaign = self.make_sent_campaign("ann@example.com")
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        campaign.action_archive()
        campaign.action_unarchive()
        self.assertFalse(self.work(campaign).next_poll_at)


class TestMessagesAfterSending(SentCase):
    def test_the_check_speaks_in_the_past(self):
        campaign = self.make_sent_campaign("ann@example.com")
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["later@example.com"]})
        self.account.with_env(self.env).action_refresh_catalogue()
        self.add(campaign, self.make_contacts("late@example.com", False))
        action = campaign.action_campaign_master_check()
        check = self.env[action["res_model"]].browse(action["res_id"])
        self.assertIn("“Spring offers” was sent on", check.next_steps)
        self.assertNotIn("will also receive", check.next_steps)
        groups = {group.code: group for group in check.group_ids}
        self.assertEqual(groups["add"].name, "Added After Sending")
        self.assertIn("Will not receive the campaign", groups["add"].note)
        self.assertEqual((groups["add"].count, groups["no_email"].count), (1, 1))
        self.assertNotIn("then sync", " ".join(check.group_ids.mapped("note")))
