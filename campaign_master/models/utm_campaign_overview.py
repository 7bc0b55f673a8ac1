from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import MARKETING_GROUP, format_count
from ..tools.reactions import Reactions
from .campaign_master_recipient import SENT_STATUSES, STATE_COLORS
from .campaign_master_recipient_sums import COUNTS, PEOPLE
from .utm_campaign_results import PREFIX

# From sending to a click: the figures that are the number and the share of a stage.
STAGES = {
    "sent": ("sent", None),
    "delivered": ("successful", "delivered_rate"),
    "opened": ("unique_opens", "open_rate"),
    "clicked": ("unique_clicks", "clicked_rate"),
}
# Likewise without likely machines.
STAGES_BY_PEOPLE = {
    "opened": ("unique_opens_by_people", "open_rate_by_people"),
    "clicked": ("unique_clicks_by_people", "clicked_rate_by_people"),
}
# How often people did something, and what else they did.
BESIDES = ("opens", "clicks", "forwards", "unsubscribes", "complaints")
# Campaign Master's figures, and the sums over recipients in Odoo that they include.
RECONCILED = {
    "sent": "sent",
    "hard_bounces": "bounced",
    "unique_opens": "opened",
    "opens": "opens",
    "unique_clicks": "clicked",
    "clicks": "clicks",
    "forwards": "forwards",
    "unsubscribes": "unsubscribed",
}


