"""The benchmarks' databases: many partners and leads, with and without the add-on.

The database with the people is created once for each size and kept; a run uses copies of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import template
from devtools.environment.console import Problem, say
from devtools.environment.places import locked

from .odoo_database import OdooDatabase

PREFIX = "campaign_master_bench_"
WITH_ADDON, WITHOUT_ADDON = PREFIX + "with", PREFIX + "without"

MARKETING_USER = "bench-marketing"
PASSWORD = "bench-marketing"
GROUPS = [
    "base.group_user",
    "base.group_partner_manager",
    "mass_mailing.group_mass_mailing_user",
    "sales_team.group_sale_salesman_all_leads",
]

# Half of the people live in this city, so that a domain selects them.
CITY = "Bristol"

# Of ten partners, one is a company, seven are its contacts, and two have no company.
COMPANY = "number % 10 = 0"
PRIVATE = "number % 10 IN (8, 9)"
CONTACT = "number % 10 BETWEEN 1 AND 7"
COMPANY_OF_CONTACT = "number - number % 10 + 10"
CITY_OF = f"CASE WHEN (number - 1) / 10 % 2 = 0 THEN '{CITY}' ELSE 'Leeds' END"

# Of 100 addresses, two are missing, one is invalid, two belong to another person, too, and a
# quarter of the others has capital letters. Their order is random, as in real databases.
UNIQUE_ADDRESS = """
    SUBSTR(MD5({number}::text), 1, 8) || '.' || {number} || '@'
    || SUBSTR(MD5(({number} % 4000)::text), 1, 6) || '.example'
"""
ADDRESS = f"""
    CASE WHEN number % 50 = 0 THEN NULL
         WHEN number % 100 = 7 THEN 'no address ' || number
         WHEN number % 50 = 3 THEN {UNIQUE_ADDRESS.format(number="(number - 1)")}
         WHEN number % 4 = 1 THEN INITCAP({UNIQUE_ADDRESS.format(number="number")})
         ELSE {UNIQUE_ADDRESS.format(number="number")} END
