"""What the processes of one service tell each other: each writes what it has counted into a file, and adds the others'.

A process that takes the place of another one counts on from where that one's file ends, so that no counter goes back.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .metrics import Told
from .request import log

SECONDS = 1.0
"""How often the files are written: a process that is killed takes with it what it has counted since."""


class Shared:
    """The files of a service's processes in a folder; this one's number is `number`."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._path = folder / f"{number}.json"
        self._is_told = False
        before = _read(self._path)
        self._before = None if before is None else Told.of_json(before["told"]).ended()

    def main(self) -> str | None:
        """The version that the other processes answer with, None where none tells."""
        named = [told["main"] for told in self._others() if _is_alive(told["process"])]
        return named[0] if named else None

    def together(self, own: Told) -> Told:
        """What this process, those before it and all others have counted."""
        for told in self._others():
            other = Told.of_json(told["told"])
            own = own.with_(other if _is_alive(told["process"]) else other.ended())
        return own if self._before is None else own.with_(self._before)

    def write(self, own: Told, main: str) -> None:
        """Tell the others what was counted, and the version that answers; say so once where that can't be written."""
        whole = own if self._before is None else own.with_(self._before)
        text = json.dumps({"process": os.getpid(), "main": main, "told": whole.to_json()})
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            if not self._is_told:
                log(event="metrics", error=f"they are not shared with the other workers: {error}")
            self._is_told = True
        else:
            self._is_told = False

    async def keep_writing(self, told: Callable[[], tuple[Told, str]]) -> None:
        """Write what `told` gives, over and over."""
        while True:
            await asyncio.to_thread(self.write, *told())
            await asyncio.sleep(SECONDS)

    def _others(self) -> list[dict[str, Any]]:
        found = (_read(path) for path in sorted(self._folder.glob("*.json")) if path != self._path)
        return [told for told in found if told is not None]


def _read(path: Path) -> dict[str, Any] | None:
    """What a process has told; None where it has told nothing yet."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return told


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
