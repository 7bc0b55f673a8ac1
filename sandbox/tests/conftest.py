"""A sandbox on a real socket for each test, and its users."""

import pytest

from sandbox.server import serve

from .caller import Caller


@pytest.fixture
def sandbox():
    """An empty sandbox with two users."""
    with serve(users={"ann": "secret of ann", "bob": "secret of bob"}) as running:
        yield running


@pytest.fixture
def ann(sandbox):
    """Ann, logged in."""
    caller = Caller(sandbox.url)
    caller.login("ann", "secret of ann")
    yield caller
    caller.close()


@pytest.fixture
def bob(sandbox):
    """Bob, logged in."""
    caller = Caller(sandbox.url)
    caller.login("bob", "secret of bob")
    yield caller
    caller.close()
