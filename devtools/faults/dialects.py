"""The dialects that Campaign Master speaks in these tests; see ``sandbox/dialect.py``."""

import random

from sandbox.dialect import CLIENT, other_forms

DOCUMENTED = "documented"
DIALECTS = {
    DOCUMENTED: {},
    # As the company's older products speak.
    "older": {
        "login": "headers",
        "clientId": True,
        "prefix": "/api/v1",
        "letterCase": "pascal",
        "numbers": "strings",
        "zone": False,
        "pages": "bare",
        "asOf": False,
        "recipients": 1,
    },
    # What else is tolerated.
    "other": {
        "login": "body",
        "letterCase": "upper",
        "numbers": "floats",
        "pages": "flag",
        "fewMembers": True,
    },
}
MIXES = 30
SEED = 19


def journeys():
    """:return: dialects with one other form each, and random mixes, by their names"""
    each = [{form: value} for form, values in other_forms().items() for value in values]
    chance = random.Random(SEED)
    mixes = [
        {
            form: chance.choice(values)
            for form, values in other_forms().items()
            if chance.random() < 0.5
        }
        for _mix in range(MIXES)
    ]
    named = {f"mix {number}": mix for number, mix in enumerate(mixes, 1)}
    return named | {f"{form}={value}": one for one in each for form, value in one.items()}


def login(dialect):
    """:return: what an account needs for a dialect, besides username and password"""
    return dict(CLIENT) if dialect.get("clientId") else {}
