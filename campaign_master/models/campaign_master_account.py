from datetime import datetime, timedelta
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import retrying
from odoo.tools import SQL, ormcache

from ..client import (
    CampaignMasterAuthError,
    CampaignMasterClient,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    month_end,
)
from ..tools import AccountLedger, note_written, notification, to_odoo, utcnow
from ..tools.account_ledger import BACKGROUND_SHARE, HOUR_LIMIT, MONTH_LIMIT
from ..tools.polling import HALF_HOUR, QUIET, SENT, forecast, stretch, wanted_by_all

DEFAULT_API_URL = "https://api.campaignmaster.co.uk"
# Opening forms and drop-downs may ask for templates and lists this often (seconds); somebody who
# comes back from another window, or presses Refresh, does not wait for that long.
CATALOGUE_INTERVAL = 60
CATALOGUE_INTERVAL_EXPLICIT = 5
# A refresh that takes longer is not waited for any more: what is known may be old.
CATALOGUE_PATIENCE = timedelta(seconds=4)
# A person waits for what a button does; nobody waits for a scheduled action. (connect, read) in s.
TIMEOUT_BUTTON = (3, 10)
TIMEOUT_BACKGROUND = (5, 30)
# What one call may take with all repetitions; the other accounts wait for it at most that long.
SECONDS_BUTTON = 20
SECONDS_BACKGROUND = 50
# How much of the past a forecast of the month's calls looks at.
LATELY = timedelta(days=7)
# The last calls that scheduled actions may make in a month are left to those that add recipients.
STATISTICS_SHARE = 0.99
ACTIVITY_TYPE = "mail.mail_activity_data_warning"


