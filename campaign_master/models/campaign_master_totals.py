from odoo import fields


class Total:
    """A total of a person: not stored, but sorted and grouped like a stored field, see
    ``_field_to_sql`` of ``campaign.master.engagement.mixin``.

    Odoo would find that out by building the query three times for each field of each view: 2 of the
    12 ms that the description of a contact's views takes.
    """

    def _description_sortable(self, env):
        return True

    def _description_groupable(self, env):
        return True

    def _description_aggregator(self, env):
        return self.aggregator


class TotalInteger(Total, fields.Integer):
    """A number of a person, over all campaigns."""


class TotalDatetime(Total, fields.Datetime):
    """The first or last time of all campaigns, in UTC."""


class TotalBoolean(Total, fields.Boolean):
    """Something that is so on any campaign."""


class TotalSelection(Total, fields.Selection):
    """A word for all campaigns."""
