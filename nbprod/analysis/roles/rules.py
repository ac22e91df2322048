"""The ast-grep rules that say what a statement does: nbprod's own, and those of a project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod.analysis.compiled import compiled, yaml_documents
from nbprod.errors import NbprodError, Where

STEPS = ("imports", "data", "preprocessing", "features", "train", "evaluate", "predict", "explore", "save")
PROJECT_FOLDER = Path(".nbprod") / "rules"

_PATTERN_KEYS = ("rule", "constraints", "utils")


class Rule(Struct, frozen=True):
    """One rule: what matches `config` does `step`.

    `receiver` limits it to calls on an object of that kind (see `kinds.yml`), the metavariable `$OBJ`.
    `weak` evidence counts only where no other step is found on its `line`, or no result of a model in its `cell`;
    `held` only where a variable in it holds data, a model's answers or scores, or the shape of these.
    """

    id: str
    step: str
    message: str
    confidence: float
    config: dict[str, Any]
    receiver: str | None = None
    weak: str | None = None
    held: bool = False

    def __hash__(self) -> int:
        return hash(self.id)  # a dict has no hash


@cache
def own_rules() -> tuple[Rule, ...]:
    """The rules that come with nbprod."""
    return tuple(_rules_in(compiled().rules))


def project_rules(folder: str | Path) -> tuple[Rule, ...]:
    """The rules in `.nbprod/rules/*.yml` of the project at `folder`; none where there is no such folder.

    A file holds ast-grep rules, one a YAML document, with `metadata: {step: …, confidence: …}`; rules for other
    purposes (without a step) are passed over. Raises NbprodError for a file that is none.
    """
    place = Path(folder) / PROJECT_FOLDER
    return tuple(rule for path in sorted(place.glob("*.yml")) for rule in _rules_of_project(path))


@cache
def kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Kinds of objects, each with the form of the class names that make one."""
    return tuple((kind, re.compile(form)) for kind, form in compiled().kinds.items())


def _rules_in(documents: Iterable[dict[str, Any]]) -> Iterator[Rule]:
    for document in documents:
        metadata = document.get("metadata") or {}
        if "step" not in metadata:
            continue
        if metadata["step"] not in STEPS:
            raise ValueError(f'the step "{metadata["step"]}" is none of {", ".join(STEPS)}')
        yield Rule(
            id=str(document["id"]),
            step=metadata["step"],
            message=str(document.get("message") or document["id"]),
            confidence=float(metadata.get("confidence", 0.8)),
            config={key: document[key] for key in _PATTERN_KEYS if key in document},
            receiver=metadata.get("receiver"),
            weak=metadata.get("weak"),
            held=bool(metadata.get("held")),
        )


def _rules_of_project(path: Path) -> tuple[Rule, ...]:
    try:
        rules = tuple(_rules_in(yaml_documents(path)))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise _bad_rule(path, f"the rule file cannot be used: {reason}") from None
    for rule in rules:
        reason = _refused(rule)
        if reason:
            raise _bad_rule(path, f'the rule "{rule.id}" is not one that ast-grep understands: {reason}')
    return rules


def _refused(rule: Rule) -> str:
    """Why ast-grep does not take a rule, tried on nothing; empty where it does."""
    from ast_grep_py import SgRoot

    root: Any = SgRoot("pass\n", "python").root()
    try:
        root.find_all(rule.config)
    except Exception as error:  # noqa: BLE001 - ast-grep raises Exception itself
        return " ".join(str(error).partition("Stack backtrace")[0].split())
    return ""


def _bad_rule(path: Path, message: str) -> NbprodError:
    return NbprodError(
        message,
        code="bad-rule",
        where=Where(str(path)),
        hint="a rule has `id`, `message`, `metadata: {step: …}` and an ast-grep `rule`",
    )
