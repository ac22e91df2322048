"""What made an answer: from a version back to its run, its data, its parameters, and the notebook's cells and lines."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from nbprod import tracking, versions
from nbprod.api.listing import notebook_metrics
from nbprod.api.packages import Target, package_of
from nbprod.api.rerunning import manifest_of, notebook_here
from nbprod.api.tracked import check_reachable, store_of
from nbprod.api.versioning import as_json
from nbprod.errors import NbprodError, Where
from nbprod.model.promotion import Promotion
from nbprod.model.run import RunSummary, Version

FEATURES = "features.py"
INPUTS = "inputs.json"


def trace(
    name: str, reference: str | None = None, feature: str | None = None, *, output: str | None = None
) -> dict[str, Any]:
    """The origin of what a version answers, or of one of its features (schemas/trace.json).

    `reference` is what a served answer names as its version, or anything else that means one; without it the champion,
    and where there is none the newest fitted version. Raises NbprodError: `no-package`, `no-version`,
    `unknown-feature`.
    """
    target = package_of(name, output=output)
    if reference is None and versions.CHAMPION in versions.aliases(target.root, name):
        reference = versions.CHAMPION
    version = versions.resolve(target.root, name, reference)
    manifest = manifest_of(target, version)
    features = [_feature(manifest, each) for each in _chosen(manifest, feature, target, version)]
    moves = [each for each in versions.promotions(target.root, name) if _concerns(each, version.number)]
    return {
        **as_json(version),
        "name": name,
        "package": versions.version_folder(target.root, name, version.number).as_posix(),
        "notebook_here": notebook_here(version.notebook, target),
        "hand_edits": list(versions.hand_edits(target.root, name, version.number)),
        "traced_run": _run(target, version),
        "raw": _raw(manifest),
        "features": features,
        "target": manifest.get("target"),
        "model": _model(manifest),
        "promotions": [to_builtins(each) for each in moves],
    }


def _concerns(promotion: Promotion, number: int) -> bool:
    """Whether a version was moved to, refused, or replaced."""
    return promotion.version == number or (promotion.before == number and promotion.action != "refuse")


def _chosen(
    manifest: Mapping[str, Any], feature: str | None, target: Target, version: Version
) -> Sequence[Mapping[str, Any]]:
    known: Sequence[Mapping[str, Any]] = manifest.get("features", ())
    if feature is None:
        return known
    found = [each for each in known if each["name"] == feature]
    if found:
        return found
    names = [str(each["name"]) for each in known]
    near = get_close_matches(feature, names, n=1)
    raise NbprodError(
        f'version {version.number} of {target.name} has no feature "{feature}"',
        code="unknown-feature",
        where=Where(versions.version_folder(target.root, target.name, version.number).as_posix()),
        hint=f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}",
    )


def _feature(manifest: Mapping[str, Any], feature: Mapping[str, Any]) -> dict[str, Any]:
    steps = manifest.get("steps", ())
    return {
        "name": feature["name"],
        "digest": feature["digest"],
        "inputs": feature["inputs"],
        "steps": [_step(manifest, steps[number]) for number in feature["steps"]],
    }


def _step(manifest: Mapping[str, Any], step: Mapping[str, Any]) -> dict[str, Any]:
    """A statement of the notebook, with the lines of features.py that it became."""
    lines = sorted(
        line
        for line, cell, _, at in manifest.get("source_map", {}).get(FEATURES, ())
        if cell == step["cell"] and step["line"] <= at <= step["end_line"]
    )
    kept = ("cell", "cell_id", "line", "end_line", "binding", "status", "source")
    learned = [site["name"] for site in step["sites"]]
    return {**{key: step[key] for key in kept}, "learned": learned, "package_lines": lines}


def _raw(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    raw = manifest.get("raw")
    return {key: raw[key] for key in ("cell", "cell_id", "line", "name", "path")} if raw else None


def _model(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    model = manifest.get("model")
    if not model:
        return None
    kept = {key: model[key] for key in ("name", "estimator", "cell", "cell_id", "line", "text", "source")}
    place = {key: model[key] for key in ("cell", "cell_id", "line")}
    return {**kept, "steps": model.get("steps") or [{**place, "source": model["source"] or model["text"]}]}


def _run(target: Target, version: Version) -> dict[str, Any]:
    """The run that a version was fitted in, as the store has it; `reason` where it has not."""
    nothing: dict[str, Any] = {"run_id": version.run, "inputs": [], "parameters": {}, "metrics": {}, "reason": None}
    if version.run is None:
        return {**nothing, "reason": "the version was fitted in no run"}
    uri = store_of(target)
    try:
        check_reachable(uri)
        run = tracking.get_run(version.run, uri=uri)
        inputs = _inputs(run, uri)
    except NbprodError as error:
        return {**nothing, "reason": error.message}
    git = run.tags.get("mlflow.source.git.commit")
    return {
        "run_id": run.run_id,
        "status": run.status,
        "started": run.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "notebook": run.tags.get("nbprod.notebook", version.notebook),
        "notebook_sha256": run.tags.get("nbprod.notebook_sha256"),
        "commit": git,
        "dirty": run.tags.get("nbprod.git.dirty") == "true",
        "inputs": inputs,
        "parameters": {name: tracking.redacted(name, value) for name, value in run.params.items()},
        "metrics": notebook_metrics(run),
        "verify": run.tags.get("nbprod.verify"),
        "tracking_uri": tracking.redact_text(uri),
        "reason": None,
    }


def _inputs(run: RunSummary, uri: str) -> list[dict[str, Any]]:
    """The files that a run read, each with its sha256."""
    if INPUTS not in run.artifacts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(tracking.download(run.run_id, INPUTS, folder, uri=uri))
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
