import logging

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

MAX_TRIES = 5


def commit_with_retry(env, function, *args):
    """Store the result of an API call: run a function and commit.

    An API call cannot be undone or repeated for free, so its result must not be lost because
    another transaction changed the same rows at the same time: then everything is rolled back and
    the function runs again. Call it at the start of a transaction.

    :param function: called with ``args``; writes to the database only
    :return: what the function returns
    :raise psycopg2.OperationalError: after five conflicts in a row, rolled back
    """
    for remaining in reversed(range(MAX_TRIES)):
        try:
            result = function(*args)
            env.cr.commit()
            return result
        except Exception as error:
            env.cr.rollback()
            if not remaining or not _is_concurrent_update(error):
                raise
            _logger.info("%s: concurrent update, trying again", function.__qualname__)
    return None


def _is_concurrent_update(error):
    """:return: whether it is one, or was raised because of one: automation rules wrap it"""
    while error:
        if isinstance(error, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            return True
        error = error.__cause__ or error.__context__
    return False
