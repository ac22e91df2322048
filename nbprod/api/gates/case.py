"""The promotion that is judged: a candidate, the version that it would replace, and what was measured of both once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from nbprod import versions
from nbprod.api.listing import notebook_metrics
from nbprod.api.measuring import measured
from nbprod.api.packages import Target
from nbprod.api.proving import LastRun, fitted_in
from nbprod.api.tracked import tracked_runs
from nbprod.errors import NbprodError
from nbprod.model.promotion import Gate
from nbprod.model.run import RunSummary, Version

RESAMPLES = 1000
MOST_ROWS = 5000
"""Rows that are compared at most: a resample costs one evaluation of each side on as many."""

_SEARCHED = 1000

Tell = Callable[[str], None]


class Case:
    """`candidate` is to stand where `champion` stands now, which is None for the first one.

    What several gates go by is found out when the first of them asks, and once.
    """

    def __init__(self, target: Target, candidate: Version, champion: Version | None, tell: Tell) -> None:
        self.target = target
        self.candidate = candidate
        self.champion = champion
        self.tell = tell

    @cached_property
    def last(self) -> LastRun | None:
        """The captures of the candidate's run, None where they are not on this machine."""
        return fitted_in(self.target, self.candidate)

    @cached_property
    def run(self) -> RunSummary | None:
        """The candidate's run in the store, None where the store does not know it or can't be asked."""
        try:
            runs = tracked_runs(self.target, _SEARCHED)
        except NbprodError as error:
            self.tell(f"the store of runs can't be asked: {error.message}")
            return None
        return next((run for run in runs if run.run_id == self.candidate.run), None)

    @cached_property
    def side_by_side(self) -> Mapping[str, Any]:
        """What `replay.measure` tells of both; a `reason` where there is no answer."""
        if self.last is None:
            return {"reason": f"the run that version {self.candidate.number} was fitted in is not on this machine"}
        self.tell("measuring on the rows that the notebook held out")
        champion = self.champion
        return measured(
            self.target,
            self.candidate,
            self.last.captures,
            self.last.python,
            champion=None if champion is None else self._folder(champion).name,
            metric=self.target.settings.success.metric,
            resamples=RESAMPLES,
            most=MOST_ROWS,
        )

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The candidate's metrics: those of its run, else what its package gives on the rows held out."""
        tracked = notebook_metrics(self.run)
        return tracked or self.side_by_side.get("metrics", {})

    @property
    def folder(self) -> Path:
        """The candidate's folder."""
        return self._folder(self.candidate)

    def _folder(self, version: Version) -> Path:
        return versions.version_folder(self.target.root, self.target.name, version.number)


def blocking(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The gates that stop a promotion."""
    return tuple(gate for gate in gates if gate.blocks)