class UtmCampaign(models.Model):
    """What people see of a sent campaign at a glance, and who is behind each number.

    Numbers are Campaign Master's figures (``utm_campaign_figures.py``), which define them, and sums
    over the recipients. The sums are kept in ``campaign.master.campaign`` when recipients change:
    no recipient is counted when a form opens.
    """

    _inherit = "utm.campaign"

    campaign_master_is_sent = fields.Boolean(
        compute="_compute_campaign_master_is_sent",
        groups=MARKETING_GROUP,
        help="Campaign Master is sending the campaign, or has sent it.",
    )
    campaign_master_has_tracked_links = fields.Boolean(
        compute="_compute_campaign_master_has_tracked_links",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="Odoo's link tracker has links of the campaign.",
    )

    campaign_master_opted_out_count = fields.Integer(
        string="Opted Out",
        compute="_compute_campaign_master_opted_out_count",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="Recipients in Odoo who unsubscribed through the campaign or reported it as spam, "
        "each address once.",
    )

    @api.depends("campaign_master_campaign_ids.sums")
    def _compute_campaign_master_opted_out_count(self):
        for campaign in self:
            sums = campaign.campaign_master_campaign_ids.sums or {}
            campaign.campaign_master_opted_out_count = sums.get("opted_out", 0)

    @api.depends("campaign_master_remote_status")
    def _compute_campaign_master_is_sent(self):
        for campaign in self:
            status = campaign.campaign_master_remote_status
            campaign.campaign_master_is_sent = status in SENT_STATUSES

    def _compute_campaign_master_has_tracked_links(self):
        groups = self.env["link.tracker"]._read_group(
            [("campaign_id", "in", self.ids)], ["campaign_id"]
        )
        tracked = {campaign for [campaign] in groups}
        for campaign in self:
            campaign.campaign_master_has_tracked_links = campaign._origin in tracked

    # === RESULTS === #

    def campaign_master_results(self):
        """Return what the form shows of a sent campaign, for the form and for RPC clients. Numbers
        that are not known are ``None``.

        - ``stages``: planned, on the list, sent, delivered, opened, clicked. Each has ``name`` (see
          :meth:`action_campaign_master_open_people`), ``label``, ``help``, ``number`` and ``share``
          (percent); *opened* and *clicked* also have ``by_people`` with these of likely people, or
          ``None`` if there are no likely machines among them
        - ``besides``: likewise opens, clicks, forwards, unsubscribes and complaints, without share
        - ``outcomes``: whether planned recipients are on the list, and why not: ``state``,
          ``label``, ``color`` and ``number``. The numbers add up to the planned recipients
        - ``totals``: ``label``, ``help`` and ``number`` of figures, and ``ours``, the part of the
          number that is of recipients in Odoo, by address
        - ``removed``: number of addresses that the campaign was sent to and that were removed in
          Odoo afterwards; they are in ``number`` only
        - ``machines``: number of likely machines, see ``campaign_master_recipient_machines.py``
        - ``history``: see :meth:`campaign_master_history`

        They are numbers of all recipients, also of leads that the user may not see.

        :return: an empty dictionary before the campaign is sent
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        row = campaign.campaign_master_campaign_ids
        if not campaign.campaign_master_is_sent or not row.sums:
            return {}
        return {
            "stages": campaign._campaign_master_stages(row.sums),
            "besides": [campaign._campaign_master_described(name) for name in BESIDES],
            "outcomes": [
                {**state, "number": row.sums["states"][state["state"]]}
                for state in campaign._campaign_master_described_states()
                if row.sums["states"].get(state["state"])
            ],
            "totals": [
                {**campaign._campaign_master_described(figure), "ours": row.sums[name]}
                for figure, name in RECONCILED.items()
            ],
            "removed": row.removed_count,
            "machines": row.sums["machines"],
            "history": campaign.campaign_master_history(),
        }

    def _campaign_master_stages(self, sums):
        """:param dict sums: see ``campaign.master.recipient._count_sql``"""
        planned, on_list = self.campaign_master_recipient_count, sums["on_list"]
        stages = {
            "planned": {
                "help": self.env._("Leads, contacts and companies on this campaign."),
                "number": planned,
                "share": None,
            },
            "on_list": {
                "help": self.env._(
                    "Recipients that were added to the list or found on it. In percent of those "
                    "who are planned."
                ),
                "number": on_list,
                "share": self._campaign_master_share(on_list, planned),
            },
            **{name: self._campaign_master_described(*figures) for name, figures in STAGES.items()},
        }
        sent = stages["sent"]
        sent["share"] = self._campaign_master_share(sent["number"], on_list)
        sent["help"] = "\n".join(
            (
                sent["help"],
                self.env._(
                    "In percent of the recipients on the list. More than 100 % if there are "
                    "others on it."
                ),
            )
        )
        for name, figures in STAGES_BY_PEOPLE.items():
            has_machines = sums[f"{name}_by_people"] != sums[name]
            stages[name]["by_people"] = (
                self._campaign_master_described(*figures) if has_machines else None
            )
        labels = self._campaign_master_people_labels()
        return [{**stage, "name": name, "label": labels[name]} for name, stage in stages.items()]

    def _campaign_master_share(self, part, whole):
        if part is None:
            return None
        return self._fields[PREFIX + "delivered_rate"].of(part, whole)

    def _campaign_master_described(self, figure, rate=None):
        """:return: ``label``, ``help`` and ``number`` of a figure, given without prefix, and the
        ``share``, if a rate is given; with the definitions of both"""
        described = [self._fields[PREFIX + name] for name in (figure, rate) if name]
        values = [self[field.name] for field in described]
        number, share = (None if value is False else value for value in (*values, False)[:2])
        return {
            "label": described[0]._description_string(self.env),
            "help": "\n".join(field._description_help(self.env) for field in described),
            "number": number,
            "share": share,
        }

    def _campaign_master_described_states(self):
        """:return: ``state``, ``label`` and ``color`` of each result of the sync for a recipient
        :rtype: list[dict]"""
        field = self.env["campaign.master.recipient"]._fields["sync_state"]
        labels = dict(field._description_selection(self.env))
        if self._campaign_master_is_sent():
            # Who is not on the list of a sent campaign does not wait for the next sync.
            labels["pending"] = self.env._("Added After Sending")
        return [
            {"state": state, "label": label, "color": STATE_COLORS[state]}
            for state, label in labels.items()
        ]

    # === KEPT SUMS === #

    def _campaign_master_keep_sums(self):
        """Count all recipients of some campaigns: how many did what, and when. Only of campaigns
        that were sent, as of others none of it is shown."""
        for campaign in self:
            row = campaign.campaign_master_campaign_ids
            if row.sent_at or campaign._campaign_master_is_sent():
                row.write({"sums": dict.fromkeys((*PEOPLE, *COUNTS), 0), "reactions": False})
                rows = self.env["campaign.master.recipient"]._count(campaign)
                campaign._campaign_master_adjust_sums(rows)
                campaign._campaign_master_keep_states()

    def _campaign_master_adjust_sums(self, rows):
        """What some recipients did has changed. Counting 100,000 again would take longer than
        storing a page of activity.

        :param rows: the difference, see ``campaign.master.recipient._count_sql``
        """
        self = self.sudo()  # nobody may write what is kept
        row = self.campaign_master_campaign_ids
        sums = row.sums
        if not sums:
            return
        row.sums = sums | {
            name: sums[name] + sum(one[name] for one in rows) for name in (*PEOPLE, *COUNTS)
        }
        if row.sent_at:
            reactions = self._campaign_master_reactions() or Reactions()
            reactions.add(rows)
            row.reactions = reactions.to_json()

    def _campaign_master_keep_states(self):
        """The results of the sync have changed for some recipients, and nothing else."""
        if (row := self.campaign_master_campaign_ids).sums:
            states = self.env["campaign.master.recipient"]._count_by_state(self)
            row.sums = row.sums | {"states": states}

    def _campaign_master_reactions(self):
        """:return: when people reacted, as it was kept, or ``None``
        :rtype: Reactions"""
        kept = self.campaign_master_campaign_ids.reactions
        return Reactions.from_json(kept) if kept else None

    # === PEOPLE BEHIND A NUMBER === #

    def _campaign_master_people_labels(self):
        return {
            "planned": self.env._("Planned"),
            "on_list": self.env._("On the List"),
            "sent": self.env._("Sent"),
            "delivered": self.env._("Delivered"),
            "opened": self.env._("Opened"),
            "clicked": self.env._("Clicked"),
            "bounced": self.env._("Bounced"),
            "unsubscribed": self.env._("Unsubscribed"),
            "opted_out": self.env._("Opted Out"),
            "machines": self.env._("Likely Machines"),
            "opened_by_people": self.env._("Opened, Without Likely Machines"),
            "clicked_by_people": self.env._("Clicked, Without Likely Machines"),
        }

    def action_campaign_master_recipients(self):
        """Open all recipients of the campaign."""
        return self.action_campaign_master_open_outcome()

    def action_campaign_master_open_outcome(self, state=None):
        """Open the recipients with one result of the sync, or all.

        :param str state: a ``sync_state`` of recipients, or ``None``
        :rtype: dict
        """
        domain = Domain("sync_state", "=", state) if state else Domain.TRUE
        return self._campaign_master_open(self.env._("Recipients"), domain)

    def action_campaign_master_open_people(self, name="planned"):
        """Open the people behind a number of the campaign.

        :param str name: a key of ``PEOPLE``
        :rtype: dict
        """
        label = self._campaign_master_people_labels()[name]
        action = self._campaign_master_open(label, PEOPLE[name])
        if name == "machines":
            # The list shows by which rule.
            action["context"]["campaign_master_machines"] = True
        return action

    def _campaign_master_open(self, name, domain):
        """Open recipients of the campaign.

        :param str name: what they are
        :param Domain domain: which ones
        :return: an action; its name says what whoever relies on the list must know
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        domain &= Domain("campaign_id", "=", campaign.id)
        notes = []
        if campaign.campaign_master_missing_message:
            notes.append(self.env._("another list was probably selected"))
        if hidden := self._campaign_master_hidden_leads(domain):
            notes.append(
                self.env._("and 1 lead that you may not see")
                if hidden == 1
                else self.env._(
                    "and %(count)s leads that you may not see",
                    count=format_count(self.env, hidden),
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_recipient_action"
        )
        if campaign.campaign_master_campaign_ids.sums:  # it was sent
            action["help"] = Markup('<p class="o_view_nocontent_empty_folder">%s</p><p>%s</p>') % (
                self.env._("Nobody"),
                self.env._(
                    "None of the recipients in Odoo. Campaign Master's figures also count others "
                    "on the list."
                ),
            )
        title = f"{name} ({'; '.join(notes)})" if notes else name
        return {
            **action,
            "name": title,
            "display_name": title,
            "domain": list(domain),
            # The column of the campaign is left out.
            "context": {"create": False, "campaign_master_one_campaign": True},
        }

    def _campaign_master_hidden_leads(self, domain):
        """:return: number of recipients that are leads and that the user may not see"""
        if self.env.user.has_group("sales_team.group_sale_salesman_all_leads"):
            return 0
        Recipient = self.env["campaign.master.recipient"]
        seen = self.env["ir.rule"]._compute_domain(Recipient._name, "read")
        # sudo: their number only; users may see all campaign figures
        return Recipient.sudo().search_count(domain & Domain("kind", "=", "lead") & ~seen)
