"""What is known of a notebook, its package and its runs, gathered from where it lies, without running anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

import nbprod
from nbprod import tracking, versions
from nbprod.api.beside import Beside, studied_beside
from nbprod.api.directions import is_higher_better
from nbprod.api.evidence import digest, evidence_of, last_joined
from nbprod.api.exporting import drafted
from nbprod.api.kept_rows import personal_columns
from nbprod.api.listing import notebook_metrics
from nbprod.api.one_row import one_row
from nbprod.api.outlining import with_roles
from nbprod.api.packages import Target
from nbprod.api.proving import AGAIN, EXECUTED, RUNS, proof_of
from nbprod.api.recording import CI_TAG, DATA_VERSIONS, RETRAIN_TAG
from nbprod.api.saved_outputs import shown_otherwise
from nbprod.api.schedules import schedules
from nbprod.api.tracked import store_of, tracked_runs
from nbprod.api.walking import own_folders
from nbprod.api.workflows import FOLDER as WORKFLOWS
from nbprod.api.workflows import check_steps
from nbprod.backends.hashes import content_hashes
from nbprod.config import declared_columns
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.model.promotion import Promotion
from nbprod.model.readiness import Evidence
from nbprod.model.run import RunSummary, Version
from nbprod.readiness.facts import DataFile, Export, Facts, People, ShownOtherwise

MOST_RUNS = 50
CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
DEPLOYMENTS = frozenset({"deploy", "k8s", "kubernetes"})
"""Folders of the project in which most keep what deploys it."""
LONGEST_EXECUTED, MOST_EXECUTED = 20_000_000, 3
"""Bytes of an executed notebook whose outputs are compared, and how many of them are."""
LONGEST_MANIFEST = 500_000
"""Bytes of a manifest that is read."""


def facts_of(target: Target, path: str) -> Facts:
    """What is known of the notebook at `path`, as it is saved. Raises NbprodError where it can't be read."""
    with studied_beside(target, path) as found:
        findings = found.known.findings
        export = _export(target, found)
    known, version = found.known, found.version
    fitted = versions.latest_fitted(target.root, target.name)
    folder = None if fitted is None else versions.version_folder(target.root, target.name, fitted.number)
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    runs, registered, fault = _stored(target)
    same = tuple(run for run in runs if run.tags.get("nbprod.notebook_sha256") == sha256)
    finished = next((run for run in same if run.status == "FINISHED"), None)
    data = None if finished is None else _data(target.project.root, finished)
    by_hand = [run for run in same if run.status == "FINISHED" and not {CI_TAG, RETRAIN_TAG} & run.tags.keys()]
    champion, promotion = _champion(target)
    kept = evidence_of(target)
    root, source = target.project.root, target.project.source
    manifests = tuple(_manifests(root))
    texts = {name: text for name in manifests if (text := _manifest_text(root / name)) is not None}
    return Facts(
        notebook=known.notebook,
        plan=known.plan,
        why_no_plan=known.failure.message if known.failure else "",
        complete=known.outline.analysis.complete,
        findings=findings,
        settings=target.settings,
        configuration=None if source is None else str(source),
        now=datetime.now(UTC),
        version=version,
        fitted=fitted,
        verdict=found.comparison.verdict,
        divergences=found.comparison.divergences,
        hand_edits=() if version is None else versions.hand_edits(target.root, target.name, version.number),
        state_kept=fitted is None or versions.is_state_recorded(target.root, target.name, fitted.number),
        champion_state_kept=champion is None
        or champion.state is None
        or versions.is_state_recorded(target.root, target.name, champion.number),
        export=export,
        contract={} if version is None else _contract(target, version),
        columns=_observed(folder) or _columns(found),
        personal={} if folder is None else personal_columns(folder),
        proof=None if fitted is None else proof_of(target, fitted),
        one_row={} if folder is None else one_row(folder) or {},
        baseline_rows=None if folder is None else _baseline_rows(folder),
        fitted_with=_fitted_with(folder),
        fitted_python=_fitted_python(folder),
        locked=_locked(folder),
        champion=champion,
        promotion=promotion,
        store_fault=fault,
        runs=runs,
        runs_of_this=same,
        shown_otherwise=_shown_otherwise(target, known.notebook, by_hand, kept.get("RP-2")),
        as_saved=by_hand[-1] if by_hand else None,
        metrics_as_saved=notebook_metrics(by_hand[-1] if by_hand else None),
        metrics=notebook_metrics(finished),
        ci_read_other_data=_other_data(same, by_hand),
        champion_metrics=notebook_metrics(_run_of(champion, runs)),
        joined=last_joined(target),
        data=data,
        registered=registered,
        check_steps=check_steps(root),
        schedules=schedules(root, target.name),
        people=_people(root),
        places=_places(target, path, version),
        manifests=manifests,
        manifest_texts=texts,
        is_error=_is_error(target, version),
        runbook=_text(root, target.settings.monitoring.runbook),
        evidence=kept,
        inputs={
            **inputs_of(target, known.notebook, fitted, data, registered),
            "the manifests": digest(*(f"{name}\0{text}" for name, text in texts.items())),
        },
    )


