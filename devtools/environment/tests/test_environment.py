"""Tests of ./dev that download nothing."""

import datetime
import os
import socket
import subprocess
import sys
from collections import Counter

import pytest

from devtools.environment import demo_year, machine, people, pot, readers
from devtools.environment.odoo import logged_warnings
from devtools.environment.places import HERE, ROOT
from devtools.environment.tests_run import _split_args
from sandbox.stories import STORIES

SHOP = "campaign_master/static/description/index.html"

LOG = """\
2026-11-23 23:14:55,943 7085 INFO db odoo.modules.loading: 28 modules loaded
2026-11-23 23:14:55,944 7085 WARNING db odoo.fields: the field x is odd
  as its traceback shows
2026-11-23 23:14:55,945 7085 INFO db odoo.modules.registry: not a WARNING
2026-11-23 23:14:55,946 7085 ERROR ? odoo.sql_db: bad query
"""


def test_logged_warnings_include_errors_and_tracebacks():
    found = logged_warnings(LOG).splitlines()
    assert [line.split()[-1] for line in found] == ["odd", "shows", "query"]


def test_a_clean_log_has_no_warnings():
    assert logged_warnings("2026-11-23 23:14:55,943 7085 INFO db odoo: done\n") == ""


def test_terms_are_compared_without_dates_and_locations():
    old = '#: a.py:1\nmsgid ""\nmsgstr "Date: 1"\n\nmsgid "Yes"\nmsgstr ""\n'
    new = '#: b.py:9\nmsgid ""\nmsgstr "Date: 2"\n\nmsgid ""\n"Ye"\n"s"\nmsgstr ""\n'
    assert pot._terms(old) == pot._terms(new) == {"Yes"}


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("def test_it(): pass", 0),
        ("import pytest\ndef test_it(): pytest.skip('no')", 1),
        ("import pytest\npytest.importorskip('no_such_module')", 1),
    ],
)
def test_a_skipped_test_fails_the_run(tmp_path, test, code):
    (tmp_path / "test_it.py").write_text(test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:odoo",
        "-p",
        "devtools.environment.no_skips",
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([*command, tmp_path], env=environ, stdout=subprocess.PIPE, text=True)
    assert run.returncode == code
    assert ("Skipped tests fail the run." in run.stdout) == bool(code)


def test_a_port_in_use_is_skipped(capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert machine.free_port(port) > port
    assert f"Port {port} is in use" in capsys.readouterr().out


def test_paths_and_options_are_separated(monkeypatch):
    monkeypatch.chdir(ROOT / "devtools" / "environment")
    named = "devtools/environment/tests/test_environment.py::test_it"
    assert _split_args([named, "-k", "word"]) == ([named], ["-k", "word"])
    assert _split_args(["tests", "-x"]) == (["devtools/environment/tests"], ["-x"])


def test_missing_debian_packages_are_listed_first(tmp_path):
    """Without root and sudo, there is a clear message, and apt-get is not called."""
    programs = {
        "dpkg-query": "exit 1",
        "apt-get": f"touch {tmp_path}/called",
        "id": "echo 1000",
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    run = subprocess.run(
        ["/bin/bash", HERE / "debian.sh", "chromium", "postgresql"],
        env={"PATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 1
    assert "will be installed: chromium postgresql" in run.stdout
    assert "Not root, and sudo not found" in run.stdout
    assert not (tmp_path / "called").exists()


def test_every_picture_is_small_and_shown_once():
    for page, folder in {"README.md": "docs/images", SHOP: SHOP.rpartition("/")[0]}.items():
        text = (ROOT / page).read_text()
        pictures = [*(ROOT / folder).glob("*.png")]
        assert pictures
        for picture in pictures:
            assert picture.stat().st_size <= 200_000, picture
            assert picture.name == "icon.png" or text.count(picture.name) == 1, picture


def test_people_of_the_demo_are_always_the_same_and_can_be_mailed():
    assert readers.rows() == readers.rows()
    emails = [row[4] for rows in readers.rows() for row in rows]
    assert len(emails) == len(set(emails)) > 350
    assert all(email.isascii() and email.endswith(".example") for email in emails)
    names = [row[0] for rows in readers.rows() for row in rows]
    assert len(names) == len(set(names))


def test_the_demo_shows_a_year_of_campaigns_with_different_stories():
    times = [sending.sent_at() for sending in demo_year.YEAR]
    assert len(times) == 12
    assert times == sorted(times)
    assert times[-1] - times[0] > datetime.timedelta(days=330)
    assert {sending.story for sending in demo_year.YEAR} <= {*STORIES}
    titles = [f"{sending.title}{sending.sent_at():%B}" for sending in demo_year.YEAR]
    assert len(titles) == len(set(titles))


def test_the_demo_has_missing_invalid_shared_and_mixed_case_addresses():
    emails = [row[2] for row in people.COMPANIES + people.CONTACTS + people.LEADS]
    counts = Counter(email.lower() for email in emails if email)
    assert len(emails) >= 40
    assert None in emails
    assert max(counts.values()) > 1
    assert any(email.count("@") != 1 for email in counts)
    assert any(email != email.lower() for email in emails if email)
