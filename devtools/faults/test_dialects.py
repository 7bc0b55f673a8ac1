"""The whole journey, from the login to the figures, in other forms of the API."""

import logging

import pytest

from . import report
from .dialects import journeys

ALWAYS = ("mix 1", "mix 2")


@pytest.mark.parametrize(
    "dialect",
    [
        pytest.param(dialect, id=name, marks=[] if name in ALWAYS else pytest.mark.thorough)
        for name, dialect in journeys().items()
    ],
)
def test_odoo_and_campaign_master_agree_whatever_it_speaks(dialect, matrix, caplog):
    matrix.travel(dialect)
    report.count("journeys in other dialects")
    assert not [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
