"""The verb `run --retrain`: train the champion's notebook again, judge what comes of it, and promote it where asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, to_builtins

from nbprod import tracking, versions
from nbprod.api.gates import blocking
from nbprod.api.packages import Target, package_of, split_reference
from nbprod.api.parameters import parameters_of, read_parameters
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.promoting import gated, promoted, replaced_by
from nbprod.api.rerunning import manifest_of, model_of, notebook_here
from nbprod.api.running import run_notebook
from nbprod.api.tracked import check_reachable, store_of
from nbprod.errors import NbprodError, Where
from nbprod.model.run import Version
from nbprod.notebook import read


class Recorded(Struct, frozen=True):
    """The parameters that a version was trained with; `reason` says why they are not known."""

    values: dict[str, str]
    reason: str | None = None


def retrain(
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    parameters_file: str | None = None,
    promote: bool = False,
    output: str | None = None,
    kernel: str | None = None,
    timeout: float | None = None,
    first_stage: str | None = None,
    last_stage: str | None = None,
    use_cache: bool = True,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Run the notebook of the package `name` again, and judge the new version by the gates (schemas/retrain.json).

    The parameters are those of the champion's run (where there is no champion: of the newest fitted version), over them
    those of `parameters_file`, and over these `parameters`. The new version is the challenger, and with `promote` the
    champion where the gates let it pass. What is refused runs nothing, as with `run_notebook`. With `last_stage` it
    runs up to there and no further, as `run_notebook` does, and gives what that gives. Raises NbprodError:
    `no-package`, `not-fitted`, `no-run` where the notebook is not here, and what `run_notebook` raises.
    """
    package, reference = split_reference(name)
    if reference is not None:
        raise NbprodError(
            f'"{name}" names a version, and a package is retrained',
            code="usage",
            hint=f"nbprod run {package} --retrain",
        )
    target = package_of(package, output=output)
    before = replaced_by(target, versions.CHAMPION)
    start = versions.fitted_only(package, before or versions.resolve(target.root, package))
    path = _notebook(target, start)
    recorded = _recorded(target, start, path)
    given = {
        **recorded.values,
        **(read_parameters(parameters_file) if parameters_file else {}),
        **(parameters or {}),
    }
    report = run_notebook(
        path,
        parameters=given,
        output=str(target.root),
        name=package,
        auto=True,
        model=model_of(target, start),
        batch=manifest_of(target, start).get("serves") == "batch",
        kernel=kernel,
        timeout=timeout,
        first_stage=first_stage,
        last_stage=last_stage,
        retrains=True,
        use_cache=use_cache,
        on_progress=on_progress,
    )
    if last_stage is not None:
        return report
    about = {
        "name": package,
        "champion": None if before is None else before.number,
        "from_version": start.number,
        "parameters": {each: tracking.redacted(each, value) for each, value in given.items()},
        "parameters_unknown": recorded.reason,
    }
    if report["refusals"]:
        return {**report, **about, "promotion": None}
    return {**report, **about, "promotion": _judged(target, report, before, promote=promote, tell=on_progress)}


def _judged(
    target: Target, report: Mapping[str, Any], before: Version | None, *, promote: bool, tell: OnProgress
) -> dict[str, Any]:
    """The gates' findings; with `promote` what came of the promotion, as `promote` reports it."""
    number = report["version"]
    tell(Progress(target.name, "gates", f"judging version {number}"))
    if promote:
        return promoted(target, number, why="retrained", tell=tell)
    version = versions.resolve(target.root, target.name, number)
    same = before is not None and before.number == number
    gates = () if same else gated(target, version, before, tell)
    return {
        "alias": versions.CHAMPION,
        "before": None if before is None else before.number,
        "promoted": False,
        "passed": not same and not blocking(gates),
        "gates": [to_builtins(gate) for gate in gates],
    }


def _notebook(target: Target, version: Version) -> str:
    """The notebook that the configuration names for the package, else the one that the version was made of."""
    named = target.settings.notebook or version.notebook
    path = notebook_here(named, target)
    if path is None:
        raise NbprodError(
            f"{named} is not here to be run",
            code="no-run",
            where=Where(str(target.project.root / named)),
            hint=f"name it in the configuration: [pipelines.{target.name}] notebook = PATH",
        )
    return path


def _recorded(target: Target, version: Version, path: str) -> Recorded:
    """The parameters of a version's run that its notebook still sets; a secret is not recorded."""
    if version.run is None:
        return Recorded({}, f"version {version.number} was fitted in no run")
    uri = store_of(target)
    try:
        check_reachable(uri)
        run = tracking.get_run(version.run, uri=uri)
    except NbprodError as error:
        return Recorded({}, error.message)
    known = parameters_of(read(path))
    return Recorded({name: text for name, text in run.params.items() if name in known and not tracking.is_secret(name)})
