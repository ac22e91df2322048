"""Work that Python's search for garbage does not interrupt."""

from __future__ import annotations

import gc

import pytest

from nbprod.undisturbed import undisturbed


@pytest.fixture(autouse=True)
def _collector_on():
    gc.enable()
    yield
    gc.enable()


def test_the_collector_waits_and_goes_on():
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_waits_for_the_last_of_works_that_overlap():
    first, second = undisturbed(), undisturbed()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_it_goes_on_after_work_that_fails():
    with pytest.raises(ValueError, match="work"), undisturbed():
        raise ValueError("work")
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    with undisturbed():
        assert not gc.isenabled()
    assert not gc.isenabled()
