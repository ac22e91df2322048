"""What is recorded of a run, and what comes back of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field


class RunRecord(Struct, frozen=True):
    """A run of a notebook, as it goes to MLflow.

    `name` is the package's and the registered model's; `package` the folder `pipelines/NAME`, of which version
    `version` is logged as the model where it is fitted. `versions` are those of the kernel's libraries, `inputs`
    the files that the notebook read (path, sha256, bytes). `artifacts` maps a path in the run to a file or folder,
    `texts` to a text. `example` holds raw rows for the model's input example. `status` is an MLflow run status.
    """

    name: str
    notebook: str
    digest: str = ""
    version: int | None = None
    package: Path | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notebook_sha256: str = ""
    commit: str | None = None
    dirty: bool = False
    diff: str = ""
    kernel: str = ""
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[tuple[str, str, int], ...] = ()
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    example: tuple[Mapping[str, Any], ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    status: str = "FINISHED"


class RegisteredVersion(Struct, frozen=True):
    """A version of a registered model in MLflow; `number` is MLflow's, `version` the package's."""

    name: str
    number: int
    version: int | None
    run_id: str | None
    aliases: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """What `mlflow.pyfunc.load_model` takes."""
        return f"models:/{self.name}/{self.number}"
