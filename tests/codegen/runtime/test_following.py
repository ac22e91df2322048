"""Which version answers, and what is said where the ledger can't tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.codegen.runtime.sheds import Sheds


@pytest.fixture(autouse=True)
def ledger(sheds: Sheds, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The ledger is looked at often, and is as it was at the end."""
    monkeypatch.setattr(sheds.following, "SECONDS", 0.01)
    monkeypatch.setattr(sheds.following, "AGAIN_SECONDS", 0.01)
    good = sheds.ledger.read_bytes()
    yield
    if sheds.ledger.is_dir():
        sheds.ledger.rmdir()
    sheds.ledger.write_bytes(good)


def followed(sheds: Sheds, steps: list[Callable[[], Any]], is_so: list[Callable[[Any], bool]]) -> Any:
    """What follows the champion, after each step once something is so of it."""
    following = sheds.following.Following(sheds.package, "champion", sheds.package.load(1))

    async def run() -> None:
        watch = asyncio.ensure_future(following._follow())
        for step, is_there in zip(steps, is_so, strict=True):
            step()
            async with asyncio.timeout(30):
                while not is_there(following):
                    await asyncio.sleep(0.01)
        watch.cancel()

    asyncio.run(run())
    return following


def point(sheds: Sheds, number: int, path: str | None = None) -> None:
    entries = [{"number": each, "aliases": ["champion"] if each == number else []} for each in (1, 2)]
    sheds.ledger.write_text(json.dumps({"versions": entries}) if path is None else path)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]


def test_an_alias_that_moved_before_the_service_began_is_followed(sheds: Sheds) -> None:
    point(sheds, 2)

    assert followed(sheds, [lambda: None], [lambda each: each.main.number == 2]).is_followed is True


@pytest.mark.parametrize(
    "take",
    [
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.write_text('{"versions": [{"num'), id="cut off"),
        pytest.param(lambda path: path.write_text("[1, 2]"), id="another text"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_told_once_and_changes_nothing(
    take: Callable[[Any], Any], sheds: Sheds, capsys: pytest.CaptureFixture[str]
) -> None:
    def put_back() -> None:
        if sheds.ledger.is_dir():
            sheds.ledger.rmdir()
        point(sheds, 2)

    troubled = [lambda: take(sheds.ledger), lambda: None, put_back]
    is_so = [
        lambda each: each.is_followed is False and each.main.number == 1,
        lambda each: each.is_followed is False,
        lambda each: each.is_followed is True,
    ]
    made = followed(sheds, troubled, is_so)

    assert made.main.number == 2
    assert said(capsys) == ["not followed", "load", "followed", "followed again"]


def test_a_version_that_cannot_be_loaded_is_told_and_tried_again(
    sheds: Sheds, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = sheds.ledger.parent / "v0002" / "state" / "fitted.json"
    good = fitted.read_text()
    try:
        steps = [lambda: (fitted.unlink(), point(sheds, 2)), lambda: fitted.write_text(good)]
        made = followed(sheds, steps, [lambda each: each.is_followed is False, lambda each: each.main.number == 2])
    finally:
        fitted.write_text(good)

    assert made.main.number == 2
    assert said(capsys)[0] == "not followed"


@pytest.mark.parametrize(
    "reference, canary, is_followed",
    [
        pytest.param(None, None, True, id="the champion, named by nobody"),
        pytest.param("challenger", None, True, id="an alias"),
        pytest.param("1", None, None, id="a number"),
        pytest.param("v0001", None, None, id="a name"),
        pytest.param("1", ("challenger", 0.5), True, id="a number beside a canary's alias"),
        pytest.param("1", ("2", 0.5), None, id="two numbers"),
    ],
)
def test_what_is_named_by_an_alias_is_followed(
    reference: str | None, canary: Any, is_followed: bool | None, sheds: Sheds
) -> None:
    pipeline = sheds.package.load(1)

    assert sheds.following.Following(sheds.package, reference, pipeline, canary=canary).is_followed is is_followed
