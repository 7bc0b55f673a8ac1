import base64

from odoo import fields, models

from ..tools import check_administrator, utcnow
from .campaign_master_trace import RECORDING_TIME


class CampaignMasterAccount(models.Model):
    """Recording requests and responses, for administrators."""

    _inherit = "campaign.master.account"

    trace_ids = fields.One2many(
        "campaign.master.trace", "account_id", readonly=True, groups="base.group_system"
    )
    trace_count = fields.Integer(compute="_compute_trace_count", groups="base.group_system")
    recording_until = fields.Datetime(
        compute="_compute_recording_until", compute_sudo=True, groups="base.group_system"
    )
    traffic_file = fields.Binary(compute="_compute_traffic_file", groups="base.group_system")

    def _compute_trace_count(self):
        counts = dict(
            self.env["campaign.master.trace"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.trace_count = counts.get(account, 0)

    def _compute_recording_until(self):
        for account in self:
            until = account.state_ids.recording_until
            account.recording_until = until if until and until > utcnow() else False

    def _compute_traffic_file(self):
        for account in self:
            account.traffic_file = base64.b64encode(account._traffic_text().encode())

    def action_record_traffic(self):
        """Record requests and responses for an hour. An earlier recording is deleted."""
        self.ensure_one()
        check_administrator(self)
        traces = self.env["campaign.master.trace"].sudo()  # nobody may delete them
        traces.search([("account_id", "=", self.id)]).unlink()
        self._record_until(utcnow().replace(microsecond=0) + RECORDING_TIME)

    def action_stop_recording(self):
        """Stop recording. What was recorded is kept for a day."""
        self.ensure_one()
        check_administrator(self)
        self._record_until(None)

    def action_open_traffic(self):
        """Open the recorded requests and responses."""
        self.ensure_one()
        check_administrator(self)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_trace_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}

    def action_download_traffic(self):
        """Download the recorded requests and responses."""
        self.ensure_one()
        check_administrator(self)
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/traffic_file/campaign_master_traffic.txt"
            "?download=true&mimetype=text/plain",
            "target": "download",
        }

    def _traffic_text(self):
        text = self.trace_ids._as_text()
        # sudo: to name a number only
        if left_out := self.sudo().state_ids.unrecorded:
            text += f"\n=== {left_out} more requests were made after the recording was full.\n"
        return text

    def _record_until(self, moment):
        self._ledger().record_until(moment)
        self.sudo().state_ids.invalidate_recordset()
