"""Questions of which only the newest matters."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nbprod.errors import NbprodError
from nbprod.server.latest import Latest


class Held:
    """Work that begins and then waits until it may end."""

    def __init__(self):
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.may_end.wait(30)
        return "the first"


async def asked(latest, held, *others):
    """The first question under way, and further ones that wait behind it, as tasks."""
    tasks = [asyncio.create_task(latest.ask("a.ipynb", "page", held))]
    await asyncio.to_thread(held.begun.wait, 30)
    for subject, asker, work in others:
        tasks.append(asyncio.create_task(latest.ask(subject, asker, work)))
        await asyncio.sleep(0)
    return tasks


async def test_a_question_that_waits_is_dropped_for_a_newer_one():
    held, done = Held(), []
    tasks = await asked(
        Latest(), held, *[("a.ipynb", "page", lambda number=number: done.append(number)) for number in (2, 3, 4)]
    )
    held.may_end.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert answers[0] == "the first"
    assert [each.code for each in answers[1:3]] == ["superseded"] * 2
    assert done == [4]


async def test_another_page_is_answered_on_its_own():
    held = Held()
    tasks = await asked(Latest(), held, ("a.ipynb", "another page", lambda: "another"))
    held.may_end.set()
    assert await asyncio.gather(*tasks) == ["the first", "another"]


async def test_another_notebook_does_not_wait():
    held = Held()
    first, other = await asked(Latest(), held, ("b.ipynb", "page", lambda: "another"))
    assert await other == "another"
    assert not first.done()
    held.may_end.set()
    await first


async def test_a_failure_lets_the_next_question_through():
    latest = Latest()

    def fails():
        raise NbprodError("no", code="no")

    with pytest.raises(NbprodError):
        await latest.ask("a.ipynb", "page", fails)
    assert await latest.ask("a.ipynb", "page", lambda: 1) == 1
