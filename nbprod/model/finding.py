"""Findings about a notebook, and verdicts about a notebook against its exported version."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Related(Struct, frozen=True):
    """Another place that belongs to a finding, such as its cause."""

    cell: int
    line: int
    message: str


class Finding(Struct, frozen=True):
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


class Divergence(Struct, frozen=True):
    """One feature (or the target, the model, a package file) that differs, with its text before and after."""

    feature: str
    kind: str
    cell: int
    cell_id: str
    line: int
    before: str
    after: str


class Comparison(Struct, frozen=True):
    """The notebook against an exported version."""

    notebook: str
    package: str | None
    verdict: Verdict
    divergences: tuple[Divergence, ...] = ()
