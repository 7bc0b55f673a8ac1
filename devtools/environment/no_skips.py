"""A pytest plugin: skipped tests fail the run."""

import pytest


def pytest_sessionfinish(session):
    # A module that skips itself contains no tests, for which pytest has a separate exit code.
    passed = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if _skipped(session.config) and session.exitstatus in passed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if _skipped(config):
        terminalreporter.write_line("Skipped tests fail the run.", red=True)


def _skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is not None and bool(reporter.stats.get("skipped"))
