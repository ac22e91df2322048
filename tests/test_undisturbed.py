"""Work that Python's search for garbage does not interrupt."""

from __future__ import annotations

import gc

import pytest

from nbprod import api
from nbprod.api import studying
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


@pytest.mark.parametrize("verb", [api.inspect_notebook, api.watch_notebook])
def test_the_analysis_is_such_work(verb, tmp_path, monkeypatch):
    seen = []
    planned = studying.make_plan
    monkeypatch.setattr(studying, "make_plan", lambda *given: seen.append(gc.isenabled()) or planned(*given))
    (tmp_path / "a.py").write_text("# %%\nx = 1\n")
    verb(str(tmp_path / "a.py"))
    assert seen == [False]
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    with undisturbed():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_what_the_work_leaves_is_not_searched_when_it_is_done():
    searched = []
    with undisturbed():
        left = [[number] for number in range(100_000)]
        gc.callbacks.append(lambda _, told: searched.append(told["generation"]))
    try:
        more = [[number] for number in range(100)]
    finally:
        gc.callbacks.pop()
    assert searched == []
    assert len(left) + len(more) == 100_100
    assert any(each is left[0] for each in gc.get_objects(generation=2))


def test_what_its_host_keeps_from_the_collector_stays_so():
    gc.freeze()
    try:
        kept = gc.get_freeze_count()
        with undisturbed():
            pass
        assert gc.get_freeze_count() == kept
    finally:
        gc.unfreeze()
