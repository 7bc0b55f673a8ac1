"""Runs every command that README, help and docs mention."""

import re
import shlex
import shutil

import pytest

from devtools.environment import machine, rpc, template
from devtools.environment.help import HELP
from devtools.environment.places import ROOT

from . import commands

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "devtools/benchmarks/*.md", "docs/*.md"]
NAMED = re.compile(r"\./dev ([a-z]+)([^\n]*)")
OPTION = re.compile(r"--[a-z]+")
# Commands whose options are Odoo's.
ODOO = "odoo"
CI = ".ci/run"

ONE_TEST = "devtools/environment/tests/test_environment.py::test_paths_and_options_are_separated"
FAULTS = ["test", "--faults", "--all", "--keep", "devtools/faults/test_matrix.py"]
FAULTS += ["-k", "authenticate and 500"]
BENCH = ["bench", "--quick", "--only", "adding"]
QUOTA = ["bench", "--quota", "--quick", "--seeds", "1-1"]
# Commands that end, with the fastest arguments.
ENDING = {
    "help": ["help"],
    "test FILE::NAME": ["test", ONE_TEST],
    "test -k": ["test", ONE_TEST.partition("::")[0], "-k", "are_separated"],
    "test --all": FAULTS,
    "test --keep": FAULTS,
    "lint --fix": ["lint", "--fix"],
    "pictures": ["pictures"],
    "pot": ["pot"],
    "bench": BENCH,
    "bench --quick": BENCH,
    "bench --only": BENCH,
    "bench --quota": QUOTA,
    "bench --seeds": QUOTA,
    "sandbox --help": ["sandbox", "--help"],
}
# Commands that are run by another test or by CI.
ELSEWHERE = {
    "demo": "devtools/acceptance/test_demo.py",
    "demo --check": CI,
    "lint": CI,
    "odoo": "test_odoo_starts_with_the_add_on",
    "sandbox": "test_the_sandbox_starts",
    "sandbox --port": "test_the_sandbox_starts",
    "test": CI,
    "test --acceptance": CI,
    "test --faults": CI,
}


def _mentioned():
    """Return all mentioned commands, with and without each of their options."""
    found = set()
    files = [file for pattern in DOCUMENTS for file in ROOT.glob(pattern)]
    for text in [HELP, *(file.read_text() for file in files)]:
        for name, rest in NAMED.findall(text):
            # In text, a command ends at a backquote.
            rest = rest.split("`")[0]
            found.add(name)
            if name != ODOO:
                found |= {f"{name} {option}" for option in OPTION.findall(rest)}
    return found


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of this checkout, as some commands change files."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("copy") / "checkout", symlinks=True)


def test_every_mentioned_command_is_run():
    assert sorted(_mentioned() - {*ENDING, *ELSEWHERE}) == []
    script = (ROOT / CI).read_text()
    for name, where in ELSEWHERE.items():
        if where == CI:
            assert f"step ./dev {name}\n" in script
        else:
            assert where in globals() or (ROOT / where).exists()


@pytest.mark.parametrize("line", sorted({shlex.join(one) for one in ENDING.values()}))
def test_a_command_succeeds(line, checkout):
    code, printed = commands.run(*shlex.split(line), root=checkout)
    assert code == 0, printed


def test_an_unknown_command_shows_the_known_ones():
    code, printed = commands.run("dmeo")
    assert code == 2
    assert "./dev demo" in printed


def test_the_sandbox_starts():
    port = machine.free_port(8380)
    with commands.running("sandbox", "--port", str(port)) as sandbox:
        sandbox.wait_for(f"http://127.0.0.1:{port}")
        assert rpc.answers(f"http://127.0.0.1:{port}/")
        seconds, _code = sandbox.interrupt()
        assert seconds < 10


def test_odoo_starts_with_the_add_on(odoo):
    """README's command, on a free port and a database with the add-on's dependencies."""
    database, port = "campaign_master_readme", machine.free_port(8369)
    template.copy(odoo, database)
    arguments = ["odoo", "-d", database, "-i", "campaign_master", "--http-port", str(port)]
    try:
        with commands.running(*arguments) as server:
            server.wait_for("Modules loaded.")
            url = f"http://127.0.0.1:{port}"
            assert rpc.answers(f"{url}/web/login")
            admin = rpc.Odoo(url, database, "admin", "admin")
            assert admin.reference("campaign_master.ir_cron_pull_statistics")
            seconds, _code = server.interrupt()
            assert seconds < 20
    finally:
        odoo.drop(database)
