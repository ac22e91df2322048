"""What the workflows of a project do with its notebooks and packages."""

from __future__ import annotations

from msgspec import Struct


class CheckStep(Struct, frozen=True):
    """A step of a workflow that checks: its file's name, its command, and what lets it be passed over, if anything."""

    file: str
    command: str
    loosened: str | None


class Schedule(Struct, frozen=True):
    """A retraining that was found: the file's name and the five fields of cron."""

    file: str
    cron: str
