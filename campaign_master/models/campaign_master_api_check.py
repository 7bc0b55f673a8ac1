import logging
from base64 import b64encode
from collections import Counter
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.modules.module import get_manifest

from ..client import CampaignMasterConfigurationError
from ..client.check import check, not_tried
from ..client.check_steps import (
    ADDED,
    CREATED,
    FOUND,
    NAME,
    READING,
    STEPS,
    WRITTEN_LIST,
    Target,
)
from ..tools import (
    CronRun,
    check_administrator,
    commit_with_retry,
    format_date_and_time,
    render_report,
)
from .campaign_master_account import INTERACTIVE

_logger = logging.getLogger(__name__)

# A person is waiting. A call is not repeated, so that its first answer is seen.
CHECK = replace(INTERACTIVE, retries=0)


class CampaignMasterApiCheck(models.Model):
    """One check of Campaign Master's API: which calls are as documented or modeled.

    An administrator starts it, in a wizard. The scheduled action *Check API* makes one call after
    the other. The finding of each call is stored and committed before the next call; their number
    is the next step, so that a killed server resumes there. Calls that write are made after a
    second confirmation, as a continuation of the same check.
    """

    _name = "campaign.master.api.check"
    _description = "Campaign Master API Check"
    _rec_name = "started_at"
    _order = "id desc"

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    started_at = fields.Datetime(string="Started", required=True, readonly=True)
    ended_at = fields.Datetime(string="Ended", readonly=True)
    state = fields.Selection(
        [
            ("running", "Running"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Failed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="running",
    )
    writes = fields.Boolean(
        string="Writing", readonly=True, help="Calls that write were checked, too."
    )
    findings = fields.Json(readonly=True, help="One for each call, see client/check.py.")
    summary = fields.Char(compute="_compute_summary", help="How many calls are as expected.")
    has_problems = fields.Boolean(compute="_compute_summary")
    can_write = fields.Boolean(
        compute="_compute_can_write", help="The calls that write can be checked."
    )
    report = fields.Text(compute="_compute_report")
    report_file = fields.Binary(compute="_compute_report")

    # What is read and written, see client.check_steps.Target.
    campaign_ref = fields.Char(readonly=True)
    template_ref = fields.Char(readonly=True)
    list_ref = fields.Char(readonly=True)
    email = fields.Char(readonly=True, help="The address that is added to the list.")
    created_ref = fields.Char(
        string="Created Campaign",
        readonly=True,
        help="ID of the campaign in Campaign Master that the check created or found.",
    )

    _queue_index = models.Index("(id) WHERE state = 'running'")

    # === COMPUTE METHODS === #

    @api.depends("started_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for record in self:
            record.display_name = format_date_and_time(self.env, record.started_at)

    @api.depends("findings", "writes")
    def _compute_summary(self):
        for record in self:
            results = Counter(finding["result"] for finding in record.findings or [])
            labels = {
                "documented": self.env._("As documented"),
                "modeled": self.env._("As modeled"),
                "differs": self.env._("Different"),
                "refused": self.env._("Refused"),
                "no_answer": self.env._("No response"),
                "not_tried": self.env._("Not tried"),
            }
            progress = self.env._(
                "Calls: %(done)s of %(total)s",
                done=sum(results.values()),
                total=len(record._steps()),
            )
            counts = [
                f"{label}: {results[name]}" for name, label in labels.items() if results[name]
            ]
            record.summary = " · ".join([progress, *counts])
            record.has_problems = bool(results.keys() & {"differs", "refused", "no_answer"})

    @api.depends("state", "writes", "findings")
    def _compute_can_write(self):
        for record in self:
            findings = record.findings or []
            record.can_write = (
                record.state == "done"
                and not record.writes
                and not any("stop" in finding for finding in findings)
            )

    @api.depends("state", "findings", "created_ref")
    def _compute_report(self):
        for record in self:
            about = {
                "Add-on": get_manifest("campaign_master")["version"],
                "Started": f"{record.started_at} UTC",
                "Status": record.state,
            }
            record.report = render_report(about, record.findings or [], record._left())
            record.report_file = b64encode(record.report.encode())

    def _left(self):
        """:return: sentences about what the check left in Campaign Master, and how to delete it"""
        findings = dict(zip(STEPS, self.findings or [], strict=False))
        left = []
        if self.created_ref:
            # The shape of any other id would be of no use.
            number = f" (id {self.created_ref})" if self.created_ref.isdecimal() else ""
            left.append(
                f"- The draft campaign “{NAME}”{number}. Delete it there among the campaigns."
            )
        elif findings.get(CREATED, {}).get("result") in ("differs", "no_answer"):
            left.append(
                f"- Perhaps a draft campaign “{NAME}”: its response was lost or not understood. If "
                "it is there, delete it among the campaigns."
            )
        if self._may_have_added():
            left.append(f"- Your own address on the list “{NAME}”. Delete the list there.")
        if not left:
            return ["Nothing."]
        return [
            *left,
            "The API cannot delete, so delete it in Campaign Master. A further check would use the "
            "same campaign and the same list.",
        ]

    def _may_have_added(self):
        """:return: whether the address may be on the list because of this check"""
        findings = dict(zip(STEPS, self.findings or [], strict=False))
        return findings.get(ADDED, {}).get("result", "not_tried") not in ("not_tried", "refused")

    # === START === #

    @api.model
    def _start(self, account, campaign_ref):
        """Start a check; the scheduled action makes the calls.

        :param account: ``campaign.master.account``
        :param campaign_ref: a sent campaign in Campaign Master, whose figures are read, or empty
        :return: the new check
        :raise UserError: a check is running, or no username or password is saved
        """
        if self.search_count([("account_id", "=", account.id), ("state", "=", "running")], limit=1):
            raise UserError(
                self.env._("A check of this account is running. Wait until it is done.")
            )
        record = self.create(
            {
                "account_id": account.id,
                "user_id": self.env.uid,
                "started_at": fields.Datetime.now(),
                "campaign_ref": campaign_ref,
            }
        )
        record._trigger()
        return record

    def _start_writing(self, remote_list, email):
        """Continue with the calls that write.

        :param remote_list: ``campaign.master.list``
        :param str email: the user's own address
        """
        template = self.env["campaign.master.template"].search(
            [("account_id", "=", self.account_id.id)], limit=1
        )
        self.write(
            {
                "state": "running",
                "ended_at": False,
                "writes": True,
                "list_ref": remote_list.ref,
                "template_ref": template.ref,
                "email": email,
            }
        )
        self._trigger()

    def _is_own_list(self, name, count, ref, email):
        """Nobody but the user may be on the list; they are, if an earlier check added them.

        :param str name: of the list
        :param count: of its recipients, or ``None``
        """
        earlier = self.sudo().search(
            [
                ("account_id", "=", self.account_id.id),
                ("list_ref", "=", ref),
                ("email", "=", email),
            ]
        )
        was_added = any(record._may_have_added() for record in earlier)
        return name.strip() == NAME and (count or 0) <= was_added

    @api.model
    def _cron_check_api(self):
        return self.env["campaign.master.account"]._cron("check_api")

    def _trigger(self):
        self._cron_check_api()._trigger()

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_check(self):
        """Make the calls of all running checks, one call at a time."""
        with CronRun(self._cron_check_api(), "check") as run:
            run.work_off(self._next_due, lambda record: record._turn())

    @api.model
    def _next_due(self):
        """:return: the oldest running check, or an empty recordset; and how many there are"""
        running = self.search([("state", "=", "running")], order="id")
        return running[:1], len(running)

    def _turn(self):
        """Make one call and store its finding. Commits.

        :return: 1
        """
        try:
            self._step(STEPS[len(self.findings or [])])
        except Exception:
            # One check must not stop the others.
            _logger.exception("API check %s stopped", self.id)
            self.env.cr.rollback()
            commit_with_retry(self.env, self._end, "failed")
        return 1

    def _step(self, step):
        target = self._target()
        stops = [finding["stop"] for finding in self.findings or [] if "stop" in finding]
        finding = result = None
        if reason := (*stops, step.why_not(target))[0]:
            finding = not_tried(step, reason)
        else:
            observations = []
            try:
                with self.account_id._client("check", CHECK, observations.append) as client:
                    # No transaction is open during the call, and no row is locked.
                    self.env.cr.commit()  # pylint: disable=invalid-commit
                    finding, result = check(client, step, target, observations)
            except CampaignMasterConfigurationError as error:
                finding = not_tried(step, error.message, stop=error.message)
        commit_with_retry(self.env, self._store, step, finding, result)

    def _store(self, step, finding, result):
        if not self.exists():
            return  # the account was deleted during the call
        if step in (FOUND, CREATED) and result:
            self.created_ref = result.ref
        if step is WRITTEN_LIST and not self._is_list_usable(result):
            finding.setdefault("stop", f"The list “{NAME}” is not there, or people are on it.")
        if step is FOUND and not result and finding["result"] not in ("documented", "modeled"):
            # Otherwise a second campaign might be created.
            finding.setdefault("stop", "Whether the campaign is there already is unknown.")
        self.findings = [*(self.findings or []), finding]
        if self.state == "running" and len(self.findings) == len(self._steps()):
            self._end("done")

    def _is_list_usable(self, lists):
        """:return: whether Campaign Master, too, says that nobody else is on the list

        :param lists: ``client.RecipientList``, or ``None`` if they could not be read
        """
        return any(
            one.ref == self.list_ref
            and self._is_own_list(one.name, one.recipients, one.ref, self.email)
            for one in lists or ()
        )

    def _end(self, state):
        if self.exists() and self.state == "running":
            self.write({"state": state, "ended_at": fields.Datetime.now()})

    def _steps(self):
        return STEPS if self.writes else READING

    def _target(self):
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return Target(
            campaign_ref=self.campaign_ref or "",
            reference=f"odoo-{uuid}-check",
            created_ref=self.created_ref or "",
            list_ref=self.list_ref or "",
            template_ref=self.template_ref or "",
            email=self.email or "",
        )

    # === ACTION METHODS === #

    def action_cancel(self):
        """Make no further call. One that is under way is still stored."""
        check_administrator(self)
        self.sudo()._end("cancelled")

    def action_check_writing(self):
        """Open the wizard that asks before anything is written."""
        self.ensure_one()
        check_administrator(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check Writing"),
            "res_model": "campaign.master.check.writing",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_check_id": self.id},
        }

    def action_download(self):
        """Download the report as a text file."""
        self.ensure_one()
        check_administrator(self)
        name = f"campaign_master_api_check_{self.started_at:%Y%m%d_%H%M}.txt"
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/report_file/{name}"
            "?download=true&mimetype=text/plain",
            "target": "download",
        }

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }
