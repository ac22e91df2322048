"""The verb `deploy`: the files with which an engine runs a version, or trains it again; written, compared, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod import codegen, versions
from nbprod.api import closure
from nbprod.api.closure import normalized
from nbprod.api.compiling import compiled
from nbprod.api.evidence import evidence_of
from nbprod.api.exporting import planned
from nbprod.api.packages import Target
from nbprod.api.parameters import parameters_of
from nbprod.api.pinning import pin as pin_image
from nbprod.api.rerunning import manifest_of, model_of, notebook_here
from nbprod.api.schedules import DEPLOYMENTS
from nbprod.api.scripts import answered
from nbprod.api.serving import Fitted, fitted_version, interpreter
from nbprod.api.walking import own_folders
from nbprod.deploy.exporter import Exporter
from nbprod.deploy.flow import flow_of
from nbprod.deploy.owned import WRITES, aside, compared, left
from nbprod.deploy.records import RECORD, Before, Record, digest_of, read_record, record_bytes
from nbprod.deploy.settings import objections
from nbprod.deploy.targets import TARGETS
from nbprod.errors import NbprodError, Where
from nbprod.ignored import keep_out_of_git
from nbprod.model.cadence import cron_of
from nbprod.model.deployment import Deployment, File, Load, Settings, Written
from nbprod.model.run import Version
from nbprod.notebook import read
from nbprod.plan.stages import handovers
from nbprod.versions.files import explained, replace_file
from nbprod.versions.lock import locked

CLOSURE = Path(closure.__file__)
WRITING = ".nbprod/deploying"
"""The locks of those who write."""

FIFTH = 0.2
MOST_STAGES = ("data", "features", "train")


def deploy(
    name: str,
    target: str,
    *,
    folder: str | None = None,
    output: str | None = None,
    check: bool = False,
    force: bool = False,
    keep: bool = False,
    pin: bool = False,
    python: str | None = None,
) -> dict[str, Any]:
    """Write the files of `target` for `NAME`, `NAME@3` or `NAME@champion` into the project (schemas/deploy.json).

    They go into `folder` (default: deploy/NAME/TARGET), but for those that an engine looks for in a place of its own.
    A file that somebody changed stays as it is. Where the target asks for another text by now it is a `conflict`:
    `force` writes the target's text and keeps the other beside it as FILE.orig, `keep` says that theirs is right.
    With `check` nothing is written. `pin` has Docker ask for the digest of the base image, and declares it. `python` is
    an interpreter that has what a target's own compiler needs.

    Raises NbprodError: `unknown-target`, what `fitted_version` raises, `outside` for a folder outside the project,
    `taken` for one that holds another target's files, `symlink`, `damaged-record`, `usage` where a target has no image
    to pin or nothing to compile, what `pinning.pin` and `compiled` raise.
    """
    exporter = TARGETS.get(target)
    if exporter is None:
        raise _unknown(target)
    if python is not None and exporter.compiled is None:
        raise NbprodError(f"nothing is compiled for {target}, so --python names no interpreter of it", code="usage")
    fitted = fitted_version(name, output=output)
    root = fitted.target.project.root
    own = _own_folder(root, folder or f"{DEPLOYMENTS}/{fitted.target.name}/{target}")
    if pin:
        fitted = _pinned(fitted, exporter)
    asked = _Asked(exporter, fitted, own, check=check, force=force, keep=keep, python=python)
    if check:
        return _report(asked, *_made(asked))
    with _alone(root, fitted.target.name), explained(root / own):
        made = _made(asked)
        return _report(asked, replace(made[0], written=_write(asked, made[0])), made[1])


def check_all(name: str, *, output: str | None = None) -> list[dict[str, Any]]:
    """What `deploy` with `check` finds of every target that was deployed for `NAME`, wherever in the project it lies.

    Raises NbprodError: `not-deployed` where there is none, and what `deploy` raises.
    """
    fitted = fitted_version(name, output=output)
    root = fitted.target.project.root
    found = []
    for place in [here.as_posix() for here, names in own_folders(root) if RECORD in names]:
        record = read_record(root / place)
        if record is not None and record.package == fitted.target.name and record.target in TARGETS:
            found.append(deploy(name, record.target, folder=place, output=output, check=True))
    if not found:
        raise NbprodError(
            f"nothing is deployed for {fitted.target.name}",
            code="not-deployed",
            where=Where(str(root)),
            hint=f"nbprod deploy {fitted.target.name} lists the targets",
        )
    return found


class _Asked(Struct, frozen=True):
    """One call: what is deployed, by which target, in which folder of its own, and how a person wants it."""

    exporter: Exporter
    fitted: Fitted
    own: str
    check: bool
    force: bool
    keep: bool
    python: str | None

    @property
    def root(self) -> Path:
        return self.fitted.target.project.root

    @property
    def merges(self) -> bool:
        return not (self.force or self.keep)


class _Made(Struct, frozen=True):
    """The deployment, its files, what is or was to be done with each, and the record of what was written before."""

    deployment: Deployment
    files: tuple[File, ...]
    written: tuple[Written, ...]
    before: Record


def _made(asked: _Asked) -> tuple[_Made, list[str]]:
    """What the target asks for, held against what stands there; and what a person has to know. Nothing is written."""
    root, own, exporter, target = asked.root, asked.own, asked.exporter, asked.fitted.target
    before = read_record(root / own)
    if before is not None and (before.package, before.target) != (target.name, exporter.name):
        raise _taken(own, before)
    deployment, notes = deployment_of(target, asked.fitted.version, before, exporter, renews=not asked.check)
    files = tuple(exporter.files(deployment, own))
    if exporter.compiled is not None:
        made, missing = compiled(
            exporter.compiled,
            root,
            own,
            files,
            python=asked.python,
            check=asked.check,
            force=asked.force,
            merges=asked.merges,
        )
        files, notes = (*files, *([made] if made else [])), [*notes, *([missing] if missing else [])]
    written = compared(root, own, files, merges=asked.merges)
    return _Made(deployment, files, written, before or Record(target.name, exporter.name)), notes


def _report(asked: _Asked, made: _Made, notes: Sequence[str]) -> dict[str, Any]:
    deployment, exporter = made.deployment, asked.exporter
    return {
        "name": deployment.name,
        "version": deployment.version,
        "digest": deployment.digest,
        "target": exporter.name,
        "folder": asked.own,
        "checked": asked.check,
        "files": [
            {"path": each.path, "state": each.state, "diff": each.diff, "kept_as": each.kept_as}
            for each in made.written
        ],
        "notes": [*notes, *exporter.notes(deployment)],
        "next": list(exporter.steps(deployment, asked.own)),
    }


@contextmanager
def _alone(root: Path, name: str) -> Iterator[None]:
    """One writer of a package's deployments at a time."""
    keep_out_of_git(root / WRITING)
    with locked(root / WRITING / name):
        yield


