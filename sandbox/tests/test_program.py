"""``python -m sandbox``: command line and state file."""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .caller import Caller, addresses

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def program(*arguments):
    """Run the sandbox in a process; yield the process and the address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--user", "ann:secret of ann", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_everything_survives_a_restart_with_a_state_file(tmp_path, end):
    state = tmp_path / "state"
    with program("--state", state) as (process, url):
        ann = Caller(url)
        ann.login("ann", "secret of ann")
        campaign, list_id = ann.campaign(), ann.list(*addresses(300))
        ann.send(campaign, list_id, minutes=60 * 24, minutesAgo=60 * 12)
        before = ann.state()
        process.send_signal(end)
        process.wait(10)
    with program("--state", state) as (process, url):
        ann.url = url
        assert ann.get("/lists").status_code == 200, "the token is still valid"
        after = ann.state()
        for part in ("templates", "lists", "accounts"):
            skipped = {"usage", "suppressed"}
            assert [{k: v for k, v in one.items() if k not in skipped} for one in after[part]] == [
                {k: v for k, v in one.items() if k not in skipped} for one in before[part]
            ]
        assert after["accounts"][0]["usage"]["month"] == before["accounts"][0]["usage"]["month"] + 1
        old, new = before["campaigns"][0]["statistics"], after["campaigns"][0]["statistics"]
        assert all(new[name] >= old[name] for name in old)
        assert ann.list() > list_id
        ann.close()


def test_the_command_line_sets_limits_and_delay():
    with program("--hour-limit", 7, "--month-limit", 9, "--delay", 50) as (_process, url):
        ann = Caller(url)
        ann.login("ann", "secret of ann")
        response = ann.get("/lists")
        assert response.headers["x-rate-limit-limit"] == "7"
        assert response.elapsed.total_seconds() >= 0.05
        assert ann.state()["settings"]["monthLimit"] == 9
        ann.close()


def test_the_command_line_sets_the_dialect():
    forms = "login=headers,clientId=true,prefix=/api/v1,recipients=1,zone=false"
    with program("--dialect", forms) as (_process, url):
        ann = Caller(url)
        dialect = ann.state()["dialect"]
        assert (dialect["login"], dialect["prefix"]) == ("headers", "/api/v1")
        assert (dialect["clientId"], dialect["zone"], dialect["recipients"]) == (True, False, 1)
        ann.close()


@pytest.mark.parametrize("forms", ["zone", "zone=maybe", "accent=none"])
def test_the_command_line_refuses_an_unknown_dialect(forms):
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--dialect", forms],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_state_file_of_another_version_is_refused_without_a_traceback(tmp_path):
    import sqlite3

    state = tmp_path / "state"
    with contextlib.closing(sqlite3.connect(state)) as database:
        database.execute("PRAGMA user_version = 99")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--state", state],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert "another version" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_imports_nothing_from_the_add_on():
    for file in (ROOT / "sandbox").glob("*.py"):
        assert "campaign_master" not in file.read_text().replace("campaign_master_", ""), file
