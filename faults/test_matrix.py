"""Each call with each fault: see ``matrix.py``."""

import difflib
import logging

import pytest

from environment.places import ROOT

from . import report, table
from .matrix import ALL_CELLS, CELLS

KEPT = ROOT / "docs" / "faults.md"


@pytest.fixture(scope="module")
def outcomes():
    """What came of the cells so far, by their keys."""
    return {}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_after_the_fault_odoo_and_campaign_master_agree(cell, matrix, outcomes, caplog):
    outcomes[cell.key] = matrix.play(cell)
    report.count("cells agree")
    crashes = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert not crashes


def test_the_kept_table_is_what_came_out(outcomes, pytestconfig):
    if len(outcomes) < len(CELLS):
        return  # not all were asked for, or one has failed
    report.count("cells make no sense", len(ALL_CELLS) - len(CELLS))
    written = table.written(outcomes)
    if pytestconfig.getoption("keep"):
        KEPT.write_text(written)
    report.tell(written)
    kept = KEPT.read_text().splitlines() if KEPT.exists() else []
    difference = list(difflib.unified_diff(kept, written.splitlines(), "kept", "now", n=0))
    assert not difference, "./dev test --faults --keep writes docs/faults.md anew."
