"""Items of the checklist for production: their states, and the evidence that a check has left."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class State(StrEnum):
    """How an item of the checklist stands. Only `proved` rests on evidence of a machine that is still fresh."""

    PROVED = "proved"
    DECLARED = "declared"
    CONTRADICTED = "contradicted"
    STALE = "stale"
    MISSING = "missing"
    NOT_APPLICABLE = "not-applicable"


class ActionKind(StrEnum):
    """What a person can do about an item of the checklist."""

    EXPORT = "export"
    RUN = "run"
    DECLARE = "declare"
    OPEN_CELL = "open-cell"
    TAG = "tag"
    PLAN = "plan"
    WORKFLOW = "workflow"
    GATHER = "gather"
    WAIT = "wait"


class Action(Struct, frozen=True):
    """The next step of an item: `cell` is the code cell to open, `key` what to declare in the configuration."""

    kind: ActionKind
    cell: int | None = None
    key: str | None = None


class Told(Struct, frozen=True):
    """What can be told of an item. `contradicts` is what the evidence speaks against, where it does."""

    state: State
    evidence: str
    contradicts: str | None = None
    action: Action | None = None


class Standing(Struct, frozen=True):
    """How the checklist stood when its evidence was gathered last for a version; `score` in 0…1, `when` in UTC."""

    version: int | None
    when: str
    score: float
    proved: int
    open: int
    blockers: int


class Evidence(Struct, frozen=True):
    """What a check that takes time has seen of an item.

    `held` is None where it could not be tried, which `text` explains. `inputs` are the hashes, by name, of all that it
    was made from: it is stale as soon as one of them is another. `tool` is the version of nbprod, `when` a time in UTC.
    """

    item: str
    held: bool | None
    text: str
    inputs: dict[str, str]
    tool: str
    when: str
    contradicts: str | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
