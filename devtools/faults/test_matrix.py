"""Each call with each fault: see ``cells.py`` and ``matrix.py``."""

import logging

import pytest

from devtools.environment.places import ROOT

from . import report, table
from .cells import CELLS, CELLS_OF_OTHER_DIALECTS

PAGE = ROOT / "docs" / "faults.md"


@pytest.fixture(scope="module")
def documented(pytestconfig):
    """State and key of each cell in docs/faults.md; None if the page is to be written."""
    return None if pytestconfig.getoption("keep") else table.read(PAGE.read_text())


@pytest.fixture(scope="module")
def outcomes():
    """The outcome of each cell that was played, by the cell's key."""
    return {}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_after_the_fault_odoo_and_campaign_master_agree(cell, matrix, outcomes, documented, caplog):
    outcome = outcomes[cell.key] = matrix.play(cell)
    report.count("cells agree")
    assert not [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    if documented:
        assert (outcome.state, outcome.key) == documented.get(cell.key), (
            "./dev test --faults devtools/faults/test_matrix.py --keep writes docs/faults.md."
        )


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(cell, id=cell.name, marks=[] if cell.is_sample else pytest.mark.thorough)
        for cell in CELLS_OF_OTHER_DIALECTS
    ],
)
def test_in_other_dialects_it_is_the_same(cell, matrix, outcomes, documented, caplog):
    outcome = matrix.play(cell)
    report.count("cells in other dialects")
    assert not [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    expected = documented and documented.get(cell.key)
    if cell.key in outcomes:
        expected = outcomes[cell.key].state, outcomes[cell.key].key
    assert expected in (None, (outcome.state, outcome.key))


def test_the_page_has_every_cell(documented):
    if documented:
        assert documented.keys() == {cell.key for cell in CELLS}
        assert PAGE.read_text().startswith(table.INTRODUCTION)


def test_the_page_is_written_when_all_cells_were_played(outcomes, documented, request):
    if documented is None and not request.config.option.keyword:
        assert len(outcomes) == len(CELLS), "A cell failed: docs/faults.md is not written."
        PAGE.write_text(table.write(outcomes))
