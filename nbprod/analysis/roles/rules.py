"""The ast-grep rules that say what a statement does: nbprod's own, and those of a project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nbprod.errors import NbprodError, Where

STEPS = ("imports", "data", "preprocessing", "features", "train", "evaluate", "predict", "explore", "save")
PROJECT_FOLDER = Path(".nbprod") / "rules"

_HERE = Path(__file__).parent
_PATTERN_KEYS = ("rule", "constraints", "utils")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what matches `config` does `step`.

    `receiver` limits it to calls on an object of that kind (see `kinds.yml`), the metavariable `$OBJ`.
    """

    id: str
    step: str
    message: str
    confidence: float
    config: dict[str, Any] = field(repr=False, hash=False)
    receiver: str | None = None


@cache
def own_rules() -> tuple[Rule, ...]:
    """The rules that come with nbprod."""
    return tuple(rule for path in sorted((_HERE / "rules").glob("*.yml")) for rule in _rules_in(path))


def project_rules(folder: str | Path) -> tuple[Rule, ...]:
    """The rules in `.nbprod/rules/*.yml` of the project at `folder`; none where there is no such folder.

    A file holds ast-grep rules, one a YAML document, with `metadata: {step: …, confidence: …}`; rules for other
    purposes (without a step) are passed over. Raises NbprodError for a file that is none.
    """
    place = Path(folder) / PROJECT_FOLDER
    if not place.is_dir():
        return ()
    rules = tuple(rule for path in sorted(place.glob("*.yml")) for rule in _rules_of_project(path))
    _try(rules, place)
    return rules


@cache
def kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Kinds of objects, each with the form of the class names that make one."""
    table = _documents(_HERE / "kinds.yml")
    return tuple((kind, re.compile(form)) for document in table for kind, form in document.items())


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for document in yaml.load_all(path.read_text("utf-8"), Loader=loader):
        if document is not None:
            yield document


def _rules_in(path: Path) -> Iterator[Rule]:
    for document in _documents(path):
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
        )


def _rules_of_project(path: Path) -> tuple[Rule, ...]:
    import yaml

    try:
        return tuple(_rules_in(path))
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise _bad_rule(path, f"the rule file cannot be used: {reason}") from None


def _try(rules: Iterable[Rule], folder: Path) -> None:
    """Runs each rule once on nothing, so that a wrong one is told of where it stands."""
    from ast_grep_py import SgRoot

    root: Any = SgRoot("pass\n", "python").root()
    for rule in rules:
        try:
            root.find_all(rule.config)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(str(error).partition("Stack backtrace")[0].split())
            raise _bad_rule(folder, f'the rule "{rule.id}" is not one that ast-grep understands: {reason}') from None


def _bad_rule(path: Path, message: str) -> NbprodError:
    return NbprodError(
        message,
        code="bad-rule",
        where=Where(str(path)),
        hint="a rule has `id`, `message`, `metadata: {step: …}` and an ast-grep `rule`",
    )
