from unittest.mock import patch

from odoo.exceptions import UserError

from ..client import CampaignMasterClient
from .common import CampaignMasterCase

REFUSAL = (
    "Unable to create the external campaign for the following reason : "
    "%s is required and has not been provided"
)


class TestSyncOfTheCampaign(CampaignMasterCase):
    """What the button does with the campaign itself."""

    def test_each_missing_value_has_its_line(self):
        campaign = self.env["utm.campaign"].create({"title": "A plan", "description": "  "})
        with self.assertRaises(UserError) as refusal:
            self.press(campaign)
        self.assertEqual(
            str(refusal.exception).split("\n"),
            [
                REFUSAL % what
                for what in (
                    "Campaign subject",
                    "Campaign description",
                    "Campaign template",
                    "Campaign list",
                )
            ],
        )

    def test_without_recipients_it_goes_through_and_says_so(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertIn("no recipients yet", campaign.campaign_master_sync_message)
        self.assertEqual(campaign.campaign_master_remote_status, "draft")

    def test_a_second_sync_updates_the_texts_but_not_the_template(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        campaign.write(
            {"campaign_master_subject": "Spring is over", "campaign_master_from_name": "Mara"}
        )
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(remote["subject"], "Spring is over")
        self.assertEqual(remote["fromName"], "Mara")
        self.assertEqual(str(remote["templateId"]), self.template_ref)
        self.assertEqual(self.sandbox.calls("PUT /campaigns/ID"), 1)

    def test_a_sync_with_nothing_new_sends_nothing_and_says_unchanged(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "unchanged")
        self.assertEqual(self.sandbox.calls("PUT /campaigns/ID"), 0)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 1)

    def test_a_cancelled_sync_is_continued_by_the_next_one(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.press(campaign)
        campaign.action_campaign_master_cancel()
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "cancelled")
        self.assertEqual(self.sandbox.members(self.list_ref), [])
        self.sync(campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])

    def test_a_sent_campaign_is_not_updated_and_late_recipients_are_marked(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        campaign.campaign_master_subject = "Too late"
        self.add(campaign, self.make_contacts("late@example.com"))
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(remote["subject"], "Spring is here")
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertIn("was sent on", campaign.campaign_master_sync_message)
        late = self.lines(campaign).filtered("late")
        self.assertEqual(late.mapped("email"), ["late@example.com"])

    def test_a_campaign_deleted_there_can_be_created_again_with_another_template(self):
        other = self.sandbox.template("Summer")
        self.account.with_env(self.env).action_refresh_catalogue()
        campaign = self.make_campaign()
        self.sync(campaign)
        former = campaign.campaign_master_ref
        self.find_deleted(campaign)
        self.assertIn("was deleted in Campaign Master", campaign.campaign_master_sync_message)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        campaign.action_campaign_master_unlink()
        self.assertFalse(campaign.campaign_master_ref)
        campaign.campaign_master_template_id = self.find("campaign.master.template", other)
        self.sync(campaign)
        self.assertNotIn(campaign.campaign_master_ref, (former, False))

    def test_a_deleted_campaign_is_created_again_and_its_recipients_stay_on_the_list(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        former = campaign.campaign_master_ref
        self.find_deleted(campaign)
        self.assertEqual(campaign.campaign_master_remote_status, "deleted")
        self.sync(campaign, "create_again")
        self.assertNotIn(campaign.campaign_master_ref, (former, False))
        self.assertEqual(campaign.campaign_master_remote_status, "draft")
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_create_again_changes_nothing_while_something_is_missing(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        former = campaign.campaign_master_ref
        self.find_deleted(campaign)
        campaign.description = False
        with self.assertRaisesRegex(UserError, "Campaign description is required"):
            self.press(campaign, "create_again")
        self.assertEqual(campaign.campaign_master_ref, former)
        self.assertEqual(campaign.campaign_master_remote_status, "deleted")

    def test_retry_changes_nothing_while_something_is_missing(self):
        self.sandbox.control("suppress", {"email": "ann@example.com"})
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        campaign.description = False
        with self.assertRaisesRegex(UserError, "Campaign description is required"):
            self.press(campaign, "retry")
        self.assertEqual(self.states(campaign), {"ann@example.com": "refused"})

    def find_deleted(self, campaign):
        """Somebody deletes it in Campaign Master, and a sync finds out."""
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)

    def test_create_again_is_refused_while_the_campaign_is_there(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        with self.assertRaisesRegex(UserError, "still exists in Campaign Master"):
            self.press(campaign, "create_again")

    def test_a_copy_is_a_new_plan(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        copy = campaign.copy()
        self.assertEqual(copy.campaign_master_subject, "Spring is here")
        self.assertEqual(copy.campaign_master_template_id, self.template)
        self.assertFalse(copy.campaign_master_ref)
        self.assertFalse(copy.campaign_master_list_id)
        self.assertEqual(copy.campaign_master_sync_state, "never")
        self.assertFalse(self.lines(copy))


class TestSyncOfRecipients(CampaignMasterCase):
    """What becomes of each recipient."""

    def test_each_recipient_gets_its_outcome(self):
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["known@example.com"]})
        self.sandbox.control("suppress", {"email": "blocked@example.com", "reason": "Complained"})
        campaign = self.make_campaign()
        self.add(
            campaign,
            self.make_contacts(
                "Ann@Example.com",
                "KNOWN@example.com",
                "blocked@example.com",
                "no address",
                False,
                "ann@example.com",
            ),
        )
        self.sync(campaign)
        states = [(line.email, line.sync_state) for line in self.lines(campaign)]
        self.assertEqual(
            states,
            [
                ("ann@example.com", "added"),
                ("known@example.com", "exists"),
                ("blocked@example.com", "refused"),
                ("no address", "invalid"),
                (False, "no_email"),
                ("ann@example.com", "duplicate"),
            ],
        )
        self.assertEqual(campaign.campaign_master_sync_state, "partial")
        self.assertEqual(
            campaign.campaign_master_outcome,
            {"added": 1, "exists": 1, "refused": 1, "invalid": 1, "no_email": 1, "duplicate": 1},
        )
        refused = self.lines(campaign).filtered(lambda line: line.sync_state == "refused")
        self.assertEqual(refused.sync_message, "Complained")
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "known@example.com"]
        )

    def test_2500_recipients_take_three_calls_and_nobody_is_twice_on_the_list(self):
        known = [f"person{number}@example.com" for number in range(0, 2500, 10)]
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": known})
        emails = [f"Person{number}@Example.com" for number in range(2500)]
        people = self.make_contacts(
            *emails, *(["broken address"] * 20), *emails[:30], *([False] * 5)
        )
        campaign = self.make_campaign()
        self.assertEqual(
            self.add(campaign, people), {"added": 2555, "existing": 0, "without_email": 5}
        )
        self.sync(campaign)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 3)
        self.assertEqual(
            campaign.campaign_master_outcome,
            {"added": 2250, "exists": 250, "invalid": 20, "duplicate": 30, "no_email": 5},
        )
        members = self.sandbox.members(self.list_ref)
        self.assertEqual(len(members), 2500)
        self.assertEqual(len({email.lower() for email in members}), 2500)

    def test_addresses_whose_response_was_lost_are_reported_as_added(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sandbox.faults({"match": "POST /lists", "kind": "reset-after", "count": 1})
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        self.assertIn("resumes automatically", campaign.campaign_master_sync_message)
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])

    def test_a_list_deleted_there_fails_the_sync_with_the_reason(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sandbox.control(f"lists/{self.list_ref}", method="DELETE")
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertIn("was deleted in Campaign Master", campaign.campaign_master_sync_message)

    def test_after_another_list_was_selected_everyone_is_added_to_it(self):
        other_ref = self.sandbox.list("Press")
        self.account.with_env(self.env).action_refresh_catalogue()
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.env["campaign.master.change.list"].create(
            {
                "campaign_id": campaign.id,
                "list_id": self.find("campaign.master.list", other_ref).id,
            }
        ).action_change()
        self.assertEqual(self.states(campaign), {"ann@example.com": "pending"})
        self.sync(campaign)
        self.assertEqual(self.sandbox.members(other_ref), ["ann@example.com"])

    def test_rejected_recipients_are_retried_only_on_demand(self):
        self.sandbox.control("suppress", {"email": "ann@example.com"})
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.sync(campaign)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 1)
        self.sandbox.control("opt-in", {"email": "ann@example.com"})
        self.sync(campaign, "retry")
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_a_corrected_address_is_pushed_at_the_next_sync(self):
        ann = self.make_contacts("no address")
        campaign = self.make_campaign()
        self.add(campaign, ann)
        self.sync(campaign)
        ann.email = "ann@example.com"
        self.sync(campaign)
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_an_address_on_the_list_does_not_follow_the_person(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.make_campaign()
        self.add(campaign, ann)
        self.sync(campaign)
        ann.email = "ann@elsewhere.example"
        self.sync(campaign)
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_archived_deleted_and_merged_people_never_break_a_campaign(self):
        ann, bob, cem, dup = self.make_contacts(
            "ann@example.com", "bob@example.com", "cem@example.com", "cem@other.example"
        )
        campaign = self.make_campaign()
        self.add(campaign, ann + bob + cem + dup)
        self.sync(campaign)
        ann.action_archive()
        bob.sudo().unlink()
        self.env["base.partner.merge.automatic.wizard"].sudo()._merge((cem + dup).ids, cem)
        self.env.invalidate_all()
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.sync(campaign)
        self.assertEqual(
            sorted(self.lines(campaign).mapped("email")),
            ["ann@example.com", "bob@example.com", "cem@example.com", "cem@other.example"],
        )
        self.assertEqual(cem.campaign_master_campaign_count, 1)

    def test_a_lead_that_is_converted_stays_a_recipient(self):
        lead = self.env["crm.lead"].create(
            {"name": "A lead", "type": "lead", "email_from": "lead@example.com"}
        )
        campaign = self.make_campaign()
        self.add(campaign, lead)
        lead.convert_opportunity(self.env["res.partner"])
        self.sync(campaign)
        self.assertEqual(self.states(campaign), {"lead@example.com": "added"})
        self.assertEqual(self.lines(campaign).kind, "lead")

    def test_merged_leads_become_one_recipient(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": "A lead", "type": "lead", "email_from": f"lead{number}@example.com"}
                for number in range(2)
            ]
        )
        campaign = self.make_campaign()
        self.add(campaign, leads)
        self.sync(campaign)
        lead = leads.merge_opportunity()
        self.assertEqual(lead.campaign_master_campaign_count, 1)
        self.assertEqual(
            sorted(self.env["campaign.master.recipient"].sudo().search([]).mapped("email")),
            ["lead0@example.com", "lead1@example.com"],
        )

    def test_a_cancel_during_a_call_loses_no_result(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.press(campaign)
        add_recipients = CampaignMasterClient.add_recipients

        def cancel_meanwhile(client, *args):
            results = add_recipients(client, *args)
            campaign.action_campaign_master_cancel()
            self.env.flush_all()
            return results

        with patch.object(CampaignMasterClient, "add_recipients", cancel_meanwhile):
            self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "cancelled")
        self.assertEqual(
            self.states(campaign), {"ann@example.com": "added", "bob@example.com": "added"}
        )

    def test_a_lost_answer_does_not_take_the_one_before_with_it(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts(*(f"person{n}@example.com" for n in range(2500))))
        self.sandbox.faults({"match": "POST /lists", "kind": "reset-after", "skip": 1})
        self.sync(campaign)
        self.assertEqual(self.syncs(campaign).added, 1000)
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(set(self.states(campaign).values()), {"added"})
        self.assertEqual(self.syncs(campaign).added, 2500)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 4)

    def test_addresses_on_the_list_are_reported_as_such_after_a_batch_was_rejected(self):
        emails = [f"person{number}@example.com" for number in range(10)]
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": emails[:1]})
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts(*emails))
        self.sandbox.faults(
            {"match": "POST /lists", "kind": "400", "body": "person7@", "count": None}
        )
        self.sync(campaign)
        states = self.states(campaign)
        self.assertEqual(states.pop("person7@example.com"), "refused")
        self.assertEqual(states.pop("person0@example.com"), "exists")
        self.assertEqual(set(states.values()), {"added"})

    def test_a_batch_that_is_refused_as_a_whole_is_split_until_the_culprit_is_found(self):
        campaign = self.make_campaign()
        emails = [f"person{number}@example.com" for number in range(50)]
        self.add(campaign, self.make_contacts(*emails))
        self.sandbox.faults(
            {"match": "POST /lists", "kind": "400", "body": "person17@", "count": None}
        )
        self.sync(campaign)
        states = self.states(campaign)
        self.assertEqual(states.pop("person17@example.com"), "refused")
        self.assertEqual(set(states.values()), {"added"})
        self.assertLess(self.sandbox.calls("POST /lists/ID/recipients"), 20)
