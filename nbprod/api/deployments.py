"""A fitted version as exporters need it: what it is, how it is trained again, what is declared and known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from nbprod import codegen, versions
from nbprod.api.deployed import elsewhere
from nbprod.api.evidence import evidence_of
from nbprod.api.exporting import planned
from nbprod.api.packages import Target
from nbprod.api.parameters import parameters_of
from nbprod.api.rerunning import manifest_of, model_of, notebook_here
from nbprod.api.scripts import answered
from nbprod.api.serving import interpreter
from nbprod.deploy import closure
from nbprod.deploy.closure import normalized
from nbprod.deploy.exporter import Exporter
from nbprod.deploy.flow import flow_of
from nbprod.deploy.records import Record
from nbprod.deploy.settings import objections
from nbprod.errors import NbprodError, Where
from nbprod.model.cadence import cron_of
from nbprod.model.deployment import Deployment, Load, Settings
from nbprod.model.run import Version
from nbprod.notebook import read
from nbprod.plan.stages import handovers

CLOSURE = Path(closure.__file__)
FIFTH = 0.2
MOST_STAGES = ("data", "features", "train")


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
    _hold_to_layout(target, version, folder)
    manifest, fitted = manifest_of(target, version), versions.read_object(folder / "state" / "fitted.json") or {}
    settings = target.settings
    stages, notes = _stages(target, version, manifest)
    retraining, asked = settings.retraining, settings.requirements
    python = python_of(fitted)
    settled = placed(target, python)
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
        serves="batch" if manifest.get("serves") == "batch" else "rows",
        flow=flow_of(
            target.name,
            stages,
            cron=cron_of(retraining.cadence) if retraining.cadence else None,
            interval=_interval(target, version),
            promotes=retraining.promotes,
        ),
        settings=settled,
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
        elsewhere=elsewhere(target.project.root, target.name),
    )
    return deployment, notes


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


def _hold_to_layout(target: Target, version: Version, folder: Path) -> None:
    """Raise NbprodError where the modules that run a version lie elsewhere than what is written looks for them."""
    if not (folder / "runtime").is_dir():
        raise NbprodError(
            f"version {version.number} of {target.name} was exported by an earlier release, with its modules elsewhere",
            code="earlier-layout",
            where=Where(str(folder)),
            hint="export it again, which makes another version: nbprod run " + quote(version.notebook),
        )


def python_of(fitted: Mapping[str, Any]) -> str:
    """The minor version of Python that a version was fitted with."""
    return ".".join(str(fitted.get("python", "3.11")).split(".")[:2])


def placed(target: Target, python: str) -> Settings:
    """What the configuration says of where it runs, with defaults. Raises NbprodError (`bad-config`)."""
    where = target.settings.deploy
    settled = Settings(
        image=where.image or _image(target.name),
        base_image=where.base_image or f"python:{python}-slim-bookworm",
        namespace=where.namespace or "default",
        replicas=where.replicas,
        port=where.port,
        canary=where.canary,
    )
    for key, wrong in objections(settled):
        raise _bad_config(target, f'"deploy.{key}" of {target.name}: {wrong}', None)
    return settled


def _image(name: str) -> str:
    """A package's name as that of an image, which has small letters and begins with one or a digit."""
    return re.sub(r"^[^a-z0-9]+|[^a-z0-9]+$", "", re.sub(r"_{3,}", "__", name.lower())) or "pipeline"


def _bad_config(target: Target, message: str, hint: str | None) -> NbprodError:
    source = target.project.source
    return NbprodError(message, code="bad-config", where=None if source is None else Where(str(source)), hint=hint)


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
