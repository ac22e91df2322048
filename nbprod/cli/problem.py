"""One problem at a place, whatever verb found it: what text, SARIF and GitHub annotations are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbprod.errors import NbprodError
from nbprod.model.finding import Divergence


class Note(Struct, frozen=True):
    """Another place that belongs to a problem."""

    cell: int
    line: int
    message: str


class Problem(Struct, frozen=True):
    """A finding, refusal, divergence or error; `cell` is None where it concerns the file as a whole.

    `was` is the text that stood there when the package was exported.
    """

    path: str
    rule: str
    severity: str
    message: str
    cell: int | None = None
    cell_id: str = ""
    line: int = 1
    end_line: int = 1
    hint: str | None = None
    related: tuple[Note, ...] = ()
    was: str | None = None

    @property
    def told(self) -> str:
        """The message with all that belongs to it, for tools that show one text."""
        parts = [self.message, f"was: {self.was}" if self.was else None, self.hint]
        return "\n".join(part for part in parts if part)


def from_finding(path: str, finding: Mapping[str, Any]) -> Problem:
    """A finding of `inspect` or `check`."""
    return Problem(
        path,
        finding["rule"],
        finding["severity"],
        finding["message"],
        finding["cell"],
        finding["cell_id"],
        finding["line"],
        finding["end_line"],
        finding["hint"],
        tuple(Note(each["cell"], each["line"], each["message"]) for each in finding["related"]),
    )


def from_refusal(path: str, refusal: Mapping[str, Any]) -> Problem:
    """What the plan refuses."""
    return Problem(
        path,
        "not-servable",
        "error",
        f"{refusal['construct']}: {refusal['reason']}",
        refusal["cell"],
        line=refusal["line"],
        end_line=refusal["line"],
        hint=refusal["hint"],
    )


def from_unchecked(path: str, report: Mapping[str, Any]) -> Iterator[Problem]:
    """What could not be checked, as a file is not here."""
    for each in report["unchecked"]:
        yield Problem(
            path, "missing-data", "info", each["reason"], each["cell"], each["cell_id"], each["line"], each["line"]
        )


_NAMED_IN_THE_SENTENCE = frozenset({"target", "model", "hand-edited"})
_OF_FEATURES = frozenset({"changed", "added", "removed"})


def from_divergences(
    path: str, divergences: Iterable[Mapping[str, Any]], package: str | None, *, rule: str = "divergence"
) -> Iterator[Problem]:
    """What is not as it was exported: one problem for all features that one change of the notebook touches."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for each in divergences:
        alone = each["kind"] not in _OF_FEATURES or each["feature"].startswith("(")
        key = tuple(each[name] for name in ("kind", "cell", "line", "before", "after", *(["feature"] if alone else [])))
        groups.setdefault(key, []).append(each)
    for group in groups.values():
        first = group[0]
        what = sentence(first) if len(group) == 1 else _features(group)
        yield Problem(
            path,
            rule,
            "error",
            f"{what} since {package}" if package else what,
            first["cell"] if first["cell"] >= 0 else None,
            first["cell_id"],
            max(1, first["line"]),
            max(1, first["line"]),
            "export again to follow the notebook: nbprod run proves the new version",
            was=None if first["kind"] in _NAMED_IN_THE_SENTENCE else first["before"].strip(),
        )


def _features(group: Sequence[Mapping[str, Any]]) -> str:
    names = [f'"{each["feature"]}"' for each in group]
    return f"features {', '.join(names[:-1])} and {names[-1]} {group[0]['kind']}"


def sentence(divergence: Mapping[str, Any]) -> str:
    """What differs, such as `feature "Age" changed`."""
    from nbprod.divergence import describe

    return describe(Divergence(**{**divergence, "cell": -1}))


def from_error(path: str, error: NbprodError) -> Problem:
    """The error that stopped the work on one notebook."""
    where = error.where
    return Problem(
        path,
        error.code,
        "error",
        error.message,
        where.cell if where else None,
        (where.cell_id or "") if where else "",
        (where.line or 1) if where else 1,
        (where.line or 1) if where else 1,
        error.hint,
    )


def error_as_json(path: str, error: NbprodError) -> dict[str, Any]:
    """The object that stands for a notebook that could not be worked on, in JSON and JSON lines."""
    return {"notebook": path, "error": error.as_json()}
