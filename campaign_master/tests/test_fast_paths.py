"""Set-based statements store in each field what the ORM would have stored line by line, and leave
no outdated values in the cache."""

from datetime import datetime, timezone

from odoo import Command
from odoo.tests import new_test_user

from ..client import Activity
from ..models.campaign_master_engagement import TOTALS
from ..models.campaign_master_recipient_activity import ACTIVITY_COLUMNS
from ..models.campaign_master_recipient_table import GENERATED_COLUMNS
from .common import CampaignMasterCase

OPENED = datetime(2026, 3, 1, 10, 0, tzinfo=timezone.utc)
CLICKED = datetime(2026, 3, 2, 11, 30, 5, tzinfo=timezone.utc)


class TestFastPaths(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.Recipient = self.env["campaign.master.recipient"].sudo()
        self.stored = [
            name
            for name, field in self.Recipient._fields.items()
            if field.store and name not in ("id", "campaign_id", *GENERATED_COLUMNS)
        ]

    def stored_fields(self, campaign):
        """All stored fields of each line: as the cache has them, which must be as the database."""
        lines = self.Recipient.search([("campaign_id", "=", campaign.id)])
        cached = lines.read(self.stored, load=None)
        self.env.flush_all()
        self.env.invalidate_all()
        rows = lines.read(self.stored, load=None)
        self.assertEqual(rows, cached, "The cache was not right")
        for row in rows:
            del row["id"]
        return sorted(rows, key=lambda row: (row["partner_id"], row["lead_id"]))

    def by_orm(self, people, campaign):
        """The lines of these people, one by one, through the ORM."""
        is_lead = people._name == "crm.lead"
        for person in people:
            email = person.email_from if is_lead else person.email
            address = person.email_normalized or (email or "").strip() or False
            state = "pending"
            if not address:
                state = "no_email"
            elif not person.email_normalized:
                state = "invalid"
            elif self.env["campaign.master.optout"].sudo().search([("email", "=", address)]):
                state = "opted_out"
            kind = "lead" if is_lead else "company" if person.is_company else "contact"
            self.Recipient.create(
                {
                    "campaign_id": campaign.id,
                    "lead_id" if is_lead else "partner_id": person.id,
                    "kind": kind,
                    "email": address,
                    "sync_state": state,
                    "opted_out_before": state == "opted_out",
                }
            )

    def crowd(self):
        people = self.make_contacts(
            "ann@example.com",
            "Bob <BOB@Example.COM>",
            "no address",
            "  ",
            False,
            "ann@example.com",
            "gone@example.com",
            "müller@example.com",
        )
        people += self.make_contacts("info@example.com", "ann@example.com", is_company=True)
        people[0].active = False
        self.env["campaign.master.optout"].sudo().create(
            {"account_id": self.account.id, "email": "gone@example.com"}
        )
        return people

    def twins(self):
        fast, plain = self.make_campaign(title="Fast"), self.make_campaign(title="Plain")
        for campaign in fast + plain:
            campaign._campaign_master_ensure_account()
        return fast, plain

    def assert_twins(self, fast, plain):
        expected = self.stored_fields(plain)
        self.assertTrue(expected)
        self.assertEqual(self.stored_fields(fast), expected)

    def test_people_are_added_as_the_orm_would_add_them(self):
        fast, plain = self.twins()
        people = self.crowd()
        self.assertFalse(self.stored_fields(fast))
        fast.campaign_master_add_recipients(
            "res.partner", [("id", "in", people.ids), ("active", "in", (True, False))]
        )
        self.by_orm(people, plain)
        self.assert_twins(fast, plain)

    def test_users_who_see_some_leads_add_only_those(self):
        salesman = new_test_user(
            self.env(su=True),
            "own",
            "mass_mailing.group_mass_mailing_user,sales_team.group_sale_salesman",
        )
        Lead = self.env["crm.lead"].sudo()
        leads = Lead.create(
            [
                {"name": f"Lead {number}", "email_from": email, "user_id": user}
                for number, (email, user) in enumerate(
                    [
                        ("Mine@example.com", salesman.id),
                        ("nobodys@example.com", False),
                        ("hers@example.com", self.marketer.id),
                        (False, salesman.id),
                    ]
                )
            ]
        )
        fast, plain = self.twins()
        domain = [("id", "in", leads.ids)]
        fast.with_user(salesman).campaign_master_add_recipients("crm.lead", domain)
        seen = self.env["crm.lead"].with_user(salesman).search(domain)
        self.assertEqual(len(seen), 3)
        self.by_orm(seen, plain)
        self.assert_twins(fast, plain)

    def test_answers_are_stored_as_the_orm_would_store_them(self):
        people = self.crowd()
        for late in (False, True):
            fast, plain = self.twins()
            for campaign in fast + plain:
                self.add(campaign, people)
                campaign.sudo().campaign_master_remote_status = "sent" if late else "draft"
            self.assertTrue(self.stored_fields(fast))
            answers = [("added", None), ("exists", ""), ("refused", "It's ”blocked“, 100 %")]
            for campaign in fast, plain:
                lines = self.Recipient.search([("campaign_id", "=", campaign.id)], limit=6)
                # Two recipients for each answer.
                results = {answer: lines[number::3].ids for number, answer in enumerate(answers)}
                if campaign == fast:
                    self.Recipient._store_results(campaign, results)
                    now = lines[0].on_list_at
                    continue
                for (state, message), ids in results.items():
                    lines.browse(ids).write(
                        {
                            "sync_state": state,
                            "sync_message": message or False,
                            "late": late and state != "refused",
                            "on_list_at": now if state != "refused" else False,
                        }
                    )
            self.assert_twins(fast, plain)

    def test_another_list_resets_recipients_as_the_orm_would(self):
        other_list = self.list.copy({"name": "Another list", "ref": "other"})
        fast, plain = self.twins()
        people = self.crowd()
        answers = [("added", None), ("exists", None), ("refused", "Blocked"), ("invalid", None)]
        for campaign in fast + plain:
            self.add(campaign, people)
            lines = self.Recipient.search([("campaign_id", "=", campaign.id)])
            results = {answer: lines[n].ids for n, answer in enumerate(answers)}
            self.Recipient._store_results(campaign, results)
        self.assertTrue(self.stored_fields(fast))
        fast.campaign_master_list_id = other_list
        for line in self.Recipient.search([("campaign_id", "=", plain.id)]):
            if line.sync_state in ("added", "exists", "refused"):
                line.write({"sync_state": "pending", "sync_message": False, "on_list_at": False})
        self.assert_twins(fast, plain)

    def test_figures_are_stored_as_the_orm_would_store_them(self):
        fast, plain = self.twins()
        people = self.crowd()
        for campaign in fast + plain:
            self.add(campaign, people)
            campaign.sudo().campaign_master_remote_status = "sent"
        self.assertTrue(self.stored_fields(fast))
        activities = [
            Activity("Ann@example.com", 3, 2, 1, 0, OPENED, *[CLICKED] * 3, False, False),
            Activity("bob@example.com", 0, 0, 0, 0, None, None, None, None, True, False),
        ]
        self.Recipient._ingest(fast, activities)
        for activity in activities:
            moments = {
                name: getattr(activity, name) and getattr(activity, name).replace(tzinfo=None)
                for name in ("first_open", "last_open", "first_click", "last_click")
            }
            self.Recipient.search(
                [("campaign_id", "=", plain.id), ("email", "=", activity.email.lower())]
            ).write(
                {
                    "open_count": activity.opens,
                    "click_count": activity.clicks,
                    "forward_count": activity.forwards,
                    "unsubscribe_count": activity.unsubscribes,
                    "bounced": activity.bounced,
                    "opted_out_here": activity.opted_out,
                    "sent_to": True,
                    **moments,
                }
            )
        self.assert_twins(fast, plain)

    def test_reading_only_totals_reads_nothing_else(self):
        person = self.make_contacts("ann@example.com")
        [row] = person.with_user(self.marketer).read(["campaign_master_open_count"])
        self.assertEqual(row, {"id": person.id, "campaign_master_open_count": 0})

    def test_totals_are_what_a_reader_of_some_companies_may_add_up(self):
        other_company = self.env["res.company"].sudo().create({"name": "Other"})
        other_account = self.account.create(
            {
                "company_id": other_company.id,
                "enabled": True,
                "username": "other",
                "password": "other",
                "api_url": self.sandbox.url,
            }
        )
        self.marketer.sudo().company_ids = [Command.link(other_company.id)]
        people = self.make_contacts("ann@example.com", "bob@example.com", "cem@example.com")
        here, there = self.make_campaign(), self.env["utm.campaign"].create({"title": "There"})
        for campaign, account, opens in ((here, self.account, 2), (there, other_account, 5)):
            campaign.sudo().campaign_master_account_id = account
            self.add(campaign, people[:2])
            self.Recipient.search([("campaign_id", "=", campaign.id)]).sent_to = True
            self.Recipient._ingest(
                campaign,
                [
                    Activity("ann@example.com", opens, 1, 0, 0, *[OPENED] * 4, False, False),
                    Activity("bob@example.com", 0, 0, 0, 0, *[None] * 4, opens == 5, False),
                ],
            )
        for companies in (self.env.company, other_company, self.env.company + other_company):
            read = people.with_context(allowed_company_ids=companies.ids)
            for person in read:
                lines = self.Recipient.search(
                    [
                        ("partner_id", "=", person.id),
                        ("campaign_id.campaign_master_account_id.company_id", "in", companies.ids),
                    ]
                )
                for name in (name.removesuffix("_here") for name in ACTIVITY_COLUMNS):
                    if name == "bounce_reason":
                        continue  # not a total
                    values = [value for value in lines.mapped(name) if value]
                    if name.endswith("_count"):
                        expected = sum(values)
                    elif name.startswith(("first", "last")):
                        best = min if name.startswith("first") else max
                        expected = best(values) if values else False
                    else:
                        expected = any(values)
                    self.assertIn(name, TOTALS)
                    self.assertEqual(person[f"campaign_master_{name}"], expected, name)
            self.assert_read_is_right(read)

    def assert_read_is_right(self, people):
        """Totals are read for all at once, and each by itself; also of a record in a form."""
        names = ["campaign_master_campaign_count", *(f"campaign_master_{name}" for name in TOTALS)]
        one_by_one = [
            {"id": person.id, **{name: person[name] for name in names}} for person in people
        ]
        self.assertEqual(people.read(names), one_by_one)
        [in_form] = people.new(origin=people[0]).read(names)
        self.assertEqual({**in_form, "id": people[0].id}, one_by_one[0])
