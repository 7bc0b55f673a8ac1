"""The databases: many partners and leads, with and without the add-on.

The people are made once for each size and kept; a run works on copies.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import template
from devtools.environment.console import Problem, say
from devtools.environment.places import locked

from .office import Office

PREFIX = "campaign_master_bench_"
WITH, WITHOUT = PREFIX + "with", PREFIX + "without"

MARKETER = "bench-marketing"
PASSWORD = "bench-marketing"
GROUPS = [
    "base.group_user",
    "base.group_partner_manager",
    "mass_mailing.group_mass_mailing_user",
    "sales_team.group_sale_salesman_all_leads",
]

# Half of the people live here: they are who a domain on the city finds.
CITY = "Bristol"

# Of each ten partners in a row one is a company, seven are its contacts, two have no company.
COMPANY = "number % 10 = 0"
PRIVATE = "number % 10 IN (8, 9)"
CONTACT = "number % 10 BETWEEN 1 AND 7"
COMPANY_OF_CONTACT = "number - number % 10 + 10"
CITY_OF = f"CASE WHEN (number - 1) / 10 % 2 = 0 THEN '{CITY}' ELSE 'Leeds' END"

# Of a hundred addresses two are missing, one is none, two are another one's, and a quarter of the
# rest has capitals. They come in no order, as they do in life and not in an index that was filled
# from left to right.
OWN_ADDRESS = """
    SUBSTR(MD5({number}::text), 1, 8) || '.' || {number} || '@'
    || SUBSTR(MD5(({number} % 4000)::text), 1, 6) || '.example'
"""
ADDRESS = f"""
    CASE WHEN number % 50 = 0 THEN NULL
         WHEN number % 100 = 7 THEN 'no address ' || number
         WHEN number % 50 = 3 THEN {OWN_ADDRESS.format(number="(number - 1)")}
         WHEN number % 4 = 1 THEN INITCAP({OWN_ADDRESS.format(number="number")})
         ELSE {OWN_ADDRESS.format(number="number")} END
"""
# Leads have numbers of their own, but one in twenty is known as a partner, too.
LEAD_NUMBER = "CASE WHEN number % 20 = 11 THEN number ELSE number + 10000000 END"

# What the people are cloned from, and what of it is not the same for all of them. `address` is
# the written one, `number` counts from 1, `base` is the id before the first.
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
SORTS_OF_PARTNERS = [
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
SORTS_OF_LEADS = [
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
# So many of the people are computed anew by the ORM, to see that the clones are as it makes them.
SAMPLE = 150
# Depends on what became of all other leads at the moment of asking.
MOVING = {"automated_probability"}


@dataclass(frozen=True)
class Size:
    """How many people there are; ``divisor`` is 1, or 10 for a quick run."""

    divisor: int = 1

    @property
    def partners(self):
        return 200_000 // self.divisor

    @property
    def leads(self):
        return 50_000 // self.divisor

    @property
    def campaign(self):
        """How many recipients a large campaign has."""
        return 100_000 // self.divisor


def make(odoo, size):
    """Make both databases anew.

    :param odoo: ``devtools.environment.odoo.Odoo``
    :param Size size: how many people
    """
    people = _people(odoo, size)
    for name in (WITH, WITHOUT):
        odoo.drop(name)
        odoo.quietly("db", "duplicate", people, name)
    complaints = odoo.install(WITH, "campaign_master")
    if complaints:
        raise Problem(f"Installing campaign_master is not without complaints:\n{complaints}")
    for name in (WITH, WITHOUT):
        Office(name).vacuum("res_partner", "crm_lead")


def remove(odoo):
    """Remove both databases; the people are kept for the next run."""
    for name in (WITH, WITHOUT):
        odoo.drop(name)


def _people(odoo, size):
    """Return the name of the database with the people; make it if it is missing."""
    depends = template._template(odoo)
    key = hashlib.sha256(depends.encode() + Path(__file__).read_bytes()).hexdigest()[:8]
    kind = f"{PREFIX}people_{size.partners}_"
    name = kind + key
    with locked(PREFIX + "people"):
        if name not in odoo.databases():
            for outdated in odoo.databases():
                if outdated.startswith(kind):
                    odoo.drop(outdated)
            say(f"Making {size.partners:,} partners and {size.leads:,} leads ...")
            building = f"{PREFIX}people_unfinished"
            odoo.drop(building)
            odoo.quietly("db", "duplicate", depends, building)
            _populate(building, size)
            odoo.quietly("db", "rename", building, name)
    return name


def _populate(database, size):
    office = Office(database)
    with office.transaction() as env:
        groups = [env.ref(name).id for name in GROUPS]
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": "Mara Marketing",
                "login": MARKETER,
                "password": PASSWORD,
                "group_ids": [(6, 0, groups)],
            }
        )
        company = env["res.partner"].create({"name": "Company", "is_company": True, "city": CITY})
        for sort in SORTS_OF_PARTNERS:
            if "parent_id" in sort[1]:
                sort[1]["parent_id"] = company.id
        _clone(env["res.partner"], SORTS_OF_PARTNERS, size.partners, "number")
        _clone(env["crm.lead"], SORTS_OF_LEADS, size.leads, LEAD_NUMBER)
        company.unlink()
    office.vacuum("res_partner", "crm_lead")
    with office.transaction() as env:
        _compare_with_orm(env["res.partner"].search([("name", "like", "_% _%")], limit=SAMPLE))
        _compare_with_orm(env["crm.lead"].search([], limit=SAMPLE))
    office.registry.clear_all_caches()
    office.close()


def _clone(model, sorts, count, number_of_address):
    """Make ``count`` records out of one of each sort, and remove those again.

    :param sorts: which numbers are of this sort (SQL), the values of the one, and what is not
        the same for its clones (SQL by column)
    """
    originals = model.create([values for _which, values, _differing in sorts])
    model.env.flush_all()
    cr = model.env.cr
    cr.execute(f"SELECT MAX(id) FROM {model._table}")
    [[base]] = cr.fetchall()
    cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [model._table]
    )
    columns = [name for [name] in cr.fetchall()]
    parts = []
    for original, (which, _values, differing) in zip(originals, sorts, strict=True):
        values = [differing.get(name, f"original.{name}") for name in columns]
        selected = ", ".join(map("{} AS {}".format, values, columns))
        parts.append(
            f"SELECT {selected} FROM numbered, {model._table} AS original"
            f" WHERE original.id = {original.id} AND {which}"
        )
    # In the order of the numbers, as people come into a database: not sort by sort.
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
    """Compare all stored computed fields that nobody may enter with what the ORM computes.

    :raise Problem: a field of a clone is not what the ORM would have stored
    """
    model = records.env[records._name]
    names = [
        name
        for name, field in model._fields.items()
        if field.store
        and field.compute
        and field.readonly
        and field.column_type
        and name not in MOVING
    ]
    stored = {record.id: {name: record[name] for name in names} for record in records}
    for name in names:
        model.env.add_to_compute(model._fields[name], records)
    for record in records:
        for name in names:
            if record[name] != stored[record.id][name]:
                raise Problem(
                    f"{name} of {record} is {stored[record.id][name]!r}; the ORM computes "
                    f"{record[name]!r}. The people in world.py do not fit this Odoo any more."
                )