"""
# One lead in twenty has the address of a partner.
LEAD_NUMBER = "CASE WHEN number % 20 = 11 THEN number ELSE number + 10000000 END"

# The SQL values of clones that differ from the original. `number` counts from 1, `base` is the id
# before the first clone, `address` is the address as entered.
EMAIL_NORMALIZED = "CASE WHEN address LIKE '%@%' THEN LOWER(address) END"
PARTNER = {
    "id": "base + number",
    "name": "'Person ' || number",
    "complete_name": "'Person ' || number",
    "commercial_partner_id": "base + number",
    "city": CITY_OF,
    "email": "address",
    "email_normalized": EMAIL_NORMALIZED,
}
PARTNER_TYPES = [
    (
        COMPANY,
        {"name": "Company", "is_company": True, "city": CITY},
        {
            **PARTNER,
            "name": "'Company ' || number",
            "complete_name": "'Company ' || number",
            "commercial_company_name": "'Company ' || number",
        },
    ),
    (PRIVATE, {"name": "Person", "city": CITY}, PARTNER),
    (
        CONTACT,
        {"name": "Person", "city": CITY, "parent_id": None},
        {
            **PARTNER,
            "parent_id": f"base + {COMPANY_OF_CONTACT}",
            "commercial_partner_id": f"base + {COMPANY_OF_CONTACT}",
            "complete_name": f"'Company ' || {COMPANY_OF_CONTACT} || ', Person ' || number",
            "commercial_company_name": f"'Company ' || {COMPANY_OF_CONTACT}",
        },
    ),
]
LEAD = {
    "id": "base + number",
    "name": "'Lead ' || number",
    "contact_name": "'Person ' || number",
    "city": CITY_OF,
    "email_from": "address",
    "email_normalized": EMAIL_NORMALIZED,
    "email_domain_criterion": "'@' || SPLIT_PART(LOWER(address), '@', 2)",
    "email_state": "'correct'",
}
LEAD_TYPES = [
    (
        "address LIKE '%@%'",
        {"name": "Lead", "contact_name": "Person", "city": CITY, "email_from": "ann@x.example"},
        LEAD,
    ),
    (
        "address NOT LIKE '%@%'",
        {"name": "Lead", "contact_name": "Person", "city": CITY, "email_from": "no address"},
        {**LEAD, "email_domain_criterion": "NULL", "email_state": "'incorrect'"},
    ),
    (
        "address IS NULL",
        {"name": "Lead", "contact_name": "Person", "city": CITY},
        {**LEAD, "email_domain_criterion": "NULL", "email_state": "NULL"},
    ),
]
# For this many clones, stored computed fields are compared with what the ORM computes.
SAMPLE = 150
# It depends on all other leads.
VOLATILE_FIELDS = {"automated_probability"}


@dataclass(frozen=True)
class Size:
    """Number of people; ``divisor`` is 1, or 10 for a quick run."""

    divisor: int = 1

    @property
    def partners(self):
        return 200_000 // self.divisor

    @property
    def leads(self):
        return 50_000 // self.divisor

    @property
    def campaign(self):
        """Number of recipients of a large campaign."""
        return 100_000 // self.divisor


def create_databases(odoo, size):
    """Create both databases.

    :param odoo: ``devtools.environment.odoo.Odoo``
    :param Size size: number of people
    :raise Problem: installing the add-on logs warnings
    """
    people = _people_database(odoo, size)
    for name in (WITH_ADDON, WITHOUT_ADDON):
        odoo.drop(name)
        odoo.quietly("db", "duplicate", people, name)
    warnings = odoo.install(WITH_ADDON, "campaign_master")
    if warnings:
        raise Problem(f"Installing campaign_master logs warnings:\n{warnings}")
    for name in (WITH_ADDON, WITHOUT_ADDON):
        OdooDatabase(name).vacuum("res_partner", "crm_lead")


def drop_databases(odoo):
    """Drop both databases; the one with the people is kept for the next run."""
    for name in (WITH_ADDON, WITHOUT_ADDON):
        odoo.drop(name)


def _people_database(odoo, size):
    """Return the name of the database with the people; create it if it is missing."""
    depends = template.template_name(odoo)
    key = hashlib.sha256(depends.encode() + Path(__file__).read_bytes()).hexdigest()[:8]
    kind = f"{PREFIX}people_{size.partners}_"
    name = kind + key
    with locked(PREFIX + "people"):
        if name not in odoo.databases():
            for outdated in odoo.databases():
                if outdated.startswith(kind):
                    odoo.drop(outdated)
            say(f"Creating {size.partners:,} partners and {size.leads:,} leads ...")
            building = f"{PREFIX}people_unfinished"
            odoo.drop(building)
            odoo.quietly("db", "duplicate", depends, building)
            _populate(building, size)
            odoo.quietly("db", "rename", building, name)
    return name


def _populate(name, size):
    database = OdooDatabase(name)
    with database.transaction() as env:
        groups = [env.ref(name).id for name in GROUPS]
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": "Mara Marketing",
                "login": MARKETING_USER,
                "password": PASSWORD,
                "group_ids": [(6, 0, groups)],
            }
        )
        company = env["res.partner"].create({"name": "Company", "is_company": True, "city": CITY})
        for _condition, values, _differing in PARTNER_TYPES:
            if "parent_id" in values:
                values["parent_id"] = company.id
        _clone(env["res.partner"], PARTNER_TYPES, size.partners, "number")
        _clone(env["crm.lead"], LEAD_TYPES, size.leads, LEAD_NUMBER)
        company.unlink()
    database.vacuum("res_partner", "crm_lead")
    with database.transaction() as env:
        _compare_with_orm(env["res.partner"].search([("name", "like", "_% _%")], limit=SAMPLE))
        _compare_with_orm(env["crm.lead"].search([], limit=SAMPLE))
    database.registry.clear_all_caches()
    database.close()


def _clone(model, types, count, number_of_address):
    """Create one record of each type with the ORM, ``count`` clones by SQL, and delete the former.

    :param types: for each type, the SQL condition on the number of a clone, the values of the
        original, and the SQL values of clones that differ from it, by column
    :param str number_of_address: SQL expression for the number in a clone's address
    """
    originals = model.create([values for _condition, values, _differing in types])
    model.env.flush_all()
    cr = model.env.cr
    cr.execute(f"SELECT MAX(id) FROM {model._table}")
    [[base]] = cr.fetchall()
    cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [model._table]
    )
    columns = [name for [name] in cr.fetchall()]
    parts = []
    for original, (condition, _values, differing) in zip(originals, types, strict=True):
        values = [differing.get(name, f"original.{name}") for name in columns]
        selected = ", ".join(map("{} AS {}".format, values, columns))
        parts.append(
            f"SELECT {selected} FROM numbered, {model._table} AS original"
            f" WHERE original.id = {original.id} AND {condition}"
        )
    # Ordered by number, so that the types are mixed, as in real databases.
    cr.execute(
        f"""
        WITH numbered AS (
            SELECT number, {base} AS base, {ADDRESS.replace("number", "code")} AS address
              FROM (SELECT number, {number_of_address} AS code
                      FROM generate_series(1, {count}) AS number) AS coded
        )
        INSERT INTO {model._table} ({", ".join(columns)})
        SELECT * FROM ({" UNION ALL ".join(parts)}) AS clone ORDER BY clone.id
        """
    )
    cr.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._table, base + count])
    model.env.invalidate_all()
    originals.unlink()


def _compare_with_orm(records):
    """Compare stored, read-only computed fields with what the ORM computes.

    :raise Problem: a clone has another value than the ORM computes
    """
    model = records.env[records._name]
    names = [
        name
        for name, field in model._fields.items()
        if field.store
        and field.compute
        and field.readonly
        and field.column_type
        and name not in VOLATILE_FIELDS
    ]
    stored = {record.id: {name: record[name] for name in names} for record in records}
    for name in names:
        model.env.add_to_compute(model._fields[name], records)
    for record in records:
        for name in names:
            if record[name] != stored[record.id][name]:
                raise Problem(
                    f"{name} of {record} is {stored[record.id][name]!r}; the ORM computes "
                    f"{record[name]!r}. The clones of data.py do not fit this version of Odoo."
                )
