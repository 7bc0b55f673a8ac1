"""Each call with each fault: see ``matrix.py``."""

import logging

import pytest

from environment.places import ROOT

from . import report, table
from .matrix import ALL_CELLS, CELLS, REPRESENTATIVE

KEPT = ROOT / "docs" / "faults.md"


def pytest_generate_tests(metafunc):
    if "cell" in metafunc.fixturenames:
        cells = CELLS if metafunc.config.getoption("everything") else REPRESENTATIVE
        metafunc.parametrize("cell", cells, ids=lambda cell: cell.name)


@pytest.fixture(scope="module")
def kept(pytestconfig):
    """The documented outcome of each cell; None when the page is to be written."""
    return None if pytestconfig.getoption("keep") else table.read(KEPT.read_text())


@pytest.fixture(scope="module")
def outcomes():
    """What came of the cells so far, by their keys."""
    return {}


def test_after_the_fault_odoo_and_campaign_master_agree(cell, matrix, outcomes, kept, caplog):
    outcome = outcomes[cell.key] = matrix.play(cell)
    report.count("cells agree")
    crashes = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert not crashes
    if kept:
        assert table.as_read(outcome) == kept[cell.key], (
            "./dev test --faults --keep writes docs/faults.md."
        )


def test_the_kept_table_has_each_cell_that_makes_sense(kept):
    if kept:
        assert kept.keys() == {cell.key for cell in CELLS}


def test_the_table_is_written_when_all_cells_were_played(outcomes, kept):
    if kept is None and len(outcomes) == len(CELLS):
        KEPT.write_text(table.written(outcomes))
    report.count("cells make no sense", len(ALL_CELLS) - len(CELLS))
