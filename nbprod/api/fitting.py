"""Fitting a version of a package on what a run captured, in the notebook's own environment."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from nbprod import replay, versions
from nbprod.api.one_row import one_row_text
from nbprod.api.packages import Target, training_folder
from nbprod.api.progress import OnProgress, Progress
from nbprod.api.proving_in_fit import ProofInFit
from nbprod.model.run import RunResult, Version

GOLDEN = "tests/golden.json"


def fitted(
    target: Target,
    version: Version,
    run: RunResult,
    *,
    run_id: str | None,
    on_progress: OnProgress,
    notebook: str,
    runners: replay.Runners | None = None,
    proof: ProofInFit | None = None,
) -> Version:
    """Give `version` the state that its package learns from the captured rows; gives the version as listed then.

    The package is fitted in a copy, and the whole state is moved in at the end: a version that has other state
    already stays as it is, and the new state becomes a new version. Golden rows are left out where the configuration
    says so. `proof` goes on beside it. Raises NbprodError at the notebook's cell and line where the package's own code
    fails.
    """
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest = versions.read_manifest(folder) or {}

    def tell(what: str, done: int, total: int) -> None:
        on_progress(Progress(notebook, "fit", what, done, total))

    with tempfile.TemporaryDirectory(prefix="nbprod-fit-") as temporary:
        copy = _copied(folder, Path(temporary))
        if proof is not None:
            _copied(folder, proof.folder)
            proof.begin()
        told = replay.fit(
            copy.parent.parent,
            target.name,
            copy.name,
            Path(run.captures),
            run.python,
            manifest,
            reads_in=training_folder(target, manifest),
            saved_to=None if proof is None else proof.state,
            on_progress=tell,
            runners=runners,
        )
        if proof is not None:
            proof.end_of_fit(copy / "state")
        if told["taken"]:
            tell("the notebook's own model is taken: the package would train the same one", 0, 0)
        else:
            tell(f"the package has trained its model itself: {told['why_trained']}", 0, 0)
        tell(f"one row is answered {one_row_text(told['one_row'])}", 0, 0)
        golden = copy / GOLDEN
        kept = golden.is_file() and target.settings.golden_rows
        return versions.put_state(
            target.root,
            target.name,
            version.number,
            copy / "state",
            run_id=run_id,
            now=datetime.now(UTC),
            golden=golden.read_bytes() if kept else None,
            code=versions.generated_files(copy),
            commit=version.commit,
        )


def _copied(folder: Path, temporary: Path) -> Path:
    """The package with this one version, without its learned state."""
    package = temporary / folder.parent.name
    package.mkdir()
    for path in folder.parent.iterdir():
        if path.is_file():
            shutil.copyfile(path, package / path.name)
    shutil.copytree(folder, package / folder.name, ignore=shutil.ignore_patterns("state", "__pycache__"))
    return package / folder.name
