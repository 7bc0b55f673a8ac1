"""Four hundred more people of the demo, so that reports have something to show.

Generated, and always the same. Rows for `demo_seed.load`, with external ids.
"""

import random

FIRST_NAMES = """Aaron Ada Alice Amir Anna Arthur Bella Bridget Callum Cara Cecil Clara Conor Dana
Diego Edith Emma Esme Ewan Fiona Flora Gareth Gwen Hana Hazel Imran Ivy Jasper Joan Kieran Lara
Leon Lucy Mabel Mateo Megan Milo Nadia Niall Nina Oscar Owen Padma Pia Quinn Rhys Robin Ruth Sean
Sofia Stella Tariq Theo Ursula Vera Wilf Yara Zoe""".split()
LAST_NAMES = """Abbott Archer Baines Barlow Beck Bennett Boyle Byrne Calloway Carver Chandra Coyle
Crane Dalton Devlin Drake Eames Fallon Farrow Fenwick Flynn Garrick Gibbs Hale Harrow Hobbs Hughes
Ingram Jarvis Keane Kerr Lacey Lowry Maddox Marsh Mercer Nolan Okoro Osborne Parry Pryce Quill
Rahman Reeves Rooney Sandhu Shaw Sloane Tate Thorne Vance Walsh Whelan Yates""".split()
HOUSES = """Abbey Anchor Ashdown Bellfield Blackthorn Bridgewater Castle Cedar Cliffside Copper
Coral Crescent Drift Elm Falcon Fern Gable Harrier Hillcrest Island Juno Kestrel Lantern Larch
Lighthouse Linden Maple Meadow Mill Mulberry Northgate Oakfield Orchard Otter Pebble Quayside
Rowan Saffron Sycamore Thistle Tidal Viaduct Westbrook Wharf""".split()
TRADES = [
    # name, industry, tag
    ("Bakery", "I", "Hospitality"),
    ("Books", "G", "Shop"),
    ("Café", "I", "Hospitality"),
    ("Dental Practice", "Q", "Office"),
    ("Hotel", "I", "Hospitality"),
    ("Interiors", "F", "Trade"),
    ("Joinery", "C", "Trade"),
    ("Pharmacy", "G", "Shop"),
    ("School", "P", "Office"),
    ("Wine", "G", "Shop"),
]
TAGS = ["Hospitality", "Office", "Private", "Shop", "Trade"]
TOWNS = [
    # name, country; the home market more often
    ("Bristol", "uk"),
    ("Leeds", "uk"),
    ("Dublin", "ie"),
    ("Bath", "uk"),
    ("Cork", "ie"),
    ("Cardiff", "uk"),
    ("Lyon", "fr"),
    ("York", "uk"),
    ("Galway", "ie"),
    ("Hamburg", "de"),
    ("Utrecht", "nl"),
    ("Glasgow", "uk"),
]
PRIVATE_DOMAINS = [f"{name}.example" for name in ("inbox", "letterbox", "mailhouse", "postbag")]
SUBJECTS = ["Counter for a {}", "Shelves for a {}", "Chairs and tables, {}", "New front, {}"]
JOBS = ["Owner", "Manager", "Buyer", "Office manager", "Accounts", "Assistant"]
SALESPEOPLE = ["user_nell", "user_tom"]
TEAMS = ["sales_team.team_sales_department", "team_contracts"]
# So many people that its gateway's clicks are noticed.
LARGEST = ("Harbourside Council", "harbourside.example", 18)
PRIVATE_PEOPLE, LEADS = 48, 120

PARTNER_FIELDS = ["id", "name", "is_company", "parent_id/id", "email", "function", "city"]
PARTNER_FIELDS += ["country_id/id", "industry_id/id", "category_id/id", "user_id/id"]
LEAD_FIELDS = ["id", "name", "contact_name", "partner_name", "email_from", "city"]
LEAD_FIELDS += ["country_id/id", "user_id/id", "team_id/id"]


def rows():
    """Return rows of companies, of contacts and private people, and of leads."""
    rng = random.Random(19)
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    rng.shuffle(names)
    companies, people = [], []
    for number, (name, domain, size, industry, tag) in enumerate(_companies(rng)):
        town = _town(number)
        key = f"reader_company_{number}"
        more = [f"base.res_partner_industry_{industry}", tag, SALESPEOPLE[number % 2]]
        companies.append([key, name, "true", "", f"office@{domain}", "", *town, *more])
        people += [_person(names.pop(), domain, key, job, town, more) for job in (JOBS * 3)[:size]]
    for number in range(PRIVATE_PEOPLE):
        domain = PRIVATE_DOMAINS[number % len(PRIVATE_DOMAINS)]
        more = ["", _tag("Private"), rng.choice(SALESPEOPLE)]
        people.append(_person(names.pop(), domain, "", "", _town(number), more))
    for number, row in enumerate(people):
        row[0] = f"reader_{number}"
    return companies, people, [_lead(number, names.pop(), rng) for number in range(LEADS)]


def _companies(rng):
    """Yield name, domain, number of contacts, industry and tag."""
    for number, house in enumerate(HOUSES):
        trade, industry, tag = TRADES[number * 7 % len(TRADES)]
        name = f"{house} {trade}"
        yield name, _domain(name), rng.randint(3, 6), industry, _tag(tag)
    yield *LARGEST, "O", _tag("Office")


def _person(name, domain, parent, job, town, more):
    return ["", name, "false", parent, f"{_local(name)}@{domain}", job, *town, *more]


def _lead(number, name, rng):
    trade = rng.choice(TRADES)[0]
    company = f"{rng.choice(LAST_NAMES)} {trade}"
    subject = SUBJECTS[number % len(SUBJECTS)].format(trade.lower())
    email = f"{_local(name)}@{_domain(company)}"
    owner = [rng.choice(SALESPEOPLE), rng.choice(TEAMS)]
    return [f"reader_lead_{number}", subject, name, company, email, *_town(number), *owner]


def _town(number):
    name, country = TOWNS[number % len(TOWNS)]
    return [name, f"base.{country}"]


def _tag(name):
    return f"tag_{name.lower()}"


def _local(name):
    return name.lower().replace(" ", ".")


def _domain(name):
    return name.lower().replace(" ", "").replace("é", "e") + ".example"
