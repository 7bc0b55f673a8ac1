from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import CampaignMasterCase


class TestCheckBeforeSync(CampaignMasterCase):
    """Preview who would be added, from data in Odoo."""

    def check(self, campaign):
        action = campaign.action_campaign_master_check()
        return self.env[action["res_model"]].browse(action["res_id"])

    def counts(self, campaign):
        return {group.code: group.count for group in self.check(campaign).group_ids if group.count}

    def opened(self, check, code):
        """The addresses in the list that a group opens."""
        action = check.group_ids.filtered(lambda group: group.code == code).action_open()
        return self.env[action["res_model"]].search(action["domain"]).mapped("email")

    def test_each_group_is_counted_and_opens_as_a_list(self):
        earlier = self.make_campaign(title="Winter")
        people = self.make_contacts(
            "known@example.com", "bounced@example.com", "gone@example.com", "blocked@example.com"
        )
        self.add(earlier, people)
        self.sandbox.control("suppress", {"email": "blocked@example.com"})
        self.sync(earlier)
        self.sandbox.send(earlier.campaign_master_ref, self.list_ref, quiet=True)
        for email, kind in (
            ("bounced@example.com", "bounce"),
            ("gone@example.com", "unsubscribe"),
        ):
            self.sandbox.control(
                f"campaigns/{earlier.campaign_master_ref}/activity", {"email": email, "kind": kind}
            )
        self.pull()
        campaign = self.make_campaign()
        self.add(
            campaign,
            people
            + self.make_contacts(
                "new@example.com",
                "NEW@example.com",
                "Two@example.com, second@example.com",
                '"one@example.com" <one@example.com>',
                False,
                "no address",
            ),
        )
        before = self.sandbox.calls()
        check = self.check(campaign)
        self.assertEqual(self.sandbox.calls(), before, "Campaign Master is not asked")
        expected = {
            "objection": [],
            "add": [f"{name}@example.com" for name in ("blocked", "new", "two", "one")],
            "known": ["known@example.com", "bounced@example.com"],
            "bounced": ["bounced@example.com"],
            "several_addresses": ["two@example.com"],
            "no_email": [False],
            "invalid": ["no address"],
            "duplicate": ["new@example.com"],
            "blacklisted": [],
            "opted_out": ["gone@example.com"],
            "refused": [],
        }
        for code, emails in expected.items():
            self.assertCountEqual(self.opened(check, code), emails, code)
        self.assertEqual(
            {group.code: group.count for group in check.group_ids},
            {code: len(emails) for code, emails in expected.items()},
        )

    def test_after_the_sync_all_are_on_the_list_and_the_next_steps_are_shown(self):
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["other@example.com"]})
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.assertEqual(self.counts(campaign), {"add": 2})
        self.assertFalse(self.check(campaign).next_steps)
        self.sync(campaign)
        self.account.with_env(self.env).action_refresh_catalogue()
        self.assertEqual(self.counts(campaign), {"known": 2})
        next_steps = self.check(campaign).next_steps
        self.assertIn("select the list “Customers” for this campaign", next_steps)
        self.assertIn("1 other person is on the list “Customers”", next_steps)

    def test_what_is_missing_is_listed(self):
        campaign = self.make_campaign(campaign_master_subject=False, description=False)
        missing = self.check(campaign).missing.split("\n")
        self.assertEqual(len(missing), 2)
        self.assertIn("Campaign subject is required", missing[0])
        self.assertIn("Campaign description is required", missing[1])

    def test_another_list_knows_nobody(self):
        other = self.find("campaign.master.list", self.other_list())
        earlier = self.make_campaign(title="Winter", campaign_master_list_id=other.id)
        ann = self.make_contacts("ann@example.com")
        self.add(earlier, ann)
        self.sync(earlier)
        campaign = self.make_campaign()
        self.add(campaign, ann)
        self.assertEqual(self.counts(campaign), {"add": 1})

    def other_list(self):
        ref = self.sandbox.list("Press")
        self.account.with_env(self.env).action_refresh_catalogue()
        return ref

    def test_a_running_sync_is_not_disturbed(self):
        campaign = self.make_campaign()
        ann = self.make_contacts("ann@example.com")
        self.add(campaign, ann)
        self.press(campaign)
        ann.email = "ann@elsewhere.example"
        self.assertEqual(self.counts(campaign), {"add": 1})
        self.assertEqual(self.lines(campaign).email, "ann@example.com")

    def test_only_marketing_checks(self):
        salesman = new_test_user(self.account.env, "sally", "sales_team.group_sale_manager")
        with self.assertRaises(AccessError):
            self.make_campaign().with_user(salesman).action_campaign_master_check()


class TestMeter(CampaignMasterCase):
    """What calls were made for, and how many there will be."""

    def test_each_call_is_counted_with_its_purpose(self):
        usage = self.env["campaign.master.usage"].search([])
        self.assertEqual(usage.mapped("purpose"), ["catalog"])
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.pull()
        calls = self.env["campaign.master.usage"]._since(
            self.account, fields.Datetime.to_datetime("2000-01-01")
        )
        # Templates and lists, looking and making, the list, figures that did not move.
        self.assertEqual(calls, {"catalog": 2, "campaigns": 2, "recipients": 1, "statistics": 1})
        self.env.invalidate_all()
        self.assertEqual(self.account.calls_this_month, 6)
        self.assertEqual(self.account.calls_this_hour, 6)
        [demo] = [one for one in self.sandbox.state()["accounts"] if one["username"] == "demo"]
        self.assertEqual(demo["usage"]["month"], 6, "As Campaign Master counts")

    def test_a_call_that_was_repeated_counts_twice(self):
        self.sandbox.faults({"match": "GET /templates", "kind": "500", "count": 1})
        self.account.with_env(self.env).action_refresh_catalogue()
        self.env.invalidate_all()
        self.assertEqual(self.account.calls_this_month, 2 + 3)
        self.assertEqual(sum(self.env["campaign.master.usage"].search([]).mapped("calls")), 5)

    def test_the_forecast_goes_on_as_lately(self):
        account = self.account.sudo()
        self.assertEqual(account.calls_this_month, 2)
        now = fields.Datetime.now()
        days_left = (now.replace(day=28).toordinal() + 4 - now.toordinal()) // 1
        # Two calls in the first day of the account: no fewer than two, no more than two a day.
        self.assertTrue(2 <= account.calls_forecast <= 2 + 2 * (days_left + 3))

    def test_the_settings_show_it(self):
        settings = self.account.env["res.config.settings"].create({})
        schedule = str(settings.campaign_master_schedule)
        for text in ("Reading templates and lists", "This month", "50,000", "5,000"):
            self.assertIn(text, schedule)
