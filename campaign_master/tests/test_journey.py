from .common import CampaignMasterCase


class TestJourney(CampaignMasterCase):
    """A marketing user's way from a plan to figures."""

    def test_a_campaign_is_planned_synced_sent_and_read(self):
        ann, bob = self.make_contacts("Ann@Example.com", "bob@example.com")
        campaign = self.make_campaign()
        self.assertEqual(
            self.add(campaign, ann + bob), {"added": 2, "existing": 0, "without_email": 0}
        )
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(
            self.states(campaign), {"ann@example.com": "added", "bob@example.com": "added"}
        )
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "bob@example.com"]
        )
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.assertEqual(campaign.campaign_master_sent, 2)
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
