"""A pytest plugin: a test that was skipped was not run, so the run has not passed."""

import pytest


def pytest_sessionfinish(session):
    """Fail the run when something was skipped."""
    # A file that skips itself leaves no test behind, which pytest tells by an exit code of its own.
    fine = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if _skipped(session.config) and session.exitstatus in fine:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Say why the run has failed."""
    if _skipped(config):
        terminalreporter.write_line("A skipped test fails the run.", red=True)


def _skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is not None and bool(reporter.stats.get("skipped"))
