"""The matrix can fail: with one precaution of the add-on taken out, it does.

Each test takes one out and plays the cells that it is there for; three at least must fail. What is
patched is the add-on's inside, so that a change there may mean a change here.
"""

from unittest.mock import patch

import pytest

from odoo.addons.campaign_master.client import CampaignMasterClient
from odoo.addons.campaign_master.client.session import Session
from odoo.addons.campaign_master.models.campaign_master_sync import CampaignMasterSync
from odoo.addons.campaign_master.models.utm_campaign_pull import OVERLAP, UtmCampaign
from odoo.addons.campaign_master.tools import to_odoo

from . import report
from .matrix import CELLS, Disagreement

ENOUGH = 3


@pytest.fixture
def failures(matrix):
    """A function that plays cells, and returns the names of those that fail."""

    def play(without, choose):
        chosen = [cell for cell in CELLS if choose(cell)]
        failed = []
        for cell in chosen:
            try:
                matrix.play(cell)
            except Disagreement:
                failed.append(cell.name)
        report.count("cells fail when a precaution is taken out", len(failed))
        report.tell(f"Without {without}, {len(failed)} of {len(chosen)} cells fail.")
        return failed

    return play


@pytest.mark.thorough
def test_it_fails_when_a_campaign_is_created_without_looking_for_it(failures):
    with patch.object(CampaignMasterClient, "find_campaign", lambda client, reference: None):
        failed = failures(
            "looking for a campaign by its reference",
            lambda cell: cell.call.name == "POST /campaigns",
        )
    assert len(failed) >= ENOUGH


def test_it_fails_when_nobody_remembers_whose_answer_was_lost(failures):
    push = CampaignMasterSync._push_batch

    def forget(sync, *args):
        sync.write({"asked_after_id": 0, "asked_upto_id": 0})
        return push(sync, *args)

    with patch.object(CampaignMasterSync, "_push_batch", forget):
        failed = failures(
            "remembering for whom no answer came",
            lambda cell: cell.call.name == "POST /lists/ID/recipients",
        )
    assert len(failed) >= ENOUGH


@pytest.mark.thorough
def test_it_fails_when_a_token_that_has_ended_is_not_renewed(failures):
    renew = Session._renew

    def keep(session, refused):
        return refused or renew(session, refused)

    with patch.object(Session, "_renew", keep):
        failed = failures("renewing the token", lambda cell: cell.fault.name == "401")
    assert len(failed) >= ENOUGH


@pytest.mark.thorough
def test_it_fails_when_since_moves_before_the_last_page(failures):
    take = UtmCampaign._campaign_master_take_activity

    def hurry(campaign, page):
        step = take(campaign, page)
        campaign.campaign_master_activity_since = to_odoo(page.as_of) - OVERLAP
        return step

    with patch.object(UtmCampaign, "_campaign_master_take_activity", hurry):
        failed = failures(
            "keeping “since” until the last page",
            lambda cell: cell.call.name.endswith("/activity") and cell.call.purpose == "pull",
        )
    assert len(failed) >= ENOUGH
