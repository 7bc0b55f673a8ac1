import json

from odoo import api, fields, models
from odoo.tools import SQL


class CampaignMasterCatalog(models.AbstractModel):
    """Something that is created in Campaign Master and selected in Odoo."""

    _name = "campaign.master.catalog"
    _description = "Campaign Master Catalog Entry"
    _order = "name, id"

    name = fields.Char(required=True, readonly=True)
    ref = fields.Char(
        string="External ID", required=True, readonly=True, help="ID in Campaign Master."
    )
    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, index=True, ondelete="cascade"
    )
    active = fields.Boolean(
        default=True, readonly=True, help="Archived when deleted in Campaign Master."
    )

    _unique_ref = models.Constraint(
        "UNIQUE(account_id, ref)", "The external ID must be unique per account."
    )

    @api.model
    def _synchronize(self, account, entries):
        """Create, update and archive records so that they match Campaign Master's.

        In SQL with ON CONFLICT, because two workers may do it at the same time.

        :param account: ``campaign.master.account``
        :param entries: ``client.Template`` or ``client.RecipientList`` objects: all of them
        """
        self.flush_model()
        columns = self._entry_columns()
        rows = {entry.ref: self._entry_values(entry) for entry in entries}
        names = [SQL.identifier(name) for name in columns]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s AS entry (account_id, active, create_uid, write_uid,
                                                create_date, write_date, %(names)s)
                SELECT %(account)s, TRUE, %(uid)s, %(uid)s, now() AT TIME ZONE 'UTC',
                       now() AT TIME ZONE 'UTC', %(names)s
                  FROM json_to_recordset(%(rows)s) AS row(%(types)s)
                 ORDER BY ref
                ON CONFLICT (account_id, ref) DO UPDATE
                   SET active = TRUE, write_date = EXCLUDED.write_date, %(changes)s
                 WHERE (entry.active, %(olds)s) IS DISTINCT FROM (TRUE, %(news)s)
                """,
                table=SQL.identifier(self._table),
                account=account.id,
                uid=self.env.uid,
                names=SQL(", ").join(names),
                rows=json.dumps(list(rows.values())),
                types=SQL(", ").join(
                    SQL("%s %s", name, SQL(kind))
                    for name, kind in zip(names, columns.values(), strict=True)
                ),
                changes=SQL(", ").join(SQL("%s = EXCLUDED.%s", name, name) for name in names),
                olds=SQL(", ").join(SQL("entry.%s", name) for name in names),
                news=SQL(", ").join(SQL("EXCLUDED.%s", name) for name in names),
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s SET active = FALSE
                 WHERE account_id = %(account)s AND active AND NOT (ref = ANY(%(refs)s::text[]))
                """,
                table=SQL.identifier(self._table),
                account=account.id,
                refs=list(rows),
            )
        )
        self.invalidate_model()

    @api.model
    def _entry_columns(self):
        """:return: the columns of an entry with their PostgreSQL types"""
        return {"ref": "text", "name": "text"}

    @api.model
    def _entry_values(self, entry):
        """:return: the values of these columns"""
        return {"ref": entry.ref, "name": entry.name}