class CampaignMasterAccount(models.Model):
    """One Campaign Master login of one company.

    The row has two kinds of columns. What an administrator enters is written by the ORM, like
    anywhere. What the calls themselves leave behind (token, limits, counts, times) is written
    only through :class:`AccountLedger`, in short transactions of its own, so that it is shared
    by all workers at once, survives a rollback, and never collides with the transaction that
    makes the calls.
    """

    _name = "campaign.master.account"
    # Its administrator is told what stops it by an activity.
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Campaign Master Account"
    _rec_name = "company_id"
    _order = "company_id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    enabled = fields.Boolean(
        help="Show Campaign Master on this company's campaigns, send recipients to it and read "
        "statistics from it.",
    )
    username = fields.Char(
        groups="base.group_system",
        copy=False,
        help="The name that you log in to the Campaign Master interface with.",
    )
    password = fields.Char(
        compute="_compute_password",
        inverse="_inverse_password",
        groups="base.group_system",
        copy=False,
        help="The password of the Campaign Master interface. It can be changed here, but never "
        "be read. Leave it empty to keep the saved one.",
    )
    has_password = fields.Boolean(compute="_compute_password", groups="base.group_system")
    api_url = fields.Char(
        string="API Address",
        required=True,
        default=DEFAULT_API_URL,
        groups="base.group_system",
        help="Where Campaign Master's API is. Changing it asks for the password again, because "
        "the password will be sent to this address.",
    )

    # What only the server itself may read.
    secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    token = fields.Char(groups=fields.NO_ACCESS, copy=False)
    token_reset_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)

    # What the calls leave behind; written by AccountLedger only.
    hour_limit = fields.Integer(readonly=True, copy=False, groups="base.group_system")
    hour_remaining = fields.Integer(readonly=True, copy=False, groups="base.group_system")
    hour_reset_at = fields.Datetime(readonly=True, copy=False, groups="base.group_system")
    month = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The calendar month (UTC, YYYY-MM) that the calls are counted for.",
    )
    month_calls = fields.Integer(readonly=True, copy=False, groups="base.group_system")
    told_problem = fields.Char(groups=fields.NO_ACCESS, copy=False)
    login_refused_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Campaign Master refused the username and password at this time. Scheduled actions "
        "leave the account alone until they are entered again or tested with success.",
    )
    rests_until = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    catalogue_asked_at = fields.Datetime(readonly=True, copy=False)
    catalogue_read_at = fields.Datetime(
        string="Templates and Lists Read",
        readonly=True,
        copy=False,
        help="When templates and lists were last read from Campaign Master.",
    )
    catalogue_failed = fields.Boolean(
        readonly=True, copy=False, help="The last attempt to read templates and lists failed."
    )

    # The meter.
    calls_this_hour = fields.Integer(
        compute="_compute_calls",
        compute_sudo=True,
        help="Calls of the hour that Campaign Master counts now, as its last answer said.",
    )
    calls_hour_limit = fields.Integer(
        string="Calls an Hour, at Most", compute="_compute_calls", compute_sudo=True
    )
    calls_this_month = fields.Integer(
        compute="_compute_calls",
        compute_sudo=True,
        help="Calls of this calendar month (UTC), counted here before each is sent.",
    )
    calls_month_limit = fields.Integer(
        string="Calls a Month, at Most", compute="_compute_calls", compute_sudo=True
    )
    calls_forecast = fields.Integer(
        string="Calls at the Month's End",
        compute="_compute_calls",
        compute_sudo=True,
        help="How many calls the month will have had, if it goes on as in the last seven days.",
    )

    _unique_company = models.Constraint(
        "UNIQUE(company_id)", "A company has one Campaign Master account at most."
    )

    # === COMPUTE AND CONSTRAINTS === #

    @api.depends("secret")
    def _compute_password(self):
        for account in self:
            account.password = False
            account.has_password = bool(account.sudo().secret)

    def _inverse_password(self):
        """Store what was entered; an empty box keeps the saved password."""
        for account in self.filtered("password"):
            account.sudo().secret = account.password

    def _calls_by_purpose(self):
        """:return: for each purpose ``label`` and calls of this ``hour`` and ``month`` (UTC)"""
        self.ensure_one()
        Usage = self.env["campaign.master.usage"].sudo()
        hour = utcnow().replace(minute=0, second=0, microsecond=0)
        by_hour = Usage._since(self, hour)
        by_month = Usage._since(self, hour.replace(day=1, hour=0))
        return [
            {"label": label, "hour": by_hour.get(name, 0), "month": by_month.get(name, 0)}
            for name, label in Usage._fields["purpose"]._description_selection(self.env)
        ]

    def _compute_calls(self):
        Usage = self.env["campaign.master.usage"]
        now = utcnow()
        for account in self:
            known = account.hour_limit and account.hour_reset_at and account.hour_reset_at > now
            account.calls_hour_limit = account.hour_limit or HOUR_LIMIT
            account.calls_this_hour = account.hour_limit - account.hour_remaining if known else 0
            account.calls_month_limit = MONTH_LIMIT
            current = account.month == now.strftime("%Y-%m")
            account.calls_this_month = account.month_calls if current else 0
            lately = sum(Usage._since(account, now - LATELY).values())
            # An account that is younger than that has not had the whole time.
            age = min(max(now - (account.create_date or now), timedelta(days=1)), LATELY)
            account.calls_forecast = forecast(
                now, account.calls_this_month, lately, age / timedelta(days=1)
            )

    @api.constrains("enabled", "username", "secret")
    def _check_credentials(self):
        for account in self.sudo().filtered("enabled"):
            if not account.username:
                raise ValidationError(
                    self.env._(
                        "Campaign Master needs the username that you log in to its interface "
                        "with. Enter it, or untick Enabled. Nothing was saved."
                    )
                )
            if not account.secret:
                raise ValidationError(
                    self.env._(
                        "Campaign Master needs the password that you log in to its interface "
                        "with. Enter it, or untick Enabled. Nothing was saved."
                    )
                )

    @api.constrains("api_url")
    def _check_api_url(self):
        for account in self.sudo():
            try:
                CampaignMasterClient(account.api_url, "-", "-").close()
            except CampaignMasterConfigurationError as error:
                raise ValidationError(
                    self.env._(
                        "The API address cannot be used. It must start with https:// (http:// "
                        "only for this machine itself) and carry no username or password. "
                        "Nothing was saved."
                    )
                ) from error

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # An inverse runs after the constraints of a creation, so what is checked against the
        # password is written after it.
        vals_list = [dict(vals) for vals in vals_list]
        later = [
            {name: vals.pop(name) for name in ("password", "enabled") if name in vals}
            for vals in vals_list
        ]
        accounts = super().create(vals_list)
        for account, vals in zip(accounts, later, strict=True):
            account.write(vals)
        return accounts

    def write(self, vals):
        note_written(self.env)
        vals = dict(vals)
        password = vals.pop("password", None)
        if "api_url" in vals and not password:
            for account in self.sudo():
                if account.secret and account.api_url != vals["api_url"]:
                    raise ValidationError(
                        self.env._(
                            "The API address changed. Enter the password again together with "
                            "it, because it will be sent to the new address. Nothing was saved."
                        )
                    )
        if password:
            super().write({"password": password})
            # Nor may the cache of this transaction tell what was entered.
            self.invalidate_recordset(["password"])
        result = super().write(vals)
        if password or {"username", "api_url"} & vals.keys():
            # Another login: what belongs to the former one must not be used for it.
            self.sudo().write(
                {
                    "token": False,
                    "token_reset_at": False,
                    "login_refused_at": False,
                    "told_problem": False,
                }
            )
            self._resume()
        if "enabled" in vals and not vals["enabled"]:
            running = [("account_id", "in", self.ids), ("state", "=", "running")]
            for sync in self.env["campaign.master.sync"].sudo().search(running):
                sync._end("cancelled", self.env._("Campaign Master was disabled in the settings."))
        if vals.get("enabled"):
            # Without Odoo's Mailing Campaigns feature there is no Campaigns menu.
            self.env.ref("base.group_user").sudo()._apply_group(
                self.env.ref("mass_mailing.group_mass_mailing_campaign").sudo()
            )
            self._cron("refresh_catalogue")._trigger()
        return result

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Log in and read templates and lists, and say in words what works and what does not.

        :return: a notification action
        :raise AccessError: the caller is not an administrator
        """
        self.ensure_one()
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._("Only an administrator can test the connection to Campaign Master.")
            )
        account = self.sudo()
        if not (account.username and account.secret):
            raise UserError(
                self.env._("Enter and save the username and the password first, then test.")
            )
        works = []
        was_refused = account.login_refused_at
        try:
            with account._client("catalogue") as client:
                client.authenticate()
                works.append(
                    self.env._(
                        "Logged in to %(address)s as %(username)s.",
                        address=account.api_url,
                        username=account.username,
                    )
                )
                account._refresh_catalogue(client)
        except CampaignMasterError as error:
            sentences = [*works, account._explain(error)]
            return notification("danger", " ".join(sentences), sticky=True)
        account.invalidate_recordset()
        if was_refused:
            account._resume()
        works.append(
            self.env._(
                "Read %(templates)s templates and %(lists)s lists.",
                templates=self.env["campaign.master.template"]
                .sudo()
                .search_count([("account_id", "=", self.id)]),
                lists=self.env["campaign.master.list"]
                .sudo()
                .search_count([("account_id", "=", self.id)]),
            )
        )
        if not account.enabled:
            works.append(self.env._("Tick Enabled and save to use it."))
        return notification("success", " ".join(works))

    def action_refresh_catalogue(self):
        """Read templates and lists now.

        :return: a notification action
        :raise UserError: Campaign Master did not give them; what was known stays
        """
        self._check_marketing_user()
        for account in self.sudo():
            account._check_enabled()
            try:
                with account._client("catalogue") as client:
                    account._refresh_catalogue(client)
            except CampaignMasterError as error:
                raise UserError(
                    self.env._(
                        "Templates and lists were not read; those known so far stay. %(reason)s",
                        reason=account._explain(error),
                    )
                ) from error
        return notification("success", self.env._("Templates and lists are up to date."))

    def action_open_settings(self):
        """Open the settings that the account is set up in."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "mass_mailing.action_mass_mailing_configuration"
        )

    def action_open_calls(self):
        """Open what the account's calls were made for."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_usage_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}

    def request_catalogue(self, explicit=False):
        """Ask for templates and lists to be read soon, without waiting for it.

        Forms call it when they and their drop-downs open: at most one refresh a minute and
        account comes of it. ``explicit`` says that a person did something for it (came back to
        the window, pressed Refresh): then five seconds are enough.

        :return: as :meth:`catalogue_state`, with ``asked`` (whether a refresh was started) and
            ``retry_in`` (seconds after which one may be)
        :rtype: dict
        """
        self.ensure_one()
        self._check_marketing_user()
        self.check_access("read")
        account = self.sudo()
        interval = CATALOGUE_INTERVAL_EXPLICIT if explicit else CATALOGUE_INTERVAL
        asked = account._ask_refresh(interval)
        account.invalidate_recordset(["catalogue_asked_at"])
        retry_in = interval
        if account.catalogue_asked_at:
            free_at = account.catalogue_asked_at + timedelta(seconds=interval)
            retry_in = max(int((free_at - fields.Datetime.now()).total_seconds()) + 1, 1)
        return {"asked": asked, "retry_in": retry_in, **self.catalogue_state()}

    def catalogue_state(self):
        """How fresh templates and lists are, from the database alone.

        :return: ``stamp`` (changes with each refresh), ``notice`` (a sentence when they may be
            old, else ``False``)
        :rtype: dict
        """
        self.ensure_one()
        self._check_marketing_user()
        self.check_access("read")
        account = self.sudo()
        return {
            "stamp": fields.Datetime.to_string(account.catalogue_read_at),
            "notice": account._catalogue_notice(),
        }

    # === BUSINESS METHODS === #

    @api.model
    def _of_company(self, company):
        """:return: the enabled account of the company, or an empty recordset (as superuser)"""
        return self.sudo().search([("company_id", "=", company.id), ("enabled", "=", True)])

    def _client(self, purpose, background=False, hasty=False):
        """A client for this account, to be used in a ``with`` block.

        :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
        :param bool background: for a scheduled action: it waits longer, tries again more often,
            and leaves a share of the calls to people
        :param bool hasty: somebody looks at what comes of it: waits as for a button, and tries
            nothing again
        """
        self.ensure_one()
        account = self.sudo()
        patient = background and not hasty
        return CampaignMasterClient(
            account.api_url,
            account.username,
            account.secret,
            ledger=account._ledger(purpose, background),
            timeout=TIMEOUT_BACKGROUND if patient else TIMEOUT_BUTTON,
            retries=2 if patient else 0 if hasty else 1,
            seconds=SECONDS_BACKGROUND if patient else SECONDS_BUTTON,
        )

    def _ledger(self, purpose="catalogue", background=False):
        self.ensure_one()
        # The ledger's transactions are its own: it must find the row as it is.
        self.flush_recordset()
        return AccountLedger(self, purpose, background)

    @api.model
    def _cron(self, name):
        return self.env.ref(f"campaign_master.ir_cron_{name}").sudo()

    @api.model
    def _check_marketing_user(self):
        """Refuse whoever does not work in Email Marketing; the system itself may.

        :raise AccessError: the caller lacks the group
        """
        if not self.env.su and not self.env.user.has_group("mass_mailing.group_mass_mailing_user"):
            raise AccessError(
                self.env._(
                    "Working with Campaign Master needs the Email Marketing right. Nothing was "
                    "done. Ask your administrator for it."
                )
            )

    def _check_enabled(self):
        for account in self.sudo():
            if not account.enabled:
                raise UserError(
                    self.env._(
                        "Campaign Master is not enabled for %(company)s. Nothing was done. An "
                        "administrator enables it in Settings › Email Marketing › External "
                        "Campaign Manager.",
                        company=account.company_id.name,
                    )
                )

    def _refresh_catalogue(self, client):
        """Read all templates and lists, and store them; those that are gone are archived.

        :raise CampaignMasterError: nothing was changed
        """
        self._store_catalogue(*self._read_catalogue(client))

    def _read_catalogue(self, client):
        """:return: all templates, and all lists
        :raise CampaignMasterError: forms say now that what they show may be old
        """
        self.ensure_one()
        try:
            return list(client.templates()), list(client.lists())
        except CampaignMasterError:
            self._ledger().note(catalogue_failed=True)
            raise

    def _store_catalogue(self, templates, lists):
        self.env["campaign.master.template"]._store(self, templates)
        self.env["campaign.master.list"]._store(self, lists)
        self._ledger().note(catalogue_failed=False, catalogue_read_at=utcnow())
        self.invalidate_recordset(["catalogue_failed", "catalogue_read_at"])

    def _ask_refresh(self, interval=CATALOGUE_INTERVAL):
        """Have templates and lists read soon, unless that was asked for lately.

        :param int interval: seconds between two refreshes, at least
        :return: whether a refresh was started
        """
        self.ensure_one()
        asked = self.enabled and self._ledger().ask_catalogue(interval)
        if asked:
            self._cron("refresh_catalogue")._trigger()
        return asked

    def _catalogue_notice(self):
        """:return: a sentence that templates and lists may be old, or ``False``"""
        self.ensure_one()
        # Both have fractions of a second. Without them, a response within the same second would
        # look older than its request.
        asked_at, read_at = self.catalogue_asked_at, self.catalogue_read_at
        unanswered = (
            asked_at
            and (not read_at or read_at < asked_at)
            and utcnow() - asked_at > CATALOGUE_PATIENCE
        )
        if not (self.catalogue_failed or unanswered):
            return False
        if not self.catalogue_read_at:
            return self.env._(
                "Campaign Master could not be reached, so there are no templates and lists yet."
            )
        read_at = fields.Datetime.context_timestamp(self, self.catalogue_read_at)
        return self.env._(
            "Campaign Master could not be reached. Templates and lists may be old: they were read "
            "on %(date)s.",
            date=read_at.strftime("%Y-%m-%d %H:%M"),
        )

    def _stretch(self):
        """:return: by how much polls must be further apart for the month's calls to last; see
        ``tools/polling.py``"""
        now = utcnow()
        return self._stretch_at(now - (now - datetime.min) % HALF_HOUR)

    @ormcache("self.id", "moment")
    def _stretch_at(self, moment):
        """:meth:`_stretch`, reckoned once in each half hour, and so about once for each run of the
        scheduled action: it changes slowly, and polls are many."""
        self.ensure_one()
        # Other transactions write it.
        self.invalidate_recordset(["month", "month_calls"])
        spent = self.month_calls if self.month == moment.strftime("%Y-%m") else 0
        left = month_end(moment) - moment
        # All else goes on as lately.
        lately = self.env["campaign.master.usage"].sudo()._since(self, moment - LATELY)
        others = sum(calls for purpose, calls in lately.items() if purpose != "statistics")
        budget = MONTH_LIMIT * BACKGROUND_SHARE * STATISTICS_SHARE
        return stretch(
            wanted_by_all(left, self._campaigns_by_age(moment)),
            budget - spent - others * (left / LATELY),
        )

    def _campaigns_by_age(self, moment):
        """:return: ``groups`` for ``tools.polling.wanted_by_all``: campaigns that are read, by
        whole days of their age; their own mean age stands for them"""
        self.env["utm.campaign"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sent, quiet, SUM(age)::bigint, COUNT(*)
                  FROM (
                    SELECT campaign_master_sent > 0 AS sent,
                           GREATEST(fresh_at, campaign_master_moved_at) <= %(quiet)s AS quiet,
                           EXTRACT(EPOCH FROM GREATEST(%(moment)s - fresh_at, '0')) AS age
                      FROM (
                        SELECT campaign_master_sent, campaign_master_moved_at,
                               COALESCE(campaign_master_fresh_at, campaign_master_synced_at,
                                        %(moment)s) AS fresh_at
                          FROM utm_campaign
                         WHERE campaign_master_account_id = %(account)s
                           AND campaign_master_ref IS NOT NULL
                           AND campaign_master_remote_status IS DISTINCT FROM 'deleted'
                      ) AS campaign
                  ) AS campaign
                 GROUP BY sent, quiet, LEAST(FLOOR(age / 86400), %(days)s)
                 ORDER BY sent, quiet, LEAST(FLOOR(age / 86400), %(days)s)
                """,
                account=self.id,
                moment=moment,
                quiet=moment - QUIET,
                days=SENT[-1][0].days,
            )
        )
        return [
            (sent, quiet, timedelta(seconds=age) / number, number)
            for sent, quiet, age, number in rows
        ]

    def _local_time(self, moment):
        """:return: a time of the day, in the reader's time zone; with the day if it is not today"""
        local = fields.Datetime.context_timestamp(self, moment)
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        return local.strftime("%H:%M" if local.date() == today.date() else "%Y-%m-%d %H:%M")

    def _explain(self, error):
        """Say to a marketing person what went wrong and what to do now.

        :param CampaignMasterError error: what the client raised
        :return: one or two translated sentences without any secret
        """
        self.ensure_one()
        if isinstance(error, CampaignMasterAuthError):
            return self.env._(
                "Campaign Master refused the username or password. An administrator can correct "
                "them in Settings › Email Marketing › External Campaign Manager."
            )
        if isinstance(error, CampaignMasterRateLimitError):
            if error.period == "month":
                return self.env._(
                    "The number of calls that Campaign Master allows in a month is used up. It "
                    "starts anew on the first day of the next month."
                )
            if error.reset_at:
                return self.env._(
                    "The number of calls that Campaign Master allows in an hour is used up. Try "
                    "again after %(time)s.",
                    time=self._local_time(to_odoo(error.reset_at)),
                )
            return self.env._(
                "The number of calls that Campaign Master allows in an hour is used up. Try again "
                "in an hour."
            )
        if isinstance(error, CampaignMasterConnectionError):
            return self.env._(
                "Campaign Master could not be reached or did not answer in time. Try again in "
                "some minutes."
            )
        if isinstance(error, CampaignMasterConfigurationError) or error.code == "wrong_address":
            return self.env._(
                "The API address in the settings is not one of Campaign Master's. An administrator "
                "can correct it in Settings › Email Marketing › External Campaign Manager."
            )
        if isinstance(error, CampaignMasterNotFoundError):
            return self.env._("Campaign Master does not know it any more: it was deleted there.")
        if isinstance(error, CampaignMasterRefusedError):
            reasons = [f"{entry.field}: {entry.message}" for entry in error.errors]
            return self.env._(
                "Campaign Master refused it: %(reasons)s.",
                reasons=("; ".join(reasons) or error.message).rstrip(". "),
            )
        return self.env._(
            "Campaign Master gave an answer that Odoo does not understand (%(call)s). Try again; "
            "if it stays so, tell your administrator, who finds more in the server's log.",
            call=error.call or error.code,
        )

    # === CRONS === #

    @api.model
    def _cron_refresh_catalogue(self):
        """Read templates and lists of each enabled account; one failure stops no other."""
        accounts = self.search([("enabled", "=", True)], order="catalogue_read_at NULLS FIRST")
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        for account in accounts:
            try:
                # Somebody may look at the form: rather an early "may be old" than a late answer.
                with account._client("catalogue", background=True, hasty=True) as client:
                    # No transaction is open during the calls. Somebody may press Refresh meanwhile:
                    # then what was read is stored again.
                    self.env["ir.cron"]._commit_progress()
                    found = account._read_catalogue(client)
                retrying(partial(account._store_catalogue, *found), self.env)
            except CampaignMasterError as error:
                # The client has logged it; forms show that the list may be old.
                account._note_error(error)
            if not self.env["ir.cron"]._commit_progress(1):
                break

    # === WHAT CONCERNS THE ACCOUNT AS A WHOLE === #

    def _note_error(self, error):
        """Keep what an error says about the account as a whole; tell an administrator once."""
        self.ensure_one()
        if isinstance(error, CampaignMasterRateLimitError) and error.period == "month":
            if error.code == "month_spent":
                # Campaign Master says so, whatever our own count is.
                self._ledger().month_is_spent()
            self._tell_administrator(f"month {utcnow():%Y-%m}", error)
        elif error.code == "login_refused":
            self._tell_administrator("login", error)

    def _tell_administrator(self, problem, error):
        """Give an administrator an activity, unless this problem has been told already.

        In a transaction of its own: the caller's may be rolled back, as an error is shown.

        :param str problem: a word that changes when it is another problem
        """

        def tell(account):
            account.env.cr.execute(
                SQL(
                    """
                    UPDATE campaign_master_account SET told_problem = %s
                     WHERE id = %s AND told_problem IS DISTINCT FROM %s
                    """,
                    problem,
                    account.id,
                    problem,
                )
            )
            if not account.env.cr.rowcount:
                return
            user = account._administrator()
            account = account.with_context(lang=user.lang)
            account.activity_schedule(
                ACTIVITY_TYPE,
                user_id=user.id,
                summary=account.env._("Campaign Master waits for you"),
                note=account._explain(error)
                + " "
                + account.env._("Until then syncs wait and statistics stay as they are."),
            )

        with self.env.registry.cursor() as cr:
            account = self.with_env(api.Environment(cr, SUPERUSER_ID, {}))
            retrying(partial(tell, account), account.env)

    def _administrator(self):
        """:return: who set the account up, if he still may; else an administrator of the company"""
        self.ensure_one()
        admins = self.env.ref("base.group_system").all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        fallback = self.env.ref("base.user_admin")
        return self.write_uid & admins or admins[:1] or fallback

    def _resume(self):
        """The login is right again: forget the problem, and go on with what has waited."""
        self.sudo().activity_unlink([ACTIVITY_TYPE])
        self._cron("push_recipients")._trigger()
        self._cron("pull_statistics")._trigger()
