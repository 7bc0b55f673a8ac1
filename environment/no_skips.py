"""A pytest plugin: a test that was skipped was not run, so the run has not passed."""


def pytest_sessionfinish(session):
    """Fail the run when something was skipped."""
    if _skipped(session.config) and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    """Say why the run has failed."""
    if _skipped(config):
        terminalreporter.write_line("A skipped test fails the run.", red=True)


def _skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is not None and bool(reporter.stats.get("skipped"))
