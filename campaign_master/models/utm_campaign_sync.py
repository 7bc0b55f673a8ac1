from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..client import (
    MAX_RECIPIENTS,
    CampaignDraft,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    RecipientResult,
)
from ..tools import notification, to_odoo
from .campaign_master_recipient import ON_LIST, STATE_OF_RESULT

# An address without an answer is asked for this often in one sync.
PASSES = 3
# A failed connection is tried again after 1, 2, 4, 8 minutes; then the sync has failed.
RETRIES = 4
# Calls that finding the culprits of one refused batch may cost.
SPLIT_CALLS = 40
# Outcomes that somebody could mend: with one of them a sync is only partly done.
PROBLEMS = ("no_email", "invalid", "refused")
DELETED = "deleted"


class UtmCampaign(models.Model):
    """Syncing: the campaign itself in the button, its recipients in the scheduled action.

    The button validates, finds or creates the campaign in Campaign Master, and sets the sync to
    ``running``. The scheduled action then pushes the recipients in the order of their ids, one
    call for each thousand, and commits three things, so that it can be cut anywhere:

    - before each call, up to which recipient the call goes (``sync_doubtful_id``): if the answer
      gets lost, these are asked for again, and an address that is then on the list already was
      put there by us;
    - after it, the outcome of each recipient and the position (``sync_position_id``);
    - at the end, the state and the message.

    Only one process runs a scheduled action at a time, so that nobody pushes twice.
    """

    # One model in three rooms: what is planned and known, syncing, pulling.
    _inherit = "utm.campaign"  # pylint: disable=consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_campaign_master_sync(self):
        """Create or update the campaign in Campaign Master and start pushing its recipients.

        :return: a notification action
        :raise UserError: something required is missing, a sync is running, or Campaign Master
            could not be asked; then nothing was changed
        :raise AccessError: the caller does not work in Email Marketing
        """
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("write")
        self._campaign_master_ensure_account()
        campaign = self.sudo()
        account = campaign.campaign_master_account_id
        campaign._campaign_master_check_required()
        if campaign.campaign_master_sync_state == "running" or not campaign.try_lock_for_update(
            allow_referencing=True
        ):
            raise UserError(
                self.env._(
                    "“%(campaign)s” is being synced already. Wait until that has ended; its "
                    "progress is shown on the campaign.",
                    campaign=campaign.title,
                )
            )
        try:
            with account._client() as client:
                changed = campaign._campaign_master_sync_campaign(client)
        except CampaignMasterError as error:
            if error.code == "not_found":
                return campaign._campaign_master_found_deleted()
            account._note_error(error)
            raise UserError(
                self.env._(
                    "“%(campaign)s” was not synced; no recipient was added. %(reason)s",
                    campaign=campaign.title,
                    reason=account._explain(error),
                )
            ) from error
        campaign._campaign_master_start_push(changed)
        return notification(
            "info" if campaign.campaign_master_sync_state == "running" else "success",
            campaign.campaign_master_sync_message,
        )

    def action_campaign_master_cancel(self):
        """Stop a running sync after the batch that is under way."""
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("write")
        campaign = self.sudo()
        if campaign.campaign_master_sync_state == "running":
            campaign._campaign_master_end_sync(
                "cancelled",
                self.env._(
                    "Cancelled. Recipients that were added stay on the list in Campaign Master; "
                    "another sync goes on with the others."
                ),
            )
        return True

    def action_campaign_master_retry(self):
        """Sync again, and also ask for those whom Campaign Master refused."""
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("write")
        self._refuse_while_running()
        # sudo: the outcome of recipients is nobody's to write but the sync's
        self.env["campaign.master.recipient"].sudo().search(
            [("campaign_id", "=", self.id), ("sync_state", "in", ("refused", "invalid"))]
        ).write({"sync_state": "pending", "sync_message": False})
        return self.action_campaign_master_sync()

    def action_campaign_master_create_again(self):
        """Make a new campaign in Campaign Master after the former one was deleted there."""
        self._campaign_master_forget_remote()
        return self.action_campaign_master_sync()

    def action_campaign_master_unlink(self):
        """Forget the deleted campaign; this one can be planned anew."""
        self._campaign_master_forget_remote()
        return True

    def _campaign_master_forget_remote(self):
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("write")
        campaign = self.sudo()
        if campaign.campaign_master_remote_status != DELETED:
            raise UserError(
                self.env._(
                    "“%(campaign)s” is still there in Campaign Master, as far as Odoo knows. "
                    "Nothing was done. Delete it there and sync once, then try again.",
                    campaign=campaign.title,
                )
            )
        campaign.write(
            {
                "campaign_master_ref": False,
                "campaign_master_generation": campaign.campaign_master_generation + 1,
                "campaign_master_remote_status": False,
                "campaign_master_sent_at": False,
                "campaign_master_synced_draft": False,
                "campaign_master_sync_state": "never",
                "campaign_master_sync_message": False,
                "campaign_master_outcome": False,
                "campaign_master_activity_since": False,
                "campaign_master_activity_next_since": False,
                "campaign_master_activity_page": 0,
                "campaign_master_activity_due": False,
            }
        )

    def campaign_master_progress(self):
        """How the sync stands, for a form that shows it live.

        :return: ``id``, ``state``, ``message``, ``done`` and ``total`` recipients of this sync,
            ``counts`` (recipients by outcome)
        :rtype: dict
        """
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("read")
        campaign = self.sudo()
        counts = campaign.campaign_master_outcome or {}
        total = campaign.campaign_master_sync_total
        return {
            "id": campaign.id,
            "state": campaign.campaign_master_sync_state,
            "message": campaign.campaign_master_sync_message or "",
            "done": max(total - counts.get("pending", 0), 0),
            "total": total,
            "counts": counts,
        }

    # === THE CAMPAIGN === #

    def _campaign_master_check_required(self):
        """:raise UserError: one line for each thing that is missing; nothing was sent"""
        missing = [
            label
            for label, value in (
                (self.env._("Campaign subject"), self.campaign_master_subject),
                (self.env._("Campaign description"), self.description),
                (self.env._("Campaign template"), self.campaign_master_template_id),
                (self.env._("Campaign list"), self.campaign_master_list_id),
            )
            if not (value.strip() if isinstance(value, str) else value)
        ]
        if missing:
            raise UserError(
                "\n".join(
                    self.env._(
                        "Unable to create the external campaign for the following reason : "
                        "%(what)s is required and has not been provided",
                        what=label,
                    )
                    for label in missing
                )
            )

    def _campaign_master_reference(self):
        """:return: the same text at each try for this campaign of this database, so that a lost
        answer never makes a second campaign"""
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        reference = f"odoo-{uuid}-{self.id}"
        if self.campaign_master_generation:
            reference += f"-{self.campaign_master_generation + 1}"
        return reference

    def _campaign_master_draft(self):
        return CampaignDraft(
            name=self.title,
            description=self.description.strip(),
            subject=self.campaign_master_subject.strip(),
            template_ref=self.campaign_master_template_id.ref,
            from_name=self.campaign_master_from_name or None,
            from_email=self.campaign_master_from_email or None,
            reply_to=self.campaign_master_reply_to or None,
        )

    def _campaign_master_sync_campaign(self, client):
        """Bring the campaign's own fields to Campaign Master, and its status back.

        :param client: ``client.CampaignMasterClient``
        :return: whether something was created or updated there
        :raise CampaignMasterNotFoundError: it was deleted there
        """
        draft = self._campaign_master_draft()
        texts = {
            "name": draft.name,
            "description": draft.description,
            "subject": draft.subject,
            "from_name": draft.from_name,
            "from_email": draft.from_email,
            "reply_to": draft.reply_to,
        }
        changed = False
        if not self.campaign_master_ref:
            reference = self._campaign_master_reference()
            remote = client.find_campaign(reference)
            if not remote:
                remote = self._campaign_master_create(client, reference, draft)
                self.campaign_master_synced_draft = texts
                changed = True
            self.campaign_master_ref = remote.ref
        else:
            remote = client.get_campaign(self.campaign_master_ref)
        same = self.campaign_master_synced_draft == texts and (
            remote.name,
            remote.description,
            remote.subject,
        ) == (draft.name, draft.description, draft.subject)
        if remote.status == "draft" and not same:
            remote = client.update_campaign(remote.ref, draft)
            self.campaign_master_synced_draft = texts
            changed = True
        self._campaign_master_store_status(remote)
        return changed

    def _campaign_master_create(self, client, reference, draft):
        try:
            return client.create_campaign(reference, draft)
        except CampaignMasterRefusedError as error:
            # Somebody else pressed at the same moment: the reference is taken, by this campaign.
            if any(entry.field == "reference" for entry in error.errors):
                remote = client.find_campaign(reference)
                if remote:
                    return remote
            raise

    def _campaign_master_store_status(self, remote):
        self.campaign_master_remote_status = remote.status
        self.campaign_master_sent_at = to_odoo(remote.sent_at)

    def _campaign_master_found_deleted(self):
        """The campaign is not there any more: keep that, and say what can be done."""
        message = self.env._(
            "“%(campaign)s” was deleted in Campaign Master. Nothing was synced. Create Again "
            "makes a new campaign there; Unlink forgets the old one.",
            campaign=self.title,
        )
        self.write(
            {
                "campaign_master_remote_status": DELETED,
                "campaign_master_sync_state": "failed",
                "campaign_master_sync_message": message,
                "campaign_master_synced_at": fields.Datetime.now(),
                "campaign_master_synced_by_id": self.env.uid,
            }
        )
        return notification("danger", message, sticky=True)

    # === THE RECIPIENTS === #

    def _campaign_master_start_push(self, changed):
        """Queue the recipients that are not on the list yet for the scheduled action.

        :param bool changed: the campaign itself was created or updated
        """
        Recipient = self.env["campaign.master.recipient"]
        Recipient._classify(self)
        counts = Recipient._count_by_state(self)
        waiting = counts.get("pending", 0)
        self.write(
            {
                "campaign_master_synced_at": fields.Datetime.now(),
                "campaign_master_synced_by_id": self.env.uid,
                "campaign_master_outcome": counts,
                "campaign_master_sync_upto_id": Recipient.search(
                    [("campaign_id", "=", self.id)], order="id desc", limit=1
                ).id,
                "campaign_master_sync_position_id": 0,
                "campaign_master_sync_pass": 1,
                "campaign_master_sync_total": waiting,
                "campaign_master_sync_failures": 0,
                "campaign_master_sync_retry_at": False,
            }
        )
        if waiting:
            self.campaign_master_sync_state = "running"
            self.campaign_master_sync_message = self.env._(
                "The campaign is in Campaign Master. %(count)s recipients are being added to the "
                "list “%(list)s”.",
                count=waiting,
                list=self.campaign_master_list_id.name,
            )
            self._campaign_master_cron()._trigger()
        else:
            self._campaign_master_end_sync(
                "complete" if changed else "unchanged", self._campaign_master_summary(counts)
            )

    @api.model
    def _campaign_master_cron(self):
        return self.env["campaign.master.account"]._cron("push_recipients")

    def _campaign_master_push_batch(self):
        """Push the next thousand recipients at most. Commits before and after the call.

        :return: how many recipients got an outcome, or ``None`` when the sync has ended
        :raise CampaignMasterError: the call failed; the batch will be asked for again
        """
        Recipient = self.env["campaign.master.recipient"]
        batch = Recipient._next_batch(
            self,
            self.campaign_master_sync_position_id,
            self.campaign_master_sync_upto_id,
            MAX_RECIPIENTS,
        )
        if not batch:
            return self._campaign_master_end_pass()
        last_id = max(batch)
        # What an earlier call may have added without our hearing of it was added by us.
        doubtful_id = self.campaign_master_sync_doubtful_id
        again = self.campaign_master_sync_pass > 1
        self.campaign_master_sync_doubtful_id = max(doubtful_id, last_id)
        ids_by_email = {}
        for line_id, email in batch.items():
            ids_by_email.setdefault(email, []).append(line_id)
        list_ref = self.campaign_master_list_id.ref
        client = self.campaign_master_account_id._client(background=True)
        # No transaction is open during the call: whoever changes the campaign meanwhile, or
        # cancels, neither waits nor collides with what is stored after it.
        self.env["ir.cron"]._commit_progress()
        with client:
            results = self._campaign_master_add_split(client, list_ref, list(ids_by_email))
        self.invalidate_recordset()

        outcome = []
        for result in results:
            first_id, *others = ids_by_email[result.email]
            outcome += [(line_id, "duplicate", None) for line_id in others]
            state = STATE_OF_RESULT.get(result.status)
            if state == "exists" and (first_id <= doubtful_id or again):
                state = "added"
            if state is None:
                if self.campaign_master_sync_pass < PASSES:
                    continue
                outcome.append(
                    (
                        first_id,
                        "refused",
                        result.message
                        or self.env._("Campaign Master gave no answer for this address."),
                    )
                )
            else:
                outcome.append((first_id, state, result.message))
        Recipient._store_results(outcome, late=self.campaign_master_remote_status == "sent")
        counts = Recipient._count_by_state(self)
        self.write(
            {
                "campaign_master_sync_position_id": last_id,
                "campaign_master_sync_doubtful_id": 0,
                "campaign_master_sync_failures": 0,
                "campaign_master_sync_retry_at": False,
                "campaign_master_outcome": counts,
            }
        )
        self._campaign_master_send_progress()
        return len(outcome)

    @api.model
    def _campaign_master_add_split(self, client, list_ref, emails):
        """Add addresses; if the call as a whole is refused, halve it until the culprit is found.

        :return: ``client.RecipientResult`` of each address
        :raise CampaignMasterRefusedError: there are more culprits than calls to find them with
        """
        results, todo, calls = [], [emails], 0
        while todo:
            part = todo.pop()
            try:
                calls += 1
                results += client.add_recipients(list_ref, part)
            except CampaignMasterRefusedError as error:
                if calls >= SPLIT_CALLS:
                    raise
                if len(part) > 1:
                    half = len(part) // 2
                    todo += [part[half:], part[:half]]
                else:
                    results.append(_refused(part[0], error))
        return results

    def _campaign_master_end_pass(self):
        """All recipients of this sync were asked for: go round again for those without an
        answer, or end.

        :return: 0 if there is another round, ``None`` if the sync has ended
        """
        Recipient = self.env["campaign.master.recipient"]
        if self.campaign_master_sync_pass < PASSES and Recipient._next_batch(
            self, 0, self.campaign_master_sync_upto_id, 1
        ):
            self.campaign_master_sync_pass += 1
            self.campaign_master_sync_position_id = 0
            return 0
        Recipient._classify(self)
        counts = Recipient._count_by_state(self)
        self.campaign_master_outcome = counts
        state = "partial" if any(counts.get(name) for name in PROBLEMS) else "complete"
        self._campaign_master_end_sync(state, self._campaign_master_summary(counts))
        # How many people are on the list has changed.
        self.campaign_master_account_id._ask_refresh()
        return None

    def _campaign_master_end_sync(self, state, message):
        self.write(
            {
                "campaign_master_sync_state": state,
                "campaign_master_sync_message": message,
                "campaign_master_sync_retry_at": False,
            }
        )
        self._campaign_master_send_progress()

    def _campaign_master_summary(self, counts):
        """What a sync did, and what is left to do in Campaign Master.

        :param dict counts: recipients by outcome
        :return: sentences, one a line
        """
        on_list = sum(counts.get(name, 0) for name in ON_LIST)
        total = sum(counts.values())
        listname = self.campaign_master_list_id.name
        lines = []
        if not total:
            lines.append(
                self.env._(
                    "The campaign is in Campaign Master. It has no recipients yet: add leads, "
                    "contacts or companies and sync again."
                )
            )
        else:
            lines.append(
                self.env._(
                    "%(on_list)s of %(total)s recipients are on the list “%(list)s”.",
                    on_list=on_list,
                    total=total,
                    list=listname,
                )
            )
        if self.campaign_master_remote_status == "draft":
            lines.append(
                self.env._(
                    "Left to do in Campaign Master: choose the list “%(list)s” for this campaign, "
                    "check it, and send. Everybody on that list gets the mail, also people who "
                    "are not recipients here.",
                    list=listname,
                )
            )
        elif self.campaign_master_remote_status == "sent":
            lines.append(
                self.env._(
                    "The campaign was sent already, so it was not updated there. People added "
                    "since then do not get it."
                )
            )
        else:
            lines.append(
                self.env._(
                    "The campaign is “%(status)s” in Campaign Master, so it was not updated there.",
                    status=self.campaign_master_remote_status,
                )
            )
        return "\n".join(lines)

    # === LIVE PROGRESS === #

    def _campaign_master_send_progress(self):
        """Tell the forms that show this campaign, once the transaction is committed."""
        self.env["bus.bus"]._sendone(
            (self, "campaign_master"), "campaign_master/progress", self.campaign_master_progress()
        )

    # === CRONS === #

    @api.model
    def _cron_campaign_master_push(self):
        """Push the recipients of all running syncs, in turns of one batch each."""
        Cron = self.env["ir.cron"]
        remaining = True
        while remaining:
            campaigns = self.search(
                [
                    ("campaign_master_sync_state", "=", "running"),
                    "|",
                    ("campaign_master_sync_retry_at", "=", False),
                    ("campaign_master_sync_retry_at", "<=", fields.Datetime.now()),
                ],
                order="campaign_master_synced_at, id",
            )
            remaining = len(campaigns)
            Cron._commit_progress(remaining=remaining)
            for campaign in campaigns:
                done = campaign._campaign_master_push_turn()
                ended = done is None
                remaining -= ended
                if not Cron._commit_progress(done or 0, remaining=max(remaining, 0)):
                    # The scheduler calls again, but after ten times only once it wakes up.
                    self._campaign_master_cron()._trigger()
                    return

    def _campaign_master_push_turn(self):
        """One batch of one campaign; whatever goes wrong with it stays with it.

        :return: how many recipients got an outcome, or ``None`` when nothing more is to be done
            for this campaign now
        """
        account = self.campaign_master_account_id
        try:
            # Somebody may have cancelled it, or deleted it, since it was found.
            if self.exists() and self.campaign_master_sync_state == "running":
                if not account.enabled:
                    self._campaign_master_end_sync(
                        "cancelled", self.env._("Campaign Master was disabled in the settings.")
                    )
                    return None
                return self._campaign_master_push_batch()
        except SerializationFailure:
            # Somebody wrote the campaign at the same moment. The batch is asked for again.
            self.env.cr.rollback()
            return 0
        except CampaignMasterError as error:
            self.env.cr.rollback()
            account._note_error(error)
            self._campaign_master_push_failed(error)
        return None

    def _campaign_master_push_failed(self, error):
        """Wait and try again, or give up and say why."""
        account = self.campaign_master_account_id
        now = fields.Datetime.now()
        retry_at = None
        if isinstance(error, CampaignMasterRateLimitError) and error.period == "hour":
            retry_at = to_odoo(error.reset_at) or now + timedelta(hours=1)
        elif (
            isinstance(error, CampaignMasterConnectionError | CampaignMasterResponseError)
            and not isinstance(error, CampaignMasterNotFoundError | CampaignMasterRefusedError)
            and self.campaign_master_sync_failures < RETRIES
        ):
            retry_at = now + timedelta(minutes=2**self.campaign_master_sync_failures)
            self.campaign_master_sync_failures += 1
        if retry_at:
            local = fields.Datetime.context_timestamp(self, retry_at)
            self.campaign_master_sync_retry_at = retry_at
            self.campaign_master_sync_message = self.env._(
                "%(reason)s Odoo goes on by itself at %(time)s.",
                reason=account._explain(error),
                time=local.strftime("%H:%M"),
            )
            self._campaign_master_cron()._trigger(retry_at)
            self._campaign_master_send_progress()
            return
        if error.code == "not_found":
            reason = self.env._(
                "The list “%(list)s” was deleted in Campaign Master. Choose another one.",
                list=self.campaign_master_list_id.name,
            )
        else:
            reason = account._explain(error)
        self._campaign_master_end_sync(
            "failed",
            self.env._(
                "Not everybody was added to the list. %(reason)s Then sync again: it goes on "
                "where it stopped.",
                reason=reason,
            ),
        )


def _refused(email, error):
    """The result of an address that Campaign Master does not even take into a call."""
    return RecipientResult(email, "suppressed", error.message)
