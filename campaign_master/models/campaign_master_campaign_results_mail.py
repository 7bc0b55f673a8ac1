import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import formatLang
from odoo.tools.urls import urljoin

from ..tools import commit_with_retry, format_count, format_date_and_time, format_percent
from .campaign_master_recipient import SENT_STATUSES

_logger = logging.getLogger(__name__)

# As Odoo for its own mailings: how old a campaign is, and the parameter that switches mails off.
FIRST_AGE, LAST_AGE = timedelta(days=1), timedelta(days=5)
SWITCH = "mass_mailing.mass_mailing_reports"
# The age of a reading whose figures may be mailed.
FRESH = timedelta(hours=1)
STAGES = ("delivered", "opened", "clicked")


class CampaignMasterCampaign(models.Model):
    """A day after a campaign was sent, its responsible user gets the results by email, as Odoo does
    for its own mailings: with the same template, and switched off in the same ways.

    A scheduled action sends what is due. It needs a reading of this age; if the last one is too
    old, it requests another, whose end triggers it again. The mail is created and the mark removed
    in one transaction, so that no mail is sent twice or lost.
    """

    _inherit = "campaign.master.campaign"

    results_mail_due = fields.Boolean(
        readonly=True,
        help="The responsible user has not received the results by email yet. Set when Odoo first "
        "sees that the campaign was sent.",
    )

    # === WHEN === #

    @api.model
    def _cron_mail(self):
        return self.env["campaign.master.account"]._cron("mail_results")

    @api.model
    def _cron_mail_results(self):
        """Mail the results that are due, one campaign at a time. Commits after each."""
        if not self.env["ir.config_parameter"].get_param(SWITCH):
            return
        IrCron = self.env["ir.cron"]
        rows = self.search([("results_mail_due", "=", True)])
        IrCron._commit_progress(remaining=len(rows))
        for row in rows:
            try:
                commit_with_retry(self.env, row._mail_results_turn)
            except Exception:
                # One campaign must not stop the others. It is tried again.
                _logger.exception("The results of campaign %s could not be mailed", row.id)
            if not IrCron._commit_progress(1):
                return

    def _mail_results_turn(self):
        """Mail the results, or do what is needed to mail them later or never."""
        if not self.exists():  # created again meanwhile
            return
        campaign, now = self.campaign_id, fields.Datetime.now()
        is_deleted = campaign.campaign_master_remote_status not in SENT_STATUSES
        if is_deleted or now - (self.sent_at or self.seen_sent_at) > LAST_AGE:
            self.results_mail_due = False
            return
        user = self._results_reader()
        if not user or not self.sent_at or now - self.sent_at < FIRST_AGE:
            return
        is_fresh = now - (campaign.campaign_master_statistics_at or self.sent_at) <= FRESH
        if is_fresh and self._is_results_mail_possible():
            self.results_mail_due = False
            self._mail_results(user)
        # After errors, the next try is not brought forward.
        elif not self.read_failures and self.next_poll_at and self.next_poll_at > now:
            self._make_due()
            self._cron_read()._trigger()

    def _is_results_mail_possible(self):
        """:return: whether the mail is due, and the campaign was read completely at an age at which
        it may be sent"""
        is_being_read = self.read_step or self.requested_at or self.read_failures
        if not self.results_mail_due or is_being_read:
            return False
        age = self.campaign_id._campaign_master_age()
        return age is not None and timedelta(hours=age) >= FIRST_AGE

    # === WHO === #

    def _results_reader(self):
        """:return: the responsible user; empty if they may not see the figures, or have no email
        address"""
        user = self.campaign_id._campaign_master_reader()
        return user if self.campaign_id.active and user.email else user.browse()

    # === WHAT === #

    def _mail_results(self, user):
        """Create the mail, with the user's rights and in their language and time zone. Odoo's mail
        queue sends it.

        :param user: ``res.users``
        """
        company = self.campaign_id.campaign_master_company_id
        self = self.with_user(user).with_context(
            lang=self.env["res.lang"]._get_code(user.lang),
            tz=user.tz,
            allowed_company_ids=company.ids,
        )
        campaign, company = self.campaign_id, company.with_env(self.env)
        title = self.env._('24H Stats of Campaign "%(campaign)s"', campaign=campaign.title)
        body = self.env["ir.qweb"]._render(
            "digest.digest_mail_main",
            {
                "company": company,
                "user": user,
                "title": title,
                "formatted_date": self._results_dates(),
                "top_button_label": self.env._("Open Campaign"),
                "top_button_url": urljoin(
                    campaign.get_base_url(), f"/odoo/utm.campaign/{campaign.id}"
                ),
                "kpi_data": self._results_kpis(),
                "display_mobile_banner": True,
                # The link that switches these mails off.
                "mailing_report_token": self.env["mailing.mailing"]._generate_mailing_report_token(
                    user.id
                ),
                "user_id": user.id,
            },
        )
        html = self.env["mail.render.mixin"]._render_encapsulate(
            "digest.digest_mail_layout", body, add_context={"company": company, "user": user}
        )
        # sudo: users may not create mails
        self.env["mail.mail"].sudo().create(
            {
                "subject": title,
                "body_html": html,
                "author_id": user.partner_id.id,
                "email_from": user.email_formatted,
                "email_to": user.email_formatted,
                "reply_to": company.email_formatted or user.email_formatted,
                "state": "outgoing",
                "auto_delete": True,
            }
        )

    def _results_dates(self):
        return self.env._(
            "Sent on %(sent)s, figures as of %(read)s",
            sent=format_date_and_time(self.env, self.sent_at),
            read=format_date_and_time(self.env, self.campaign_id.campaign_master_statistics_at),
        )

    def _results_kpis(self):
        """:return: what the template shows: the results and, if there are enough campaigns, how
        they compare; figures that were not reported are “–”
        :rtype: list[dict]"""
        results = self.campaign_id.campaign_master_results()
        stages = {stage["name"]: stage for stage in results["stages"]}

        def number(name):
            count = stages[name]["number"]
            return "–" if count is None else format_count(self.env, count)

        columns = [
            {
                "value": format_percent(self.env, stages[name]["share"]),
                "col_subtitle": f"{stages[name]['label']} ({number(name)})",
            }
            for name in STAGES
        ]
        title = self.env._("Emails Sent: %(number)s", number=number("sent"))
        kpis = [self._results_kpi("results", title, columns)]
        compared = {
            name: found for name, found in results["history"]["comparison"].items() if found
        }
        if compared:
            [age] = {found["age"] for found in compared.values()}
            title = self.env._("Compared with Your Median after %(hours)s Hours", hours=age)
            columns = [
                self._results_comparison(stages[name]["label"], found)
                for name, found in compared.items()
            ]
            kpis.append(self._results_kpi("comparison", title, columns))
        return kpis

    @api.model
    def _results_kpi(self, name, title, columns):
        return {
            "kpi_name": f"campaign_master_{name}",
            "kpi_fullname": title,
            "kpi_action": None,
            **{f"kpi_col{number}": column for number, column in enumerate(columns, start=1)},
        }

    @api.model
    def _results_comparison(self, label, found):
        """:param dict found: see ``utm.campaign._campaign_master_comparison``"""
        difference = round(found["difference"], 1)
        points = formatLang(self.env, abs(difference), digits=1)
        if difference > 0:
            value = self.env._("▲ %(points)s points", points=points)
        elif difference < 0:
            value = self.env._("▼ %(points)s points", points=points)
        else:
            value = self.env._("Equal")
        return {
            "value": value,
            "col_subtitle": self.env._(
                "%(label)s: %(value)s, median of %(campaigns)s campaigns: %(median)s",
                label=label,
                value=format_percent(self.env, found["value"]),
                campaigns=found["campaigns"],
                median=format_percent(self.env, found["median"]),
            ),
        }