def is_stale(report: Mapping[str, Any], *, force: bool = False, keep: bool = False) -> bool:
    """Whether files are not what their target asks for, as `deploy` reports it."""
    states = {each["state"] for each in report["files"]}
    is_open = "conflict" in states and not (force or keep)
    return is_open or (report["checked"] and bool(states & WRITES))


def deployment_of(
    target: Target, version: Version, known: Record | None, exporter: Exporter, *, renews: bool
) -> tuple[Deployment, list[str]]:
    """A fitted version as the exporter needs it, and what a person has to know of how it was made out.

    What only this machine may know is that of the record `known`, if it is of the version; with `renews` it is found
    out anew where it was not known, or has moved.
    """
    _hold_to_proven(target, version)
    known = known if known is not None and known.version == version.number else None
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest, fitted = manifest_of(target, version), versions.read_object(folder / "state" / "fitted.json") or {}
    settings = target.settings
    stages, notes = _stages(target, version, manifest)
    retraining, asked = settings.retraining, settings.requirements
    python = _python(fitted)
    placed = _placed(target, python)
    requires = tuple((folder / "requirements.lock").read_text(encoding="utf-8").splitlines())
    deployment = Deployment(
        name=target.name,
        version=version.number,
        digest=version.digest,
        state=str(version.state),
        notebook=version.notebook,
        packages=_below(target, target.root),
        package=_below(target, target.root / target.name),
        folder=_below(target, folder),
        python=python,
        requires=requires,
        columns=tuple(map(str, manifest.get("inputs", ()))),
        serves="batch" if manifest.get("serves") == "batch" else "rows",
        flow=flow_of(
            target.name,
            stages,
            cron=cron_of(retraining.cadence) if retraining.cadence else None,
            interval=_interval(target, version),
            promotes=retraining.promotes,
        ),
        settings=placed,
        owner=settings.owner,
        problem=settings.problem,
        required_ms=asked.latency_ms,
        required_rps=asked.volume_rps,
        required_mb=asked.memory_mb,
        required_availability=asked.availability,
        load=_load(target, version, known, renews=renews),
        pins=_pins(target, version, requires, known, renews=renews) if exporter.builds else (),
        runbook=settings.monitoring.runbook,
        personal=settings.data.personal,
    )
    return deployment, notes


def _bad_config(target: Target, message: str, hint: str | None) -> NbprodError:
    source = target.project.source
    return NbprodError(message, code="bad-config", where=None if source is None else Where(str(source)), hint=hint)


def _image(name: str) -> str:
    """A package's name as that of an image, which has small letters and begins with one or a digit."""
    return re.sub(r"^[^a-z0-9]+|[^a-z0-9]+$", "", re.sub(r"_{3,}", "__", name.lower())) or "pipeline"


