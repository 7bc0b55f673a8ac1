"""Each call with each fault: see ``matrix.py``."""

import logging

import pytest

from devtools.environment.places import ROOT

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


def test_the_page_has_each_cell_that_makes_sense(kept):
    if kept:
        assert kept.keys() == {cell.key for cell in CELLS}
        assert KEPT.read_text().startswith(table.INTRODUCTION)


def test_a_fault_that_another_one_represents_has_its_outcomes(kept):
    for cell in CELLS if kept else ():
        if cell.fault.like:
            represented_by = (*cell.key[:2], cell.fault.like)
            assert kept[cell.key] == kept[represented_by], cell.name


def test_the_page_is_written_when_all_cells_were_played(outcomes, kept, request):
    report.count("cells make no sense", len(ALL_CELLS) - len(CELLS))
    if kept is None and not request.config.option.keyword:
        assert len(outcomes) == len(CELLS), "A cell failed: docs/faults.md is not written."
        KEPT.write_text(table.written(outcomes))