def inputs_of(
    target: Target,
    notebook: Notebook,
    fitted: Version | None,
    data: tuple[DataFile, ...] | None,
    registered: Mapping[int, int],
) -> dict[str, str]:
    """The hashes that evidence is held against, by the words in which a person is told what has changed."""
    settings, root = target.settings, target.project.root
    workflows = sorted((root / WORKFLOWS).glob("*.y*ml"))
    return {
        "nbprod": nbprod.__version__,
        "the notebook": digest(*(cell.source for cell in notebook.cells)),
        "the package": "" if fitted is None else digest(fitted.digest, *_shared(target)),
        "the learned state": "" if fitted is None else str(fitted.state),
        "the data": "" if data is None else digest(*(f"{each.path} {each.now}" for each in data)),
        "the registry": "" if fitted is None else digest(store_of(target), str(registered.get(fitted.number))),
        "requirements": _settled(settings.requirements),
        "monitoring": _settled(settings.monitoring),
        "low_confidence": _settled(settings.low_confidence),
        "slices": _settled(settings.slices),
        "max_rollback_seconds": _settled(settings.max_rollback_seconds),
        "decision": _settled(settings.decision),
        "columns": _settled(declared_columns(settings)),
        "split": _settled(settings.split),
        "runtime_deps": _settled(settings.runtime_deps),
        "metric_tolerance": _settled(settings.metric_tolerance),
        "acknowledged": _settled(settings.acknowledged),
        "success": _settled(settings.success),
        "labels": _settled(settings.labels),
        "retraining": _settled([settings.retraining, settings.gate]),
        "time": _settled(settings.data.time),
        "the champion": _settled(versions.aliases(target.root, target.name).get(versions.CHAMPION)),
        "the commit": str(versions.head(root)),
        "the workflows": digest(*(each.read_bytes() for each in workflows)),
    }


def _shared(target: Target) -> Iterator[bytes]:
    """What all versions of a package share: the files beside their folders, and the service with its counters."""
    package = target.root / target.name
    for path in sorted([*package.glob("*.py"), *package.glob("serving/*.py")]):
        yield path.relative_to(package).as_posix().encode()
        yield path.read_bytes()


def within(root: Path, path: str) -> str:
    """A path as a person knows it: from the project's root where it is an absolute one inside."""
    whole = Path(path)
    if not whole.is_absolute():
        return path
    inside = whole.resolve()
    return inside.relative_to(root.resolve()).as_posix() if inside.is_relative_to(root.resolve()) else path


def _settled(value: object) -> str:
    return digest(msgspec.json.encode(value))