def _interval(target: Target, version: Version) -> tuple[str, ...]:
    """The parameters that take the time of which the data is; each run would fail over those that are none."""
    names = target.settings.retraining.interval
    if len(names) not in (0, 2):
        raise _bad_config(
            target,
            f'"retraining.interval" of {target.name} names {len(names)} parameters',
            'it takes the start and the end, such as interval = ["since", "until"]',
        )
    path = notebook_here(target.settings.notebook or version.notebook, target) if names else None
    known = names if path is None else tuple(parameters_of(read(path)))
    for name in names:
        if name not in known:
            raise _bad_config(
                target,
                f'"retraining.interval" of {target.name} names {name}, which is no parameter of its notebook',
                f"it has {', '.join(known)}" if known else f"set {name} in a cell with the role parameters",
            )
    return names


def _stages(target: Target, version: Version, manifest: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """The stages of the notebook that can be handed over, so that each can be a task of its own."""
    path = notebook_here(target.settings.notebook or version.notebook, target)
    if path is None:
        return (), [f"{version.notebook} is not here: a run is one task, whose stages are not told apart"]
    found = planned(
        path,
        output=str(target.root),
        name=target.name,
        auto=True,
        model=model_of(target, version),
        batch=manifest.get("serves") == "batch",
    )
    capture = codegen.capture_plan(found.plan)
    places = (capture.raw, capture.fit, *capture.predicts, *capture.others)
    # Behind the last stage nothing is left to go on with.
    handed = handovers(found.notebook, found.analysis, found.analyse, places)[:-1]
    able = {each.stage.role.value for each in handed if each.reason is None}
    told = {each.stage.role.value: each.reason for each in handed if each.reason is not None}
    stages = tuple(stage for stage in MOST_STAGES if stage in able)
    notes = [
        f"the stage {stage} is no task of its own: {told[stage]}"
        for stage in MOST_STAGES
        if stage in told and stage not in able
    ]
    return stages, notes


def _load(target: Target, version: Version, known: Record | None, *, renews: bool) -> Load | None:
    """What a load test of the version has measured.

    One that was written down stands until another differs from it by more than a fifth, so that files do not change
    with each measurement.
    """
    before = None if known is None else known.load
    now = _measured(target, version) if renews else None
    if before is None or now is None:
        return before or now
    pairs = ((before.p99_ms, now.p99_ms), (before.rps, now.rps), (before.memory_mb, now.memory_mb))
    return now if any(abs(old - new) > FIFTH * old for old, new in pairs) else before


def _measured(target: Target, version: Version) -> Load | None:
    evidence = evidence_of(target).get("DT-1") or evidence_of(target).get("DT-2")
    if evidence is None or not evidence.numbers or evidence.numbers.get("version") != version.number:
        return None
    try:
        best = max(evidence.numbers["runs"], key=lambda each: each["throughput_rps"])
        memory = evidence.numbers["memory_mb"]
        return Load(p99_ms=float(best["p99_ms"]), rps=float(best["throughput_rps"]), memory_mb=float(memory))
    except (ValueError, KeyError, TypeError):
        return None


def _pins(
    target: Target, version: Version, requires: Sequence[str], known: Record | None, *, renews: bool
) -> tuple[str, ...]:
    """What the required distributions need in turn, where they are installed as the version was fitted with."""
    if (known is not None and known.pins) or not renews:
        return (known.pins if known is not None else None) or ()
    told = answered([interpreter(target, version), str(CLOSURE), *requires])
    if "reason" in told:
        return ()
    wanted = dict(line.strip().split("==", 1) for line in requires if "==" in line)
    own = {normalized(name): number for name, number in wanted.items()}
    if any(told.get(name) != number for name, number in own.items()):
        return ()
    return tuple(f"{name}=={number}" for name, number in told.items() if name not in own)


def _hold_to_proven(target: Target, version: Version) -> None:
    """Raise NbprodError where a version is no longer what was fitted and proven."""
    edited = versions.hand_edits(target.root, target.name, version.number)
    if edited or not versions.is_state_recorded(target.root, target.name, version.number):
        what = ", ".join(edited) or "its learned state"
        raise NbprodError(
            f"version {version.number} of {target.name} was changed by hand ({what}), so it is not what was proven",
            code="changed-version",
            where=Where(str(versions.version_folder(target.root, target.name, version.number))),
            hint="restore it from version control, or make another: nbprod run " + quote(version.notebook),
        )


def _write(asked: _Asked, made: _Made) -> tuple[Written, ...]:
    """Write what nobody changed, each file whole or not at all.

    The record says first what the files are to become, and in the end what they are: so every text that was ours is
    known as ours, also after a kill, and to a run of another version. Gives what was done, with the files that a
    person's texts were moved to.
    """
    root, record = asked.root, asked.root / asked.own / RECORD
    before, texts = made.before.files, {file.path: file.text for file in made.files}
    moves = {each.path for each in made.written if each.state == "conflict" and asked.force}
    writes = {
        each.path: each.text or texts[each.path]
        for each in made.written
        if each.path in texts and (each.state in WRITES or each.path in moves)
    }
    record.parent.mkdir(parents=True, exist_ok=True)
    if writes:
        begun = {**before, **{path: _begun(before.get(path, Before()), text) for path, text in writes.items()}}
        replace_file(record, record_bytes(replace(made.before, files=begun)))
    done = []
    for each in made.written:
        path = root / each.path
        if each.path in moves:
            place = aside(path)
            path.replace(place)
            each = replace(each, kept_as=place.relative_to(root).as_posix())
        if each.path in writes:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, writes[each.path].encode())
        elif each.state == "removed":
            path.unlink()
        done.append(each)
    recipe = asked.exporter.compiled
    unmade = None if recipe is None or f"{asked.own}/{recipe.out}" in texts else f"{asked.own}/{recipe.out}"
    theirs = left(made.written, keeps=asked.keep or asked.force, unmade=unmade)
    now = {path: Before(digest_of(text), text) for path, text in texts.items() if path not in theirs}
    now |= {path: before[path] for path in theirs if path in before}
    deployment = made.deployment
    text = record_bytes(
        Record(
            package=deployment.name,
            target=asked.exporter.name,
            version=deployment.version,
            load=deployment.load,
            pins=deployment.pins if asked.exporter.builds else None,
            schedule=deployment.flow.cron if asked.exporter.schedules(deployment) else None,
            files=now,
        )
    )
    if not record.is_file() or record.read_bytes() != text:
        replace_file(record, text)
    return tuple(done)


