"""A deadline for a whole call: everything that extends urllib3 is in this file.

The timeouts of ``requests`` limit each wait for the *next* bytes, so a server that sends one byte
now and then could occupy a worker for hours. Here, every read from the socket, headers included,
also respects the deadline of the call.

::

    with deadline(time.monotonic() + 50):
        session.get(url)  # a session with a DeadlineAdapter; raises DeadlineError
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse

from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_call_ends = ContextVar("campaign_master_call_ends")


class DeadlineError(Exception):
    """The call took too long. Not an ``OSError``: urllib3 would wrap it in an error of its own."""


@contextmanager
def deadline(moment: float) -> Iterator[None]:
    """Set the deadline of all reads in this thread.

    :param moment: on the clock of ``time.monotonic()``
    :raise DeadlineError: by a read after that moment
    """
    token = _call_ends.set(moment)
    try:
        yield
    finally:
        _call_ends.reset(token)


class DeadlineAdapter(HTTPAdapter):
    """An adapter of ``requests`` whose connections respect :func:`deadline`. It sends each request
    once: :mod:`~.session` decides what to repeat.

    :param timeout: seconds, as in ``requests``. It is set here and not in each call, because Odoo's
        test cases do not support a pair there
    """

    def __init__(self, timeout: float | tuple[float, float]):
        super().__init__()
        self._timeout = timeout

    def send(self, request, stream=False, timeout=None, **kwargs):
        timeout = self._timeout if timeout is None else timeout
        return super().send(request, stream=stream, timeout=timeout, **kwargs)

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        _use_deadline_pools(self.poolmanager)
        return result

    def proxy_manager_for(self, *args, **kwargs):
        return _use_deadline_pools(super().proxy_manager_for(*args, **kwargs))


class _DeadlineReader(io.RawIOBase):
    """The raw side of a socket's file. No read waits beyond the deadline."""

    def __init__(self, raw, sock):
        self._raw = raw
        self._sock = sock
        self._timeout = sock.gettimeout()

    def readable(self):
        return True

    def readinto(self, buffer):
        left = _call_ends.get() - time.monotonic()
        if left <= 0:
            raise DeadlineError
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        return super().close()


class _DeadlineResponse(HTTPResponse):
    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _HTTPPool(HTTPConnectionPool):
    class ConnectionCls(HTTPConnectionPool.ConnectionCls):
        response_class = _DeadlineResponse


class _HTTPSPool(HTTPSConnectionPool):
    class ConnectionCls(HTTPSConnectionPool.ConnectionCls):
        response_class = _DeadlineResponse


def _use_deadline_pools(manager):
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager
