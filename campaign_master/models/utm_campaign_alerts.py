from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_compare

from ..tools import MARKETING_GROUP, format_count, format_percent
from .campaign_master_account_alerts import ALARM, KINDS, WARNING
from .campaign_master_recipient_sums import PEOPLE
from .utm_campaign_results import PREFIX

# Fewer emails say nothing about a campaign.
ENOUGH_DELIVERED = 100
# Afterwards, alerts remain as they are.
WATCHED_FOR = timedelta(days=14)
# In hours. Before, too few people have had time to open the email.
FIRST_AGE = 24
ACTIVITY_TYPES = {
    WARNING: "campaign_master.mail_activity_type_warning",
    ALARM: "campaign_master.mail_activity_type_alarm",
}
SEVERITY = [False, WARNING, ALARM]
NOT_OPENED = PEOPLE["delivered"] & Domain("open_count", "=", 0) & Domain("click_count", "=", 0)


class UtmCampaign(models.Model):
    """Alerts about the results of sent campaigns: a banner on the form, and an activity.

    Decided when a reading is complete, and kept in ``campaign.master.campaign.alerts``: for each
    kind of ``KINDS`` the numbers that it was decided by, and

    - ``level``: ``"warning"``, ``"alarm"``, or ``False`` if the figure is no longer beyond a limit;
    - ``activity_id``, ``user_id``: the one activity of this kind, ``False`` once a reading found it
      done, and for whom it was scheduled;
    - ``raised``: the level that people were told. It follows ``level`` until the activity is done.

    Whoever completes or deletes the activity has dealt with the alert: there is never another one,
    and no banner unless a warning becomes an alarm.
    """

    _inherit = "utm.campaign"

    campaign_master_alerts = fields.Json(
        compute="_compute_campaign_master_alerts",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="Unusual results that the banners on the form show.",
    )

    # === DECIDING === #

    def _campaign_master_check_alerts(self):
        """Decide which alerts there are, and schedule, change and remove their activities. Doing so
        twice changes nothing.

        Called in the transaction that completes a reading.
        """
        watched = self.filtered(lambda campaign: campaign._campaign_master_is_watched())
        rows = watched.campaign_master_campaign_ids
        activities = rows._alert_activities()
        new = []
        for campaign in watched:
            row = campaign.campaign_master_campaign_ids
            found, kept = campaign._campaign_master_find_alerts(), row.alerts or {}
            if not found and not kept:
                continue
            user = campaign._campaign_master_alert_user()
            alerts = {}
            for kind in KINDS:
                alert = {"level": False, **found.get(kind, {})}
                if kind not in kept or self._campaign_master_is_left(kept[kind], activities):
                    if alert["level"]:
                        alerts[kind] = alert | {"raised": alert["level"], "user_id": user.id}
                        new.append((row, kind, user))
                    continue
                alert = kept[kind] | alert
                activity = activities.get(alert["activity_id"])
                if not activity:  # done
                    alerts[kind] = alert | {"activity_id": False}
                elif alert["level"]:
                    campaign._campaign_master_update_activity(kind, alert, activity, user)
                    alerts[kind] = alert | {"raised": alert["level"], "user_id": user.id}
                else:
                    activity.unlink()
            if alerts != kept:
                row.alerts = alerts or False
        self._campaign_master_schedule_alerts(new)

    def _campaign_master_is_watched(self):
        row = self.campaign_master_campaign_ids
        sent_at = row.sent_at or row.seen_sent_at
        return bool(
            row.is_watched
            and self.active
            and sent_at
            and self._campaign_master_is_sent()
            and fields.Datetime.now() - sent_at <= WATCHED_FOR
        )

    def _campaign_master_find_alerts(self):
        """:return: the kinds that are beyond a limit, with ``level``, ``limit`` and the numbers
        :rtype: dict[str, dict]"""
        delivered = self.campaign_master_successful
        if delivered is False:
            delivered = self.campaign_master_delivered
        if delivered is False or delivered < ENOUGH_DELIVERED:
            return {}
        found = {}
        for kind in KINDS:
            limits = self.campaign_master_account_id._alert_limits(kind)
            numbers = limits and (
                self._campaign_master_opened_numbers()
                if kind == "opened"
                else self._campaign_master_share_of_sent(kind)
            )
            if not numbers:
                continue
            for level, limit in limits.items():
                if self._campaign_master_is_beyond(kind, numbers, limit):
                    found[kind] = numbers | {"level": level, "limit": limit}
                    break
        return found

    @api.model
    def _campaign_master_is_beyond(self, kind, numbers, limit):
        # A limit of 0.1 % is not exceeded by 0.1 %, however it is calculated.
        if kind == "opened":
            limit = numbers["median"] * limit / 100
            return float_compare(numbers["share"], limit, precision_digits=6) < 0
        return float_compare(numbers["share"], limit, precision_digits=6) > 0

    def _campaign_master_share_of_sent(self, kind):
        """:return: ``number``, ``sent`` and ``share``; ``is_all`` if the bounces include temporary
        ones. Empty if one of the figures was not reported
        :rtype: dict"""
        sent, is_all = self.campaign_master_sent, False
        if kind == "bounces":
            number = self.campaign_master_hard_bounces
            if is_all := number is False:
                number = self.campaign_master_total_bounces
        else:
            number = self[PREFIX + kind]
        if number is False or not sent:
            return {}
        return {"number": number, "sent": sent, "share": 100 * number / sent, "is_all": is_all}

    def _campaign_master_opened_numbers(self):
        """:return: ``share``, ``median``, ``campaigns`` and ``age``; empty before 24 hours, and if
        there are too few campaigns to compare with, or too few of the people on the list are
        recipients in Odoo: the share is of these
        :rtype: dict"""
        people = self._campaign_master_reactions()
        if not people or people.delivered < ENOUGH_DELIVERED:
            return {}
        compared = self._campaign_master_comparison()["opened"]
        if not compared or compared["age"] < FIRST_AGE:
            return {}
        names = ("median", "campaigns", "age")
        return {"share": compared["value"]} | {name: compared[name] for name in names}

    # === ACTIVITIES === #

    def _campaign_master_alert_user(self):
        """:return: who gets the activities: the responsible user, or the account's administrator if
        that user may not see figures"""
        return self._campaign_master_reader() or self.campaign_master_account_id._administrator()

    @api.model
    def _campaign_master_is_left(self, alert, activities):
        """:param dict activities: those that are not done
        :return: whether nobody has dealt with an alert, but its user is gone: Odoo deletes the
            activities of users who are archived or deleted"""
        activity_id = alert["activity_id"]
        return (
            activity_id
            and activity_id not in activities
            and not self.env["mail.activity"].browse(activity_id).exists()
            and not self.env["res.users"].browse(alert["user_id"]).exists().active
        )

    @api.model
    def _campaign_master_schedule_alerts(self, new):
        """Schedule activities. Nobody gets an email.

        :param list new: row of ``campaign.master.campaign``, kind and user
        """
        model_id = self.env["ir.model"]._get_id(self._name)
        vals_list = [
            {
                "res_model_id": model_id,
                "res_id": row.campaign_id.id,
                "automated": True,
                **self._campaign_master_activity_values(kind, row.alerts[kind]["level"], user),
            }
            for row, kind, user in new
        ]
        Activity = self.env["mail.activity"].with_context(mail_activity_quick_update=True)
        activities = Activity.create(vals_list)
        for (row, kind, _user), activity in zip(new, activities, strict=True):
            row.alerts = row.alerts | {kind: row.alerts[kind] | {"activity_id": activity.id}}

    @api.model
    def _campaign_master_activity_values(self, kind, level, user):
        """:return: values of an activity for a user. They say neither the figure nor the limit: an
        activity can be handed to anybody"""
        lang = self.env["res.lang"]._get_code(user.lang)
        self = self.with_context(lang=lang, tz=user.tz)
        return {
            "user_id": user.id,
            "summary": self._campaign_master_alert_summary(kind),
            "note": self.env._(
                "Open the campaign: it shows the figures, the people behind them, and what you can "
                "do."
            ),
            **self._campaign_master_activity_level(level),
        }

    @api.model
    def _campaign_master_alert_summary(self, kind):
        return {
            "complaints": self.env._("Check the spam complaints"),
            "bounces": self.env._("Check the bounces"),
            "unsubscribes": self.env._("Check the unsubscribes"),
            "opened": self.env._("Check the low open rate"),
        }[kind]

    @api.model
    def _campaign_master_activity_level(self, level):
        """:return: values of an activity that is due today, in the user's time zone"""
        activity_type = self.env.ref(ACTIVITY_TYPES[level], raise_if_not_found=False)
        default = self.env["mail.activity"]._default_activity_type_for_model(self._name)
        return {
            "activity_type_id": (activity_type or default).id,
            "date_deadline": fields.Date.context_today(self),
        }

    def _campaign_master_update_activity(self, kind, alert, activity, user):
        """Let an open activity follow the level, and the campaign's responsible unless somebody
        else has taken it over."""
        vals = {}
        if user.id != alert["user_id"] == activity.user_id.id:
            vals = self._campaign_master_activity_values(kind, alert["level"], user)
        elif alert["level"] != alert["raised"]:
            vals = self.with_context(tz=activity.user_id.tz)._campaign_master_activity_level(
                alert["level"]
            )
        if vals:
            activity.with_context(mail_activity_quick_update=True).write(vals)

    # === BANNER === #

    @api.depends("campaign_master_campaign_ids.alerts", "campaign_master_account_id.alerts_enabled")
    @api.depends_context("lang")
    def _compute_campaign_master_alerts(self):
        activities = self.campaign_master_campaign_ids._alert_activities()
        for campaign in self:
            alerts = campaign.campaign_master_campaign_ids.alerts or {}
            if not campaign.campaign_master_account_id.alerts_enabled:
                alerts = {}
            campaign.campaign_master_alerts = sorted(
                (
                    campaign._campaign_master_describe_alert(kind, alerts[kind])
                    for kind in KINDS
                    if kind in alerts and self._campaign_master_is_shown(alerts[kind], activities)
                ),
                key=lambda alert: alert["level"] != ALARM,
            )

    @api.model
    def _campaign_master_is_shown(self, alert, activities):
        is_open = alert["activity_id"] in activities
        return is_open or SEVERITY.index(alert["level"]) > SEVERITY.index(alert["raised"])

    def _campaign_master_describe_alert(self, kind, alert):
        """:return: ``kind``, ``level``, ``text``, ``advice``
        :rtype: dict"""
        values = {
            name: format_percent(self.env, alert[name])
            for name in ("share", "median", "limit")
            if name in alert
        }
        for name in ("number", "sent", "campaigns", "age"):
            if name in alert:
                values[name] = format_count(self.env, alert[name])
        if kind == "complaints":
            text = self.env._(
                "Spam complaints: at least %(number)s of %(sent)s emails sent (%(share)s, limit "
                "%(limit)s). Gmail does not report any to senders.",
                **values,
            )
            advice = self.env._(
                "Check where the addresses come from, make it easy to unsubscribe, and write less "
                "often to people who do not react. Gmail asks senders to stay below 0.1%, and "
                "never to reach 0.3%."
            )
        elif kind == "bounces":
            text = (
                self.env._(
                    "Bounces: %(number)s of %(sent)s emails sent (%(share)s, limit %(limit)s). "
                    "Campaign Master does not report how many are permanent.",
                    **values,
                )
                if alert["is_all"]
                else self.env._(
                    "Permanent bounces: %(number)s of %(sent)s emails sent (%(share)s, limit "
                    "%(limit)s).",
                    **values,
                )
            )
            advice = self.env._(
                "Correct or remove these addresses before the next campaign, and check where they "
                "come from."
            )
        elif kind == "unsubscribes":
            text = self.env._(
                "Unsubscribes: %(number)s of %(sent)s emails sent (%(share)s, limit %(limit)s).",
                **values,
            )
            advice = self.env._(
                "Compare subject, content and how often you write with what these people signed up "
                "for."
            )
        else:
            text = self.env._(
                "Opened by %(share)s after %(age)s hours. The median of your last %(campaigns)s "
                "campaigns at this age is %(median)s.",
                **values,
            )
            advice = self.env._(
                "Check the subject, the sender and the time of sending, and send a test to see "
                "whether it is treated as spam."
            )
        return {"kind": kind, "level": alert["level"], "text": text, "advice": advice}

    def action_campaign_master_open_alert(self, kind):
        """Open the people behind an alert.

        :param str kind: of ``KINDS``
        :rtype: dict
        """
        if kind == "opened":
            return self._campaign_master_open(self.env._("Not Opened"), NOT_OPENED)
        if kind == "complaints":
            campaign = self._campaign_master_check_access("read")
            complaints = self.env["campaign.master.optout"].search(
                [("campaign_id", "=", campaign.id), ("source", "=", "complaint")]
            )
            people = PEOPLE["opted_out"] & Domain("email", "in", complaints.mapped("email"))
            return self._campaign_master_open(self.env._("Complaints"), people)
        people = {"bounces": "bounced", "unsubscribes": "unsubscribed"}[kind]
        return self.action_campaign_master_open_people(people)

    def action_campaign_master_complete_alert(self, kind):
        """Mark the activity of an alert as done, and remove the banner for everybody.

        :param str kind: of ``KINDS``
        """
        row = self._campaign_master_check_access().campaign_master_campaign_ids
        alert = (row.alerts or {}).get(kind)
        if not alert:
            return
        if activity := row._alert_activities().get(alert["activity_id"]):
            activity.with_env(self.env).action_feedback()
        row.alerts = row.alerts | {kind: alert | {"raised": alert["level"]}}