def _export(target: Target, found: Beside) -> Export:
    """The package made anew, byte by byte as `export --check` compares it; without roles by suggested ones."""
    if found.known.plan is None:
        assert found.known.failure is not None
        return Export(unknown=f"there is no plan: {found.known.failure.message}")
    notebook = found.known.notebook
    if all(cell.role is None for cell in notebook.cells):
        notebook = with_roles(notebook, auto=True)
    try:
        draft = drafted(found.known.plan, notebook, target)
    except NbprodError as error:
        return Export(unknown=f"there would be no export: {error.message}")
    stale = versions.is_stale(target.root, target.name, draft.files, draft.root_files)
    return Export(tuple(each.path for each in stale))


def _contract(target: Target, version: Version) -> Mapping[str, Any]:
    folder = versions.version_folder(target.root, target.name, version.number)
    return versions.read_object(folder / "contract.json") or {}


def _observed(folder: Path | None) -> tuple[str, ...]:
    """The columns that a fit has seen; none where what it has written is damaged."""
    schema = {} if folder is None else versions.read_object(folder / "state" / "schema.json") or {}
    return tuple(each["name"] for each in _records(schema.get("columns")) if isinstance(each.get("name"), str))


def _records(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _columns(found: Beside) -> tuple[str, ...]:
    """The raw table's columns where its header is at hand, else those that features are made of."""
    plan = found.known.plan
    return () if plan is None else tuple(plan.columns) or tuple(plan.inputs)


def _baseline_rows(folder: Path) -> int | None:
    baseline = versions.read_object(folder / "state" / "baseline.json")
    rows = None if baseline is None else baseline.get("rows")
    return rows if isinstance(rows, int) else None


def _fitted_with(folder: Path | None) -> dict[str, str]:
    told = {} if folder is None else versions.read_object(folder / "state" / "fitted.json") or {}
    pinned = told.get("versions")
    return {str(name): str(version) for name, version in pinned.items()} if isinstance(pinned, dict) else {}


def _fitted_python(folder: Path | None) -> str:
    told = {} if folder is None else versions.read_object(folder / "state" / "fitted.json") or {}
    return str(told.get("python") or "")


def _shown_otherwise(
    target: Target, notebook: Notebook, runs: Sequence[RunSummary], again: Evidence | None
) -> tuple[ShownOtherwise, ...]:
    """The cells of the notebook whose saved outputs are not what the first of its finished runs shows.

    Further ones on the same data tell what is shown each time, and so does one that was made `again` and gave the same
    model; what was restored of a run tells nothing more.
    """
    if not runs:
        return ()
    *further, first = runs
    same = _files(first)
    fresh = [first, *(run for run in further if "nbprod.restored" not in run.tags and _files(run) == same)]
    names = [*(run.run_id for run in fresh), *([f"{AGAIN}/{target.name}"] if again is not None and again.held else [])]
    places = (target.project.root / RUNS / name / EXECUTED for name in names)
    kept = [path for path in places if path.is_file() and path.stat().st_size <= LONGEST_EXECUTED]
    return shown_otherwise(notebook, kept[:MOST_EXECUTED])


def _locked(folder: Path | None) -> dict[str, str]:
    """The versions that a fitted version's lock file pins."""
    path = None if folder is None else folder / "requirements.lock"
    if path is None or not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pinned = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.strip(): version.split()[0] for name, _, version in pinned if version.strip()}


def _stored(target: Target) -> tuple[tuple[RunSummary, ...], dict[int, int], str | None]:
    """Runs and registered versions of a package, and why there are none where the store can't be asked."""
    try:
        runs = tracked_runs(target, MOST_RUNS)
        listed = tracking.registered(target.name, uri=store_of(target))
    except NbprodError as error:
        return (), {}, error.message
    return runs, {each.version: each.number for each in listed if each.version is not None}, None


def _champion(target: Target) -> tuple[Version | None, Promotion | None]:
    """The champion, and the record of the move that made it so."""
    number = versions.aliases(target.root, target.name).get(versions.CHAMPION)
    if number is None:
        return None, None
    moves = [
        each
        for each in versions.promotions(target.root, target.name)
        if each.alias == versions.CHAMPION and each.action != "refuse"
    ]
    return versions.resolve(target.root, target.name, number), moves[-1] if moves else None


