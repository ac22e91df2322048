"""Runs of a notebook, what was captured in them, and the result of replaying the package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from nbprod.model.plan import CallPlace


class CapturePlan(Struct, frozen=True):
    """Where to look while the notebook runs.

    `raw`: the call that reads the raw rows; a copy of its result is kept.
    `fit` and `predicts`: calls whose arguments (and results) are kept.
    `others`: calls that read further raw frames, such as a test set that has a file of its own.
    `measured`: names that hold a number, or a dict of numbers, which the notebook has measured.
    """

    raw: CallPlace
    fit: CallPlace
    predicts: tuple[CallPlace, ...] = ()
    others: tuple[CallPlace, ...] = ()
    measured: tuple[str, ...] = ()


class StageTime(Struct, frozen=True):
    """How long the cells of a role took; of a stage that was `restored`, how long they took when they ran."""

    role: str
    seconds: float
    restored: bool = False


class CellTime(Struct, frozen=True):
    """How long a cell took; `memory` is that of the kernel after it, in bytes, where the system tells."""

    cell: int
    seconds: float
    memory: int | None = None
    restored: bool = False


class RunResult(Struct, frozen=True):
    """A finished papermill run: `executed` is the executed notebook, `captures` the folder of captures.

    `inputs` and `outputs` are files that it read and wrote (path, sha256, bytes), `unpinned` what it asked that is no
    file: addresses, databases, programs. `memory` is the most that the kernel had, in bytes.
    `cached` is the folder of the cache that holds the whole run.
    """

    executed: str
    captures: str
    kernel: str
    python: str
    seconds: float
    cells: tuple[CellTime, ...] = ()
    stages: tuple[StageTime, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    inputs: tuple[tuple[str, str, int], ...] = ()
    outputs: tuple[tuple[str, str, int], ...] = ()
    unpinned: tuple[str, ...] = ()
    memory: int | None = None
    cached: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)


class Mismatch(Struct, frozen=True):
    """The smallest row on which notebook and package part, and where."""

    row: dict[str, Any]
    feature: str
    notebook: Any
    package: Any
    cell: int
    line: int


class VerifyResult(Struct, frozen=True):
    """Outcome of a replay. `status` is `proven`, `observed`, `refused` or `failed`."""

    status: str
    rows: int
    rows_equal: int
    max_abs_error: float
    predictions: int
    predictions_equal: int
    mismatch: Mismatch | None = None
    matched_by: str = "index"
    checks: tuple[tuple[str, bool, str], ...] = ()


class Version(Struct, frozen=True):
    """One line of the ledger `versions.json`."""

    number: int
    digest: str
    when: str
    notebook: str
    commit: str | None
    why: str
    state: str | None = None
    run: str | None = None
    aliases: tuple[str, ...] = ()


class RunSummary(Struct, frozen=True):
    """A run as MLflow has it. `run_id` is the id that the ledger has, `mlflow_id` MLflow's own.

    `artifacts` are file paths in the run; only `get_run` fills them and `models`.
    """

    run_id: str
    name: str
    experiment: str
    status: str
    start: datetime
    end: datetime | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifact_uri: str
    artifacts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    mlflow_id: str = ""
