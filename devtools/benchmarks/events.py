"""How Odoo core records activity: one event at a time, on ``mailing.trace``."""

from . import addon

URL = "https://wrenbarley.example/offers"
TABLES = ("mailing_trace", "link_tracker_click")


class MailingTraces:
    """A mailing of Odoo that was sent to some partners.

    :param Fixture fixture: the benchmarks' database
    :param int count: number of partners
    """

    def __init__(self, fixture, count):
        self.database = fixture.database
        with self.database.transaction() as env:
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "Spring is here",
                    "mailing_model_id": env.ref("base.model_res_partner").id,
                    "body_html": f'<a href="{URL}">Offers</a>',
                }
            )
            link = env["link.tracker"].create({"url": URL, "mass_mailing_id": mailing.id})
            people = env["res.partner"].search([("email_normalized", "!=", False)], limit=count)
            traces = env["mailing.trace"].create(
                [
                    {
                        "mass_mailing_id": mailing.id,
                        "model": "res.partner",
                        "res_id": person.id,
                        "email": person.email_normalized,
                        "mail_mail_id_int": person.id,
                        "message_id": f"<{person.id}@wrenbarley.example>",
                        "trace_status": "sent",
                    }
                    for person in people
                ]
            )
            self.mailing_id = mailing.id
            self.code = link.code
            self.traces = [(trace.id, trace.mail_mail_id_int, trace.message_id) for trace in traces]

    def reset(self):
        """Remove all activity."""
        self.database.sql(
            "UPDATE mailing_trace SET trace_status = 'sent', open_datetime = NULL,"
            " links_click_datetime = NULL, failure_type = NULL, failure_reason = NULL"
        )
        self.database.sql("DELETE FROM link_tracker_click")
        self.database.vacuum(*TABLES)

    def record_events(self):
        """Record one event for each recipient: the bounce, the click (which implies an open) or the
        open. Each event is a transaction, as it is a request in production.
        """
        for number, (trace_id, mail_id, message_id) in enumerate(self.traces):
            activity = addon.activity("", number, 1)
            with self.database.transaction() as env:
                if activity.bounced:
                    env["mailing.trace"].set_bounced(domain=[("message_id", "in", [message_id])])
                elif activity.clicks:
                    env["link.tracker.click"].add_click(
                        self.code, ip="192.0.2.1", country_code="GB", mailing_trace_id=trace_id
                    )
                else:
                    env["mailing.trace"].set_opened(domain=[("mail_mail_id_int", "in", [mail_id])])

    def remove(self):
        """Delete the mailing and its activity."""
        self.database.sql("DELETE FROM link_tracker_click")
        with self.database.transaction() as env:
            env["mailing.mailing"].browse(self.mailing_id).unlink()
