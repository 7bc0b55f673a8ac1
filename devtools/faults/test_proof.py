"""These tests can fail: with one precaution of the add-on taken out, they do.

Each precaution is taken out by a patch of the add-on's inside, so that a change there may mean a
change here. Then some cells of the matrix fail, or one of the scenarios below, which each show
what happens at one moment that the matrix does not play.
"""

from unittest.mock import patch

import pytest

from odoo.tools import SQL

from odoo.addons.campaign_master.client import CampaignMasterClient
from odoo.addons.campaign_master.client.session import Session
from odoo.addons.campaign_master.models import campaign_master_sync_push
from odoo.addons.campaign_master.models.campaign_master_campaign_statistics import (
    ACTIVITY_OVERLAP,
    CampaignMasterCampaign,
)
from odoo.addons.campaign_master.models.campaign_master_recipient_reasons import (
    CampaignMasterRecipient,
)
from odoo.addons.campaign_master.models.campaign_master_sync_push import CampaignMasterSync
from odoo.addons.campaign_master.tools import to_odoo

from . import agreement, report
from .cells import ACTIVITY, CELLS
from .matrix import Disagreement
from .scene import RECIPIENTS

# === PRECAUTIONS, TAKEN OUT === #


def without_looking_for_the_reference():
    return patch.object(CampaignMasterClient, "find_campaign", lambda client, reference: None)


def without_the_range_in_flight():
    push = CampaignMasterSync._push

    def forget(sync, *args):
        sync.write({"inflight_from_id": 0, "inflight_to_id": 0})
        return push(sync, *args)

    return patch.object(CampaignMasterSync, "_push", forget)


def without_renewing_the_token():
    renew = Session._renew
    return patch.object(
        Session, "_renew", lambda session, refused: refused or renew(session, refused)
    )


def without_keeping_since_until_the_last_page():
    store = CampaignMasterCampaign._store_activity

    def hurry(row, page):
        step = store(row, page)
        row.activity_since = to_odoo(page.as_of) - ACTIVITY_OVERLAP
        return step

    return patch.object(CampaignMasterCampaign, "_store_activity", hurry)


def without_looking_for_opt_outs():
    return patch.object(
        CampaignMasterRecipient, "_opted_out_sql", lambda _recipients, *_arguments: SQL("FALSE")
    )


def without_commit_with_retry():
    def commit(env, function, *args):
        result = function(*args)
        env.cr.commit()
        return result

    return patch.object(campaign_master_sync_push, "commit_with_retry", commit)


def without_checking_what_was_read():
    store = CampaignMasterCampaign._store_response

    def unchecked(row, response, _ref, _step, run):
        return store(row, response, row.campaign_id.campaign_master_ref, row.read_step, run)

    return patch.object(CampaignMasterCampaign, "_store_response", unchecked)


# === CELLS === #

CELLS_BY_PRECAUTION = {
    without_looking_for_the_reference: [("POST /campaigns", "response lost")],
    without_the_range_in_flight: [(RECIPIENTS, "response lost")],
    without_renewing_the_token: [("PUT /campaigns/ID", "401")],
    without_keeping_since_until_the_last_page: [
        (ACTIVITY, "no connection"),
        (ACTIVITY, "unusable response"),
    ],
}


@pytest.mark.parametrize("precaution", CELLS_BY_PRECAUTION, ids=lambda one: one.__name__)
def test_cells_fail(precaution, matrix):
    wanted = CELLS_BY_PRECAUTION[precaution]
    cells = [cell for cell in CELLS if (cell.call.name, cell.fault.name) in wanted]
    assert cells
    for cell in cells:
        with precaution(), pytest.raises(Disagreement):
            matrix.play(cell)
        report.count("cells fail without a precaution")


# === SCENARIOS === #


def somebody_unsubscribes_between_batches(matrix):
    """The address is not added."""
    scene = matrix.scene
    matrix.begin()
    matrix.interrupt(RECIPIENTS, "500")
    scene.sql(
        "INSERT INTO campaign_master_optout (account_id, email)"
        " SELECT campaign_master_account_id, 'cem@example.com' FROM utm_campaign WHERE id = %s",
        matrix.campaign,
    )
    scene.run("push_recipients")
    assert "cem@example.com" not in agreement.members(scene, matrix.campaign)


def somebody_writes_while_a_batch_is_stored(matrix):
    """The response is stored all the same: the batch is sent once."""
    scene = matrix.scene
    matrix.begin()
    store, written = CampaignMasterSync._store_batch, []

    def conflict(sync, *args):
        sync.env.cr.execute("SELECT")  # the transaction's snapshot is older than what follows
        if not written:
            written.append(True)
            scene.sql("UPDATE campaign_master_sync SET calls = calls WHERE id = %s", sync.id)
        return store(sync, *args)

    with patch.object(CampaignMasterSync, "_store_batch", conflict):
        scene.press(matrix.campaign)
        scene.run("push_recipients")
    assert scene.calls(RECIPIENTS) == 1


def somebody_refreshes_while_activity_is_read(matrix):
    """Everything that happened before the click is read."""
    scene = matrix.scene
    matrix.begin()
    scene.sandbox.post("settings", {"pageCap": 1_000})
    scene.press(matrix.campaign)
    scene.run("push_recipients")
    scene.send(matrix.campaign, matrix.list)
    read, clicked = CampaignMasterClient.activity, []

    def click(client, ref, **options):
        page = read(client, ref, **options)
        if not clicked:
            clicked.append(True)
            news = [{"email": "ann@example.com", "kind": "open"}]
            scene.sandbox.post(f"campaigns/{ref}/activity", news)
            scene.press(matrix.campaign, "refresh_statistics")
        return page

    with patch.object(CampaignMasterClient, "activity", click):
        scene.run("pull_statistics")
    matrix.compare("After a refresh")


SCENARIOS = {
    without_looking_for_opt_outs: somebody_unsubscribes_between_batches,
    without_commit_with_retry: somebody_writes_while_a_batch_is_stored,
    without_checking_what_was_read: somebody_refreshes_while_activity_is_read,
}


@pytest.mark.parametrize("precaution", SCENARIOS, ids=lambda one: one.__name__)
def test_a_scenario_succeeds_and_fails_without_its_precaution(precaution, matrix):
    scenario = SCENARIOS[precaution]
    scenario(matrix)
    with precaution(), pytest.raises(AssertionError):
        scenario(matrix)
    report.count("scenarios fail without a precaution")
