"""What a version learned from a run, noted with the run in the cache: the same rows need not be fitted again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError
from msgspec import json as fast

import nbprod
from nbprod import versions
from nbprod.api.fitting import GOLDEN
from nbprod.api.packages import Target
from nbprod.api.proving import keep_proof
from nbprod.backends.stage_cache import FIT
from nbprod.model.run import RunResult, VerifyResult, Version


class Fit(Struct, frozen=True):
    """The version that was fitted on a run, the digests of its code and of what it learned, its proof and metrics.

    `maker` is the digest of what fitted and proved it: another release may write and prove more.
    """

    number: int
    digest: str
    state: str
    metrics: dict[str, float]
    verify: VerifyResult | None = None
    maker: str = ""


@cache
def maker() -> str:
    """The digest of the code that fits a package, and proves it."""
    here = Path(nbprod.__file__).parent
    folders = here / "codegen" / "runtime", here / "replay" / "runner"
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    made = hashlib.sha256()
    for path in files:
        made.update(f"{path.relative_to(here).as_posix()}\0".encode() + path.read_bytes())
    return made.hexdigest()


def note_fit(version: Version, run: RunResult, proof: VerifyResult | None, metrics: Mapping[str, float]) -> None:
    """Note with a run in the cache that `version` was fitted on it."""
    if run.cached is None or version.state is None:
        return
    fit = Fit(version.number, version.digest, version.state, dict(metrics), proof, maker())
    folder = Path(run.cached)
    staged = folder / f".{FIT}"
    try:
        staged.write_bytes(fast.encode(fit))
        staged.replace(folder / FIT)
    except FileNotFoundError:
        # Another run has taken the entry's place, or cleared the cache.
        return


def fitted_before(target: Target, version: Version, files: Mapping[str, bytes], known: Fit, *, run_id: str) -> Version:
    """The version with what its code, `files`, has learned in an earlier run, as listed now.

    It may be another than the one that was fitted then: another wording of the same code is a version of its own. What
    was learned and proven of the one holds of the other, whose digest is the same.
    """
    before = versions.version_folder(target.root, target.name, known.number)
    golden = before / GOLDEN
    given = versions.put_state(
        target.root,
        target.name,
        version.number,
        before / "state",
        run_id=run_id,
        now=datetime.now(UTC),
        golden=golden.read_bytes() if golden.is_file() else None,
        code=files,
        commit=version.commit,
    )
    if known.verify is not None and given.number != known.number:
        keep_proof(target, given, known.verify)
    return given


def fit_of(target: Target, version: Version, run: RunResult, *, with_proof: bool) -> Fit | None:
    """The fit of the code of `version` on this very run, by this nbprod, where its files are still what they were."""
    if run.cached is None:
        return None
    try:
        fit = fast.decode((Path(run.cached) / FIT).read_bytes(), type=Fit)
    except (OSError, DecodeError, ValidationError):
        return None
    listed = next((each for each in versions.ledger(target.root, target.name) if each.number == fit.number), None)
    if listed is None or (fit.digest, fit.maker) != (version.digest, maker()):
        return None
    if (listed.digest, listed.state) != (fit.digest, fit.state):
        return None
    folder = versions.version_folder(target.root, target.name, fit.number)
    is_whole = versions.state_digest(folder / "state") == fit.state
    is_as_exported = not versions.hand_edits(target.root, target.name, fit.number)
    return fit if is_whole and is_as_exported and (fit.verify is not None or not with_proof) else None