def _begun(before: Before, text: str) -> Before:
    return replace(before, writing=digest_of(text))


def _pinned(fitted: Fitted, exporter: Exporter) -> Fitted:
    """The same version, once the digest of the base image is declared."""
    if not exporter.builds:
        able = ", ".join(name for name, each in TARGETS.items() if each.builds)
        raise NbprodError(f"{exporter.name} builds no image: --pin is for {able}", code="usage")
    target, version = fitted.target, fitted.version
    folder = versions.version_folder(target.root, target.name, version.number)
    image = _placed(target, _python(versions.read_object(folder / "state" / "fitted.json") or {})).base_image
    pin_image(target, str(target.project.root / version.notebook), image)
    return fitted_version(f"{target.name}@{version.number}", output=str(target.root))


def _python(fitted: Mapping[str, Any]) -> str:
    """The minor version of Python that a version was fitted with."""
    return ".".join(str(fitted.get("python", "3.11")).split(".")[:2])


def _placed(target: Target, python: str) -> Settings:
    """What the configuration says of where it runs, with defaults. Raises NbprodError (`bad-config`)."""
    where = target.settings.deploy
    placed = Settings(
        image=where.image or _image(target.name),
        base_image=where.base_image or f"python:{python}-slim-bookworm",
        namespace=where.namespace or "default",
        replicas=where.replicas,
        port=where.port,
        canary=where.canary,
    )
    for key, wrong in objections(placed):
        raise _bad_config(target, f'"deploy.{key}" of {target.name}: {wrong}', None)
    return placed


def _taken(folder: str, known: Record) -> NbprodError:
    return NbprodError(
        f"{folder} holds the files of {known.package} for {known.target}",
        code="taken",
        where=Where(folder),
        hint="choose another folder with --dir",
    )


def _own_folder(root: Path, folder: str) -> str:
    """A folder as a posix path relative to the project's root, in which it must lie."""
    path = Path(os.path.normpath(root.resolve() / folder))
    if path == root.resolve() or not path.is_relative_to(root.resolve()):
        raise NbprodError(
            "files of a deployment lie in a folder of the project",
            code="outside",
            where=Where(folder),
            hint=f"choose a folder below {root}",
        )
    return path.relative_to(root.resolve()).as_posix()


def _below(target: Target, path: Path) -> str:
    root = target.project.root.resolve()
    whole = path.resolve()
    if not whole.is_relative_to(root):
        raise NbprodError(
            "the packages lie outside of the project, so that nothing can be built from the project alone",
            code="outside",
            where=Where(str(path)),
            hint=f"put them below {root}: output of the configuration, or -o",
        )
    return whole.relative_to(root).as_posix()


def _unknown(target: str) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(re.sub(r"^k8s?$", "kubernetes", target.lower()), TARGETS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(sorted(TARGETS))}"
    return NbprodError(f'there is no target "{target}"', code="unknown-target", hint=hint)
