"""What to do first: the next steps of all items that are open, put together and ordered by what they bring."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from shlex import quote

from msgspec import Struct

from nbprod.model.readiness import ActionKind, State, Told
from nbprod.readiness.check import Check

OPEN = (State.CONTRADICTED, State.STALE, State.MISSING)
_ORDER = (
    ActionKind.OPEN_CELL,
    ActionKind.PLAN,
    ActionKind.TAG,
    ActionKind.RUN,
    ActionKind.EXPORT,
    ActionKind.DECLARE,
    ActionKind.GATHER,
)
"""Among steps that bring as much: what others rest on comes first."""
_FIRST = (ActionKind.PLAN, ActionKind.TAG, ActionKind.RUN, ActionKind.EXPORT)


class NextStep(Struct, frozen=True):
    """One thing to do, in words, the items that it is for, and how many of these block going to production."""

    text: str
    items: tuple[str, ...]
    blocking: int


def next_steps(checks: Sequence[Check], told: Mapping[str, Told], notebook: str, name: str) -> tuple[NextStep, ...]:
    """The steps, the one that brings most first; one that others rest on stands before them."""
    groups: dict[tuple[object, ...], list[Check]] = {}
    kinds = {_kind(told[check.id]) for check in checks if told[check.id].state in OPEN}
    for check in checks:
        each = told[check.id]
        if each.state in OPEN:
            groups.setdefault(_key(each, check, kinds), []).append(check)
    made = [(_weight(key, group, told), _step(key, group, told, notebook, name)) for key, group in groups.items()]
    return tuple(step for _, step in sorted(made, key=lambda pair: pair[0]))


def _kind(told: Told) -> ActionKind | None:
    return None if told.action is None else told.action.kind


def _key(told: Told, check: Check, kinds: Collection[ActionKind | None]) -> tuple[object, ...]:
    """What puts steps together: without a plan nothing can be run; a run exports as well, once the cells have roles."""
    action, evidence = told.action, told.evidence
    if action is None:
        return ("", check.id)
    if action.kind is ActionKind.OPEN_CELL:
        return (action.kind, action.cell, check.id)
    if action.kind is ActionKind.WAIT:
        return (action.kind, evidence)
    if ActionKind.PLAN in kinds:
        return (ActionKind.PLAN,) if action.kind in (*_FIRST, ActionKind.GATHER) else (action.kind,)
    if action.kind in _FIRST:
        return (next(kind for kind in _FIRST if kind in kinds),)
    return (action.kind,)


def _weight(key: tuple[object, ...], group: Sequence[Check], told: Mapping[str, Told]) -> tuple[float, ...]:
    """Ascending: contradictions of blocking items, what others rest on, then by points; last what has to wait."""
    refuted = any(check.blocking and told[check.id].state is State.CONTRADICTED for check in group)
    rank = _ORDER.index(ActionKind(str(key[0]))) if key[0] in _ORDER else len(_ORDER)
    worth = sum(2 if check.blocking else 1 for check in group)
    is_first = key[0] in _FIRST
    return (not refuted, key[0] is ActionKind.WAIT, not is_first, -worth, rank)


def _step(
    key: tuple[object, ...], group: Sequence[Check], told: Mapping[str, Told], notebook: str, name: str
) -> NextStep:
    items = tuple(check.id for check in group)
    return NextStep(_text(key, group, told, quote(notebook), name), items, sum(check.blocking for check in group))


def _text(key: tuple[object, ...], group: Sequence[Check], told: Mapping[str, Told], notebook: str, name: str) -> str:
    first = told[group[0].id]
    match key[0]:
        case ActionKind.PLAN:
            reason = next(told[check.id].evidence for check in group if _kind(told[check.id]) is ActionKind.PLAN)
            return f"{reason} (nbprod export {notebook} says where)"
        case ActionKind.TAG:
            return f"nbprod tag {notebook} --apply && nbprod run {notebook}"
        case ActionKind.RUN:
            return f"nbprod run {notebook}"
        case ActionKind.EXPORT:
            return f"nbprod export {notebook}"
        case ActionKind.GATHER:
            return f"nbprod readiness {notebook} --gather"
        case ActionKind.DECLARE:
            return f"nbprod readiness {notebook} --interview"
        case ActionKind.WORKFLOW:
            return "nbprod init --github"
        case ActionKind.WAIT:
            return first.evidence
        case ActionKind.OPEN_CELL:
            return f"look at {first.evidence}" if first.evidence.startswith("cell") else first.evidence
        case _:
            meant = {"NOTEBOOK": notebook, "NAME": name}
            return re.sub("NOTEBOOK|NAME", lambda found: meant[found[0]], group[0].step)
