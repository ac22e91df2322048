"""The verb `deploy`: the files with which an engine runs a version, or trains it again; written, compared, checked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, convert, to_builtins
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
from nbprod.deploy.exporter import Exporter
from nbprod.deploy.flow import flow_of
from nbprod.deploy.owned import RECORD, WRITES, Before, aside, compared, content_of, written_before
from nbprod.deploy.settings import objections
from nbprod.deploy.targets import TARGETS
from nbprod.errors import NbprodError, Where
from nbprod.model.cadence import cron_of
from nbprod.model.deployment import Deployment, File, Load, Settings, Written
from nbprod.model.run import Version
from nbprod.notebook import read
from nbprod.plan.stages import handovers
from nbprod.versions.files import explained, replace_file

CLOSURE = Path(closure.__file__)
MOST_STAGES = ("data", "features", "train")


class _Known(Struct, frozen=True):
    """What a project may not know of itself, so that it is kept beside the files: a clone has no load test."""

    package: str
    target: str
    version: int
    load: Load | None = None
    pins: tuple[str, ...] = ()


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
    before = _known(root / own / RECORD)
    if before is not None and (before.package, before.target) != (fitted.target.name, target):
        raise _taken(own, before)
    if pin:
        fitted = _pinned(fitted, exporter)
    deployment, notes = deployment_of(fitted.target, fitted.version, before)
    files = tuple(exporter.files(deployment, own))
    if exporter.compiled is not None:
        made, missing = compiled(
            exporter.compiled,
            root,
            own,
            files,
            python=python,
            check=check,
            force=force,
            merges=not (force or keep),
        )
        files, notes = (*files, *([made] if made else [])), [*notes, *([missing] if missing else [])]
    written = compared(root, own, files, merges=not (force or keep))
    if not check:
        with explained(root / own):
            written = _write(root, own, exporter, deployment, files, written, force=force, keep=keep)
    return {
        "name": deployment.name,
        "version": deployment.version,
        "digest": deployment.digest,
        "target": target,
        "folder": own,
        "checked": check,
        "files": [{"path": one.path, "state": one.state, "diff": one.diff, "kept_as": one.kept_as} for one in written],
        "notes": [*notes, *exporter.notes(deployment)],
        "next": list(exporter.steps(deployment, own)),
    }


def is_stale(report: Mapping[str, Any], *, force: bool = False, keep: bool = False) -> bool:
    """Whether files are not what their target asks for, as `deploy` reports it."""
    states = {each["state"] for each in report["files"]}
    is_open = "conflict" in states and not (force or keep)
    return is_open or (report["checked"] and bool(states & WRITES))


def deployment_of(target: Target, version: Version, known: _Known | None = None) -> tuple[Deployment, list[str]]:
    """A fitted version as exporters need it, and what a person has to know of how it was made out."""
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest, fitted = manifest_of(target, version), versions.read_object(folder / "state" / "fitted.json") or {}
    settings = target.settings
    stages, notes = _stages(target, version, manifest)
    retraining, asked, where = settings.retraining, settings.requirements, settings.deploy
    python = ".".join(str(fitted.get("python", "3.11")).split(".")[:2])
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
        load=_load(target, version, known),
        pins=_pins(target, version, requires, known),
        runbook=settings.monitoring.runbook,
        personal=tuple(name for name in settings.data.personal if name in manifest.get("inputs", ())),
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


def _load(target: Target, version: Version, known: _Known | None) -> Load | None:
    """What was measured of the version: as it was written down before, so that a new measurement changes no file."""
    if known is not None and known.version == version.number and known.load is not None:
        return known.load
    evidence = evidence_of(target).get("DT-1") or evidence_of(target).get("DT-2")
    if evidence is None or not evidence.numbers or evidence.numbers.get("version") != version.number:
        return None
    try:
        best = max(evidence.numbers["runs"], key=lambda each: each["throughput_rps"])
        memory = evidence.numbers["memory_mb"]
        return Load(p99_ms=float(best["p99_ms"]), rps=float(best["throughput_rps"]), memory_mb=float(memory))
    except (ValueError, KeyError, TypeError):
        return None


def _pins(target: Target, version: Version, requires: Sequence[str], known: _Known | None) -> tuple[str, ...]:
    """What the required distributions need in turn, where they are installed as the version was fitted with."""
    if known is not None and known.version == version.number and known.pins:
        return known.pins
    told = answered([interpreter(target, version), str(CLOSURE), *requires])
    if "reason" in told:
        return ()
    wanted = dict(line.strip().split("==", 1) for line in requires if "==" in line)
    own = {normalized(name): number for name, number in wanted.items()}
    if any(told.get(name) != number for name, number in own.items()):
        return ()
    return tuple(f"{name}=={number}" for name, number in told.items() if name not in own)


def _write(
    root: Path,
    own: str,
    exporter: Exporter,
    deployment: Deployment,
    files: Iterable[File],
    written: Iterable[Written],
    *,
    force: bool,
    keep: bool,
) -> tuple[Written, ...]:
    """Write what nobody changed; the record comes last, so that a kill leaves files that are known as ours again.

    Gives `written` with the files that a person's texts were moved to.
    """
    texts = {file.path: file.text for file in files}
    before, kept, moved = written_before(root, own), {}, {}
    for each in written:
        path = root / each.path
        if each.state == "removed":
            path.unlink()
        elif each.state in WRITES or (each.state == "conflict" and force):
            if each.state == "conflict":
                moved[each.path] = aside(path)
                path.replace(moved[each.path])
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, (each.text or texts[each.path]).encode())
        elif each.state == "conflict" and not keep:
            kept[each.path] = before.get(each.path, Before())
    about = {
        "package": deployment.name,
        "target": exporter.name,
        "version": deployment.version,
        "load": to_builtins(deployment.load),
        "pins": list(deployment.pins),
        "schedule": deployment.flow.cron if exporter.schedules(deployment) else None,
    }
    record = root / own / RECORD
    text = content_of(about, files, kept)
    if not record.is_file() or record.read_bytes() != text:
        record.parent.mkdir(parents=True, exist_ok=True)
        replace_file(record, text)
    return tuple(
        replace(each, kept_as=moved[each.path].relative_to(root).as_posix()) if each.path in moved else each
        for each in written
    )


def _known(record: Path) -> _Known | None:
    try:
        value = json.loads(record.read_text(encoding="utf-8"))
        return convert({name: value.get(name) for name in _Known.__struct_fields__}, _Known)
    except (OSError, ValueError, AttributeError):
        return None


def _pinned(fitted: Fitted, exporter: Exporter) -> Fitted:
    """The same version, once the digest of the base image is declared."""
    if not exporter.builds:
        able = ", ".join(name for name, each in TARGETS.items() if each.builds)
        raise NbprodError(f"{exporter.name} builds no image: --pin is for {able}", code="usage")
    target, version = fitted.target, fitted.version
    image = deployment_of(target, version)[0].settings.base_image
    pin_image(target, str(target.project.root / version.notebook), image)
    return fitted_version(f"{target.name}@{version.number}", output=str(target.root))


def _taken(folder: str, known: _Known) -> NbprodError:
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
