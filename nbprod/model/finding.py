"""Findings about a notebook, and verdicts about a notebook against its exported version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding, such as its cause."""

    cell: int
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding at a place: `cell` counts code cells from 0, lines count from 1 within the cell."""

    rule: str
    severity: Severity
    message: str
    cell: int
    cell_id: str
    line: int
    end_line: int
    hint: str | None = None
    related: tuple[Related, ...] = ()


class Verdict(StrEnum):
    SAME = "same"
    COSMETIC = "cosmetic"
    TRAINING_ONLY = "training-only"
    DIVERGES = "diverges"
    UNKNOWN = "unknown"
    NOT_EXPORTED = "not-exported"


@dataclass(frozen=True, slots=True)
class Divergence:
    """One feature (or the target, the model, a package file) that differs, with its text before and after."""

    feature: str
    kind: str
    cell: int
    cell_id: str
    line: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The notebook against an exported version."""

    notebook: str
    package: str | None
    verdict: Verdict
    divergences: tuple[Divergence, ...] = ()
