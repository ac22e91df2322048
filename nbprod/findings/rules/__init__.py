"""The rules, in the order of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nbprod.analysis import Analysis
from nbprod.findings.rules import (
    divergent_path,
    leakage,
    multi_test,
    order,
    overlap,
    pandas_version,
    secret,
    seed,
    servable,
    stale,
    syntax,
    target,
    undefined,
)
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

Rule = Callable[[Notebook, Analysis, FeaturePlan | None], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    divergent_path.find,
    leakage.find,
    multi_test.find,
    order.find,
    overlap.find,
    pandas_version.find,
    secret.find,
    seed.find,
    servable.find,
    stale.find,
    syntax.find,
    target.find,
    undefined.find,
)
