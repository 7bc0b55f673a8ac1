import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..client import CampaignMasterError
from ..tools import (
    check_marketing_user,
    commit_with_retry,
    explain,
    format_moment,
    notification,
    utcnow,
)
from .campaign_master_account import INTERACTIVE, QUICK

_logger = logging.getLogger(__name__)

# Minimum time between two refreshes: when forms and drop-downs open; and when a person returns to
# the window, perhaps from Campaign Master.
REFRESH_INTERVAL = timedelta(seconds=60)
EXPLICIT_REFRESH_INTERVAL = timedelta(seconds=5)
# After this time without a result, forms say that templates and lists may be outdated.
REFRESH_TIMEOUT = timedelta(seconds=4)


class CampaignMasterAccount(models.Model):
    """Templates and lists: forms request a refresh and never wait for Campaign Master; the
    scheduled action *Read Templates and Lists* makes the calls."""

    _inherit = "campaign.master.account"

    catalog_read_at = fields.Datetime(
        string="Templates and Lists Updated",
        related="state_ids.catalog_read_at",
        help="When templates and lists were last read from Campaign Master.",
    )

    # === FOR FORMS === #

    def action_refresh_catalogue(self):
        """Read templates and lists now, for RPC clients: no view has a button for it.

        :return: a notification action
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the account
        :raise UserError: Campaign Master did not return them; the saved ones are kept
        """
        check_marketing_user(self.env)
        self.check_access("read")
        for account in self.sudo():
            account._check_enabled()
            try:
                with account._client("catalog", INTERACTIVE) as client:
                    account._store_catalog(*account._read_catalog(client))
            except CampaignMasterError as error:
                raise UserError(
                    "\n".join(
                        [
                            self.env._(
                                "Templates and lists were not updated; the saved ones are kept."
                            ),
                            explain(self.env, error),
                        ]
                    )
                ) from error
        return notification("success", self.env._("Templates and lists are up to date."))

    def request_catalog(self, explicit=False):
        """Request a refresh of templates and lists, without waiting for it.

        Forms and their drop-downs call this when they open: at most one refresh per minute and
        account results from it.

        :param bool explicit: a person returned to the window; then there is at most one refresh in
            five seconds
        :return: as :meth:`catalog_state`, with ``requested`` (whether a refresh was started) and
            ``retry_in`` (seconds until the next one is possible)
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the account
        """
        state = self.catalog_state()
        interval = EXPLICIT_REFRESH_INTERVAL if explicit else REFRESH_INTERVAL
        requested = self.sudo()._request_refresh(interval)
        requested_at = self.sudo().state_ids.catalog_requested_at
        retry_in = interval
        if not requested and requested_at:
            retry_in = max(requested_at + interval - utcnow(), timedelta(seconds=1))
        return {**state, "requested": requested, "retry_in": int(retry_in.total_seconds()) + 1}

    def catalog_state(self):
        """Return how recent templates and lists are, from the database alone.

        :return: ``stamp`` (changes with each refresh) and ``notice`` (a sentence if they may be
            outdated, else ``False``)
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the account
        """
        self.ensure_one()
        check_marketing_user(self.env)
        self.check_access("read")
        state = self.sudo().state_ids
        return {
            "stamp": fields.Datetime.to_string(state.catalog_read_at),
            "notice": self.sudo()._catalog_notice(),
        }

    def _catalog_notice(self):
        """:return: a sentence that templates and lists may be outdated, or ``False``"""
        state = self.state_ids
        # Both have fractions of a second; without them a response within the same second would
        # look older than its request.
        requested_at, read_at = state.catalog_requested_at, state.catalog_read_at
        is_unanswered = (
            requested_at
            and (not read_at or read_at < requested_at)
            and utcnow() - requested_at > REFRESH_TIMEOUT
        )
        if not (state.catalog_failed or is_unanswered):
            return False
        if not read_at:
            return self.env._(
                "Campaign Master could not be reached. No templates and lists are available yet."
            )
        return self.env._(
            "Campaign Master could not be reached. Templates and lists may be outdated (last "
            "updated %(date)s).",
            date=format_moment(self.env, read_at),
        )

    def _catalog_counts_message(self):
        own = [("account_id", "=", self.id)]
        return self.env._(
            "Templates: %(templates)s. Lists: %(lists)s.",
            templates=self.env["campaign.master.template"].search_count(own),
            lists=self.env["campaign.master.list"].search_count(own),
        )

    # === REFRESH === #

    def _request_refresh(self, interval=REFRESH_INTERVAL):
        """Start the scheduled action, unless there was a request within the interval.

        :return: whether it was started
        """
        self.ensure_one()
        requested = self.enabled and self._ledger().request_catalog(interval)
        if requested:
            self._cron("refresh_catalogue")._trigger()
        return requested

    def _read_catalog(self, client):
        """:return: all templates, and all lists (``client.Template``, ``client.RecipientList``)
        :raise CampaignMasterError: forms say that templates and lists may be outdated"""
        try:
            return list(client.templates()), list(client.lists())
        except CampaignMasterError:
            self._ledger().store_catalog_result(failed=True)
            raise

    def _store_catalog(self, templates, lists):
        """Store all templates and lists; those that no longer exist are archived."""
        self.env["campaign.master.template"]._synchronize(self, templates)
        self.env["campaign.master.list"]._synchronize(self, lists)
        self._ledger().store_catalog_result(failed=False)
        self.state_ids.invalidate_recordset(["catalog_failed", "catalog_read_at"])

    @api.model
    def _cron_refresh_catalog(self):
        """Read templates and lists of each enabled account, the oldest first. An account that
        fails does not stop the others."""
        accounts = self.search([("enabled", "=", True)]).sorted(
            lambda account: (bool(account.catalog_read_at), account.catalog_read_at)
        )
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(accounts))
        for account in accounts:
            try:
                account._refresh_catalog()
            except Exception:
                _logger.exception("Templates and lists of account %s were not stored", account.id)
                self.env.cr.rollback()
            if not Cron._commit_progress(1):
                break

    def _refresh_catalog(self):
        try:
            with self._client("catalog", QUICK) as client:
                # No transaction is open during the calls.
                self.env["ir.cron"]._commit_progress()
                found = self._read_catalog(client)
            commit_with_retry(self.env, self._store_catalog, *found)
        except CampaignMasterError as error:
            self._handle_error(error)
