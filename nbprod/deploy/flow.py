"""The flow that trains a pipeline again: its stages one by one, the proof, and the decision of the gates.

Orchestrators differ in how they write tasks down, and in nothing that matters here. So this is said once, and each
exporter turns the steps into its own tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbprod.model.deployment import VERSION, Flow, Step

STAGE = {
    "data": "read the data",
    "features": "make the features",
    "train": "train the model",
}
LONGEST_STAGE = 4 * 3600
OF_STAGE = ("notebook", "to", "stages")
OF_VERSION = (
    "run_id",
    "version",
    "digest",
    "package",
    "metrics",
    "verify.status",
    "promotion.passed",
    "promotion.gates",
)
OF_DECISION = ("alias", "before", "promoted", "gates")


def flow_of(
    name: str, stages: Sequence[str], *, cron: str | None, interval: Sequence[str] = (), promotes: bool = True
) -> Flow:
    """The flow of the pipeline `name`, of which `stages` are handed over to those behind them (`data`, `features`, ...)

    The last run restores them, so that what failed is tried again from the last stage that was done.
    """
    return Flow(tuple(_steps(name, stages, promotes=promotes)), cron, tuple(interval))


def _steps(name: str, stages: Sequence[str], *, promotes: bool) -> Iterator[Step]:
    run = ("run", name, "--retrain", "--format", "json")
    before: tuple[str, ...] = ()
    for stage in stages:
        yield Step(stage, STAGE[stage], (*run, "--to", stage), before, timeout=LONGEST_STAGE, hands=OF_STAGE)
        before = (stage,)
    yield Step(
        "prove",
        "evaluate, fit the package and prove it",
        run,
        before,
        timeout=LONGEST_STAGE,
        makes="version",
        hands=OF_VERSION,
    )
    if promotes:
        # By its number: the version is none that another run has made, and the champion where nothing has changed.
        decide = ("versions", name, "promote", VERSION, "--format", "json")
        yield Step(
            "promote",
            "let the gates decide",
            decide,
            ("prove",),
            retries=1,
            makes="decision",
            hands=OF_DECISION,
            version_of="prove",
        )
