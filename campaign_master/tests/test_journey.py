from unittest.mock import patch

from ..client import wire
from .common import PASSWORD, CampaignMasterCase


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

    def test_the_same_with_a_campaign_master_that_speaks_like_its_older_products(self):
        dialect = {
            "login": "headers",
            "clientId": True,
            "prefix": "/api/v1",
            "letterCase": "pascal",
            "numbers": "strings",
            "zone": False,
            "pages": "bare",
            "asOf": False,
            "fewMembers": True,
            "figures": "bounces",
            "recipients": 1,
        }
        self.sandbox.control("dialect", dialect)
        self.account.sudo().write(
            {
                "api_url": f"{self.sandbox.url}/api/v1",
                "password": PASSWORD,
                "client_id": "sandbox-client",
                "client_secret": "sandbox-client-secret",
            }
        )
        people = self.make_contacts("ann@example.com", "bob@example.com", "cem@example.com")
        campaign = self.make_campaign()
        self.add(campaign, people)
        with patch.object(wire, "MAX_RECIPIENTS", 1):
            self.sync(campaign)
            campaign.title = "Summer offers"
            self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(set(self.states(campaign).values()), {"added"})
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(remote["name"], "Summer offers")
        ref = campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        for email, kind in (("ann", "open"), ("bob", "complaint"), ("cem", "bounce")):
            activity = {"email": f"{email}@example.com", "kind": kind}
            self.sandbox.control(f"campaigns/{ref}/activity", activity)
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertEqual((campaign.campaign_master_sent, campaign.campaign_master_opens), (3, 1))
        self.assertEqual(campaign.campaign_master_total_bounces, 1)
        self.assertEqual(campaign.campaign_master_open_rate, 50)
        results = {line.email: line.result for line in self.lines(campaign)}
        self.assertEqual(
            results,
            {
                "ann@example.com": "opened",
                "bob@example.com": "opted_out",
                "cem@example.com": "bounced",
            },
        )
        self.account.sudo().action_refresh_catalogue()
        self.assertTrue(self.list.active and self.template.active)
