import logging
from contextlib import contextmanager
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import retrying

from ..client import CampaignDraft, CampaignMasterError, CampaignMasterRefusedError
from ..tools import has_written, notification, number, session_lock, to_odoo
from ..tools.account_ledger import LOCK_SYNC
from .campaign_master_recipient import ON_LIST

_logger = logging.getLogger(__name__)

DELETED = "deleted"


class UtmCampaign(models.Model):
    """Syncing: what the button does, which is the campaign itself; its recipients are then pushed
    by a scheduled action, see ``campaign.master.sync``.
    """

    # One model in three rooms: what is planned and known, syncing, pulling.
    _inherit = "utm.campaign"  # pylint: disable=consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_campaign_master_sync(self):
        """Create or update the campaign in Campaign Master and start pushing its recipients.

        :return: a notification action. If this transaction has written – an automation rule does –,
            the sync follows once that is committed
        :raise UserError: something required is missing, a sync is running, or Campaign Master
            could not be asked; then nothing was changed
        :raise AccessError: the caller does not work in Email Marketing
        """
        return self._campaign_master_press_sync()

    def _campaign_master_press_sync(self, prepare=None):
        """The *Sync* button.

        :param str prepare: a method of the campaign that is called first. What it writes is undone
            if something required is missing, and stays if Campaign Master cannot be asked: the
            next press goes on from there.
        """
        self._campaign_master_for_button()
        if has_written(self.env):
            return self._campaign_master_press_later("_campaign_master_press_sync", prepare)
        with self._campaign_master_on_its_own(LOCK_SYNC) as campaign:
            if not campaign or campaign.campaign_master_sync_state == "running":
                raise UserError(
                    self.env._(
                        "“%(campaign)s” is being synced already. Wait until that has ended; its "
                        "progress is shown on the campaign.",
                        campaign=self.title,
                    )
                )
            retrying(partial(campaign._campaign_master_prepare_sync, prepare), campaign.env)
            return campaign._campaign_master_sync_now()

    def _campaign_master_press_later(self, method, *args):
        """Press a button once this transaction is committed; see ``tools/transaction.py``.

        Nobody waits for what comes of it: the log of syncs tells.

        :return: a notification action
        """
        press = self.env.registry, self.env.uid, self.env.context, self.id, method, args
        presses = self.env.cr.postcommit.data.setdefault("campaign_master.presses", [])
        if press not in presses:
            presses.append(press)
            self.env.cr.postcommit.add(partial(_press, *press))
        return notification(
            "info",
            self.env._("This follows as soon as “%(campaign)s” is saved.", campaign=self.title),
        )

    @contextmanager
    def _campaign_master_on_its_own(self, lock):
        """Work on the campaign in transactions of one's own, none of which is open during a call:
        whoever writes it meanwhile neither waits nor collides with what is stored after the call.

        Not with the row's own lock: whoever edits the campaign would wait for our calls.

        :param int lock: what is done, one of ``account_ledger.LOCK_*``
        :return: a context: the campaign as superuser, or none if somebody does that at this moment
        """
        with (
            self.env.registry.cursor() as cr,
            session_lock(cr, lock, self.id) as mine,
        ):
            # See what the last holder of the lock has stored, and not what was there when this one
            # asked for it.
            cr.commit()  # pylint: disable=invalid-commit
            campaign = self.with_env(self.env(cr=cr)).sudo()
            yield campaign if mine else campaign.browse()
        self.env.invalidate_all()

    def _campaign_master_prepare_sync(self, prepare):
        if prepare:
            getattr(self, prepare)()
        self._campaign_master_ensure_account()
        if missing := self._campaign_master_missing():
            raise UserError("\n".join(missing))

    def _campaign_master_sync_now(self):
        """The calls of the button, and what is stored after them."""
        account = self.campaign_master_account_id
        client = account._client("campaigns")
        try:
            with client:
                values, changed = self._campaign_master_sync_campaign(client)
        except CampaignMasterError as error:
            self.env.cr.rollback()
            if error.code == "not_found":
                found = partial(self._campaign_master_found_deleted, client.ledger.calls)
                return retrying(found, self.env)
            account._note_error(error)
            message = self.env._(
                "“%(campaign)s” was not synced; no recipient was added. %(reason)s",
                campaign=self.title,
                reason=account._explain(error),
            )
            log = partial(
                self.env["campaign.master.sync"]._log_failure, self, message, client.ledger.calls
            )
            retrying(log, self.env)
            raise UserError(message) from error
        store = partial(self._campaign_master_store_sync, values, changed, client.ledger.calls)
        return retrying(store, self.env)

    def _campaign_master_store_sync(self, values, changed, calls):
        self.write(values)
        sync = self.env["campaign.master.sync"]._start(self, changed, calls)
        return notification("info" if sync.state == "running" else "success", sync.message)

    def action_campaign_master_check(self):
        """Look at what a sync would do, without asking Campaign Master.

        :return: an action that opens the check
        :raise UserError: the company has no enabled account
        :raise AccessError: the caller does not work in Email Marketing
        """
        campaign = self._campaign_master_for_button()
        self._campaign_master_ensure_account()
        check = self.env["campaign.master.preflight"]._check(campaign)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check Before Sync"),
            "res_model": check._name,
            "res_id": check.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_campaign_master_cancel(self):
        """Stop a running sync after the batch that is under way."""
        campaign = self._campaign_master_for_button()
        # An empty recordset if it has just ended.
        for sync in campaign._campaign_master_running_sync():
            sync._end(
                "cancelled",
                self.env._(
                    "Cancelled. Recipients that were added stay on the list in Campaign Master; "
                    "another sync goes on with the others."
                ),
            )
        return True

    def action_campaign_master_retry(self):
        """Sync again, and also ask for those whom Campaign Master refused."""
        return self._campaign_master_press_sync("_campaign_master_set_back_refused")

    def _campaign_master_set_back_refused(self):
        self.env["campaign.master.recipient"].search(
            [("campaign_id", "=", self.id), ("sync_state", "in", ("refused", "invalid"))]
        ).write({"sync_state": "pending", "sync_message": False})

    def action_campaign_master_create_again(self):
        """Make a new campaign in Campaign Master after the former one was deleted there."""
        return self._campaign_master_press_sync("_campaign_master_forget_remote")

    def action_campaign_master_unlink(self):
        """Forget the deleted campaign; this one can be planned anew."""
        self._campaign_master_forget_remote()
        return True

    def action_campaign_master_syncs(self):
        """Open the log of this campaign's syncs."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_sync_action"
        )
        return {**action, "domain": [("campaign_id", "=", self.id)]}

    def _campaign_master_for_button(self, access="write"):
        """Check who presses. ``utm.campaign`` itself may be written by any internal user.

        :return: the campaign as superuser, since what comes from Campaign Master is nobody's to
            write
        :raise AccessError: the caller does not work in Email Marketing, or not with this campaign
        """
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access(access)
        return self.sudo()

    def _campaign_master_forget_remote(self):
        """Let the next sync make a new campaign in Campaign Master.

        :raise UserError: it was not deleted there, as far as we know
        """
        campaign = self._campaign_master_for_button()
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
                "campaign_master_fresh_at": False,
                "campaign_master_moved_at": False,
                "campaign_master_next_poll_at": False,
                "campaign_master_pull_step": False,
                "campaign_master_activity_since": False,
                "campaign_master_activity_next_since": False,
                "campaign_master_activity_page": 0,
                "campaign_master_activity_seen": False,
                "campaign_master_activity_due": False,
            }
        )

    def campaign_master_progress(self):
        """How the sync stands, for a form that shows it live.

        :return: ``id``, ``state``, ``message``, ``done`` and ``total`` recipients of this sync,
            ``counts`` (recipients by outcome)
        :rtype: dict
        """
        campaign = self._campaign_master_for_button("read")
        sync = campaign._campaign_master_running_sync()
        counts = sync.counts or campaign.campaign_master_outcome or {}
        return {
            "id": campaign.id,
            "state": campaign.campaign_master_sync_state,
            "message": sync.message or campaign.campaign_master_sync_message or "",
            "done": max(sync.total - counts.get("pending", 0), 0),
            "total": sync.total,
            "counts": counts,
        }

    def _campaign_master_running_sync(self):
        """:return: ``campaign.master.sync``, empty if none is running"""
        return self.env["campaign.master.sync"].search(
            [("campaign_id", "=", self.id), ("state", "=", "running")], limit=1
        )

    def _campaign_master_send_progress(self):
        """Tell the forms that show this campaign, once the transaction is committed."""
        self.env["bus.bus"]._sendone(
            (self, "campaign_master"), "campaign_master/progress", self.campaign_master_progress()
        )

    # === THE CAMPAIGN === #

    def _campaign_master_missing(self):
        """:return: a sentence for each thing that a sync needs and that is not there"""
        return [
            self.env._(
                "Unable to create the external campaign for the following reason : "
                "%(what)s is required and has not been provided",
                what=label,
            )
            for label, value in (
                (self.env._("Campaign subject"), self.campaign_master_subject),
                (self.env._("Campaign description"), self.description),
                (self.env._("Campaign template"), self.campaign_master_template_id),
                (self.env._("Campaign list"), self.campaign_master_list_id),
            )
            if not (value.strip() if isinstance(value, str) else value)
        ]

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

        Commits before the first call. Nothing need be stored between them: if this is cut, the
        next press finds the campaign by its reference.

        :param client: ``client.CampaignMasterClient``
        :return: what to write of it, and whether something was created or updated there
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
        synced_texts = self.campaign_master_synced_draft
        reference = self._campaign_master_reference()
        ref = self.campaign_master_ref
        self.env.cr.commit()  # pylint: disable=invalid-commit
        remote = client.get_campaign(ref) if ref else client.find_campaign(reference)
        changed = False
        if not remote:
            remote = self._campaign_master_create(client, reference, draft)
            synced_texts = texts
            changed = True
        same = synced_texts == texts and (
            remote.name,
            remote.description,
            remote.subject,
        ) == (draft.name, draft.description, draft.subject)
        if remote.status == "draft" and not same:
            remote = client.update_campaign(remote.ref, draft)
            synced_texts = texts
            changed = True
        return {
            "campaign_master_ref": remote.ref,
            "campaign_master_synced_draft": synced_texts,
            **status_values(remote),
        }, changed

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

    def _campaign_master_found_deleted(self, calls=None):
        """The campaign is not there any more: keep that, and say what can be done.

        :param int calls: if a press of the button found out: calls that it took
        """
        message = self.env._(
            "“%(campaign)s” was deleted in Campaign Master. Nothing was synced. Create Again "
            "makes a new campaign there; Unlink forgets the old one.",
            campaign=self.title,
        )
        for sync in self._campaign_master_running_sync():
            sync._end("failed", message)
        self.write(
            {
                "campaign_master_remote_status": DELETED,
                "campaign_master_pull_step": False,
                "campaign_master_sync_state": "failed",
                "campaign_master_sync_message": message,
            }
        )
        if calls is not None:
            self.campaign_master_synced_at = fields.Datetime.now()
            self.campaign_master_synced_by_id = self.env.uid
            self.env["campaign.master.sync"]._log_failure(self, message, calls)
        return notification("danger", message, sticky=True)

    # === WHAT IS TOLD === #

    def _campaign_master_summary(self, counts, reasons=()):
        """What a sync did, and what is left to do in Campaign Master.

        :param dict counts: recipients by outcome
        :param reasons: why recipients were refused: pairs ``(reason, recipients)``
        :return: sentences, one a line
        """
        total = sum(counts.values())
        if total:
            lines = [
                self.env._(
                    "%(on_list)s of %(total)s recipients are on the list “%(list)s”.",
                    on_list=number(self.env, sum(counts.get(name, 0) for name in ON_LIST)),
                    total=number(self.env, total),
                    list=self.campaign_master_list_id.name,
                )
            ]
        else:
            lines = [
                self.env._(
                    "The campaign is in Campaign Master. It has no recipients yet: add leads, "
                    "contacts or companies and sync again."
                )
            ]
        if reasons:
            lines.append(
                self.env._(
                    "Refused by Campaign Master: %(reasons)s.",
                    reasons="; ".join(
                        f"“{reason}” ({number(self.env, count)})" for reason, count in reasons
                    ),
                )
            )
        return "\n".join([*lines, self._campaign_master_left_to_do()])

    def _campaign_master_left_to_do(self):
        """:return: a sentence or two: what is left to do in Campaign Master after a sync"""
        if self.campaign_master_remote_status == "draft":
            return self.env._(
                "Left to do in Campaign Master: choose the list “%(list)s” for this campaign, "
                "check it, and send. Everybody on that list gets the mail, also people who "
                "are not recipients here.",
                list=self.campaign_master_list_id.name,
            )
        if self.campaign_master_remote_status == "sent":
            return self.env._(
                "The campaign was sent already, so it was not updated there. People added "
                "since then do not get it."
            )
        return self.env._(
            "The campaign is “%(status)s” in Campaign Master, so it was not updated there.",
            status=self.campaign_master_remote_status,
        )


def _press(registry, uid, context, campaign_id, method, args):
    """Press a button of a campaign in a transaction of its own, and log if it comes to nothing."""
    with registry.cursor() as cr:
        campaign = api.Environment(cr, uid, context)["utm.campaign"].browse(campaign_id)
        try:
            getattr(campaign, method)(*args)
        except UserError as error:
            cr.rollback()
            _logger.info("Campaign %s: %s came to nothing: %s", campaign_id, method, error)
            campaign = campaign.sudo()
            # What Campaign Master said is in the log already.
            said = isinstance(error.__cause__, CampaignMasterError)
            if not said and campaign.exists().campaign_master_account_id:
                campaign.env["campaign.master.sync"]._log_failure(campaign, str(error), calls=0)


def status_values(remote):
    """:return: what to write of a ``client.Campaign``'s status"""
    return {
        "campaign_master_remote_status": remote.status,
        "campaign_master_sent_at": to_odoo(remote.sent_at),
    }
