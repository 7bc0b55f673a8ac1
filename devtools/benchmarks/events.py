"""Odoo core's own way of hearing what recipients did: an event at a time, on ``mailing.trace``."""

from . import addon

URL = "https://wrenbarley.example/offers"
TABLES = ("mailing_trace", "link_tracker_click")


class Traces:
    """A mailing of Odoo's own that was sent to some partners.

    :param stage: where
    :param int count: to how many
    """

    def __init__(self, stage, count):
        self.office = stage.office
        with self.office.transaction() as env:
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
            self.mailing = mailing.id
            self.code = link.code
            self.traces = [(trace.id, trace.mail_mail_id_int, trace.message_id) for trace in traces]

    def restore(self):
        """Let nothing have happened yet."""
        self.office.sql(
            "UPDATE mailing_trace SET trace_status = 'sent', open_datetime = NULL,"
            " links_click_datetime = NULL, failure_type = NULL, failure_reason = NULL"
        )
        self.office.sql("DELETE FROM link_tracker_click")
        self.office.vacuum(*TABLES)

    def hear(self):
        """Let what recipients did arrive: each event is a request, and thus a transaction, of its
        own. One event each: the bounce, or the click (which says that it was opened, too), or the
        open.
        """
        for number, (trace, mail, message) in enumerate(self.traces):
            did = addon.activity("", number, 1)
            with self.office.transaction() as env:
                if did.bounced:
                    env["mailing.trace"].set_bounced(domain=[("message_id", "in", [message])])
                elif did.clicks:
                    env["link.tracker.click"].add_click(
                        self.code, ip="192.0.2.1", country_code="GB", mailing_trace_id=trace
                    )
                else:
                    env["mailing.trace"].set_opened(domain=[("mail_mail_id_int", "in", [mail])])

    def remove(self):
        """Remove the mailing and all that hangs on it."""
        self.office.sql("DELETE FROM link_tracker_click")
        with self.office.transaction() as env:
            env["mailing.mailing"].browse(self.mailing).unlink()
