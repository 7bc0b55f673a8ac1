"""What the caller's transaction has written.

Buttons that call Campaign Master work in transactions of their own. These do not see what the
caller's transaction has written and not committed, and would wait in vain for it to end.
"""

WRITTEN = "campaign_master.written"


def note_written(env):
    """A campaign, its recipients or an account are being written in this transaction."""
    env.cr.postcommit.data[WRITTEN] = True


def has_written(env):
    """:return: whether :func:`note_written` was called in this transaction"""
    return env.cr.postcommit.data.get(WRITTEN, False)