def _run_of(version: Version | None, runs: Sequence[RunSummary]) -> RunSummary | None:
    """The run that a version was fitted in, where it is among these."""
    return None if version is None else next((run for run in runs if run.run_id == version.run), None)


def _files(run: RunSummary) -> list[tuple[str, str]] | None:
    """Paths and hashes of what a run has read, where its record lies on this machine."""
    place = urlsplit(run.artifact_uri)
    if place.scheme not in ("", "file"):
        return None
    try:
        told = json.loads(Path(unquote(place.path), "inputs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return [(str(each.get("path", "")), str(each.get("sha256", ""))) for each in _records(told)]


def _other_data(runs: Sequence[RunSummary], by_hand: Sequence[RunSummary]) -> bool | None:
    """Whether the newest finished run by a CI service has read other contents than the newest by hand."""
    by_ci = next((run for run in runs if run.status == "FINISHED" and CI_TAG in run.tags), None)
    if by_ci is None or not by_hand:
        return None
    own, known = _files(by_ci), _files(by_hand[0])
    if own is None or known is None:
        return None
    return sorted(sha256 for _, sha256 in own) != sorted(sha256 for _, sha256 in known)


def _data(root: Path, run: RunSummary) -> tuple[DataFile, ...] | None:
    """The files that a run has read, where its record lies on this machine."""
    files = _files(run)
    if files is None:
        return None
    place = urlsplit(run.artifact_uri)
    stated = versions.read_object(Path(unquote(place.path), DATA_VERSIONS)) or {}
    now = {path: sha256 for path, sha256, _ in content_hashes(path for path, _ in files)}
    named = ((within(root, path), sha256, now.get(path)) for path, sha256 in files)
    return tuple(DataFile(*each, stated.get(each[0])) for each in named)


def _manifests(root: Path) -> Iterator[str]:
    """Container files and manifests of the project, in order: not those of an environment or of hidden folders."""
    for here, names in own_folders(root):
        for name in names:
            is_manifest = name.endswith((".yaml", ".yml"))
            is_of_it = name.startswith("compose.") if not here.parts else here.parts[0] in DEPLOYMENTS
            if name == "Dockerfile" or (is_manifest and is_of_it):
                yield (here / name).as_posix()


def _manifest_text(path: Path) -> str | None:
    """What stands in a manifest; None where it can't be read, or is too long to be one."""
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= LONGEST_MANIFEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _is_error(target: Target, version: Version | None) -> bool:
    """Whether the metric that decides is known to be less where it is better, by the function that computes it."""
    metric = target.settings.success.metric
    if version is None or metric is None:
        return False
    return not is_higher_better(versions.version_folder(target.root, target.name, version.number), metric)


def _people(root: Path) -> People | None:
    """Who version control knows; None outside of it."""
    found = next((root / name for name in CODEOWNERS if (root / name).is_file()), None)
    authors = versions.authors(root)
    if found is None and not authors:
        return None
    lines = [] if found is None else found.read_text(encoding="utf-8", errors="replace").splitlines()
    words = [line.partition("#")[0].split() for line in lines]
    return People(authors, tuple((first, tuple(owners)) for first, *owners in filter(None, words)))


def _places(target: Target, path: str, version: Version | None) -> tuple[str, ...]:
    """The notebook and the features of its newest version from the project's root, as far as they lie in it."""
    root = target.project.root.resolve()
    made = [] if version is None else [versions.version_folder(target.root, target.name, version.number)]
    whole = (each.resolve() for each in (Path(path), *(folder / "features.py" for folder in made)))
    return tuple(each.relative_to(root).as_posix() for each in whole if each.is_relative_to(root))


def _text(root: Path, name: str | None) -> str | None:
    """A file of the project, None where there is none, or where it lies outside."""
    if not name:
        return None
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or not path.is_file():
        return None
    return path.read_text(encoding="utf-8", errors="replace")
