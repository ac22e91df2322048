"""The gate of the contract: whoever asks the champion can ask the candidate in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbprod import versions
from nbprod.api.gates.case import Case
from nbprod.api.raw_columns import raw_columns
from nbprod.model.promotion import Gate
from nbprod.model.run import Version

NAME = "contract"
MOST = 6
WIDER = frozenset({("integer", "number"), ("category", "text"), ("text", "category")})
"""Kinds of columns, before and after, of which the second takes every value that the first takes."""

Contract = Mapping[str, Any]


def compatible(case: Case) -> Gate:
    """Passed where nothing that a caller of the champion relies on was taken away.

    Values outside of what training saw are answered and flagged under the row policy `flag`: ranges and categories that
    became narrower are then told, and stop nothing.
    """
    if case.champion is None:
        return Gate(NAME, "not-applicable", "there is no champion yet")
    before, after = _contract(case, case.champion), _contract(case, case.candidate)
    if before is None or after is None:
        number = case.champion.number if before is None else case.candidate.number
        return Gate(NAME, "unknown", f"contract.json of version {number} can't be read", blocks=True)
    narrower = tuple(_narrowed(before, after))
    refused = [text for column, text in narrower if _refuses(after, column)]
    numbers = {"breaking": [*breaking(before, after), *refused], "narrowed": [text for _, text in narrower]}
    if numbers["breaking"]:
        return Gate(
            NAME,
            "failed",
            _listed(numbers["breaking"]),
            blocks=True,
            hint="callers must change first: promote with --force --why once they have",
            numbers=numbers,
        )
    told = f"; flagged from now on: {_listed(numbers['narrowed'])}" if narrower else ""
    return Gate(NAME, "passed", f"takes what version {case.champion.number} takes{told}", numbers=numbers)


def breaking(before: Contract, after: Contract) -> Iterator[str]:
    """What a caller of `before` would stumble over."""
    old, new = _columns(before), _columns(after)
    for name, column in new.items():
        if not column.get("required", True):
            continue
        known = old.get(name)
        if known is None or not known.get("required", True):
            yield f"{name} is required now"
            continue
        kinds = known.get("kind"), column.get("kind")
        if None not in kinds and kinds[0] != kinds[1] and kinds not in WIDER:
            yield f"{name} was {kinds[0]} ({known.get('dtype')}), and is {kinds[1]} ({column.get('dtype')})"
        if _may_be_missing(known) and not _may_be_missing(column):
            yield f"{name} may not be missing any more"
    for key in ("target", "task", "serves"):
        values = before.get(key, _DEFAULTS.get(key)), after.get(key, _DEFAULTS.get(key))
        if values[0] != values[1]:
            yield f"the answer's {key} was {values[0]}, and is {values[1]}" if key != "serves" else _serving(*values)
    added = [each for each in after.get("classes") or () if each not in (before.get("classes") or ())]
    if added and before.get("classes"):
        yield f"answers may be {', '.join(map(str, added))}, which is new"
    if after.get("strict") and not before.get("strict"):
        yield "unknown fields are refused now"


def narrowed(before: Contract, after: Contract) -> Iterator[str]:
    """Columns of which training saw less than before: categories that are gone, a range that is shorter."""
    return (text for _, text in _narrowed(before, after))


def _narrowed(before: Contract, after: Contract) -> Iterator[tuple[Contract, str]]:
    old = _columns(before)
    for name, column in _columns(after).items():
        known = old.get(name)
        if known is None or not column.get("required", True):
            continue
        had, has = known.get("categories"), column.get("categories")
        if has is not None and had is not None:
            gone = [each for each in had if each not in has]
            if gone:
                yield column, f"{name} without {_listed(list(map(str, gone)))}"
        elif has is not None:
            yield column, f"{name} is a choice of {len(has)} values"
        if _is_shorter(known, column):
            was = f"was {known.get('min')} to {known.get('max')}"
            yield column, f"{name} from {column['min']} to {column['max']} ({was})"


def _refuses(contract: Contract, column: Contract) -> bool:
    """Whether values of a column that training did not see are not simply answered."""
    return bool((column.get("on_unseen") or contract.get("policy", "flag")) != "flag")


def _may_be_missing(column: Contract) -> bool:
    return bool(column.get("nullable", True)) and column.get("on_missing") != "reject"


_DEFAULTS = {"serves": "rows"}


def _serving(before: object, after: object) -> str:
    return f"it served {before}, and serves {after}"


def _is_shorter(known: Contract, column: Contract) -> bool:
    match known.get("min"), known.get("max"), column.get("min"), column.get("max"):
        case [int() | float(), int() | float(), int() | float(), int() | float()] as bounds:
            return bool(bounds[2] > bounds[0] or bounds[3] < bounds[1])
        case [str(), str(), str(), str()] as dates:
            # Dates in ISO 8601 sort as text.
            return column.get("kind") == "datetime" and (dates[2] > dates[0] or dates[3] < dates[1])
        case _:
            return False


def _columns(contract: Contract) -> dict[str, Contract]:
    target = contract.get("target")
    return {str(each["name"]): each for each in contract.get("columns", ()) if each["name"] != target}


def _contract(case: Case, version: Version) -> Contract | None:
    """The contract of a version with what its fit observed, as `tracking.model.contract` has it."""
    folder = versions.version_folder(case.target.root, case.target.name, version.number)
    static = versions.read_object(folder / "contract.json")
    if static is None:
        return None
    observed = versions.read_object(folder / "state" / "schema.json") or {}
    seen = raw_columns(static, observed)
    listed = static.get("columns") or observed.get("columns", ())
    return {**observed, **static, "columns": [{**seen.get(each["name"], {}), **each} for each in listed]}


def _listed(texts: tuple[str, ...] | list[str]) -> str:
    more = f", and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return ", ".join(texts[:MOST]) + more
