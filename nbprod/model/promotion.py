"""What is decided when an alias of a package is moved: the gates with what they found, and the record of the move."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Outcome = Literal["passed", "failed", "unknown", "not-applicable"]
Action = Literal["promote", "refuse", "rollback"]


class Gate(Struct, frozen=True):
    """What one gate found. `blocks` says that it stops the promotion, `hint` is the way out, `numbers` what it saw."""

    name: str
    outcome: Outcome
    reason: str
    blocks: bool = False
    hint: str | None = None
    numbers: dict[str, Any] = field(default_factory=dict)


class Promotion(Struct, frozen=True):
    """One line of `promotions.jsonl`: `alias` went from version `before` to `version`, or was refused to go there.

    `why` is what a person gave as the reason, `forced` says that gates had failed.
    """

    action: Action
    alias: str
    version: int
    before: int | None
    when: str
    who: str
    why: str | None = None
    forced: bool = False
    gates: tuple[Gate, ...] = ()
