"""Kubeflow Pipelines: typed components that run the stages of the notebook, prove the new version, and judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from nbprod.deploy import calling, interval
from nbprod.deploy.exporter import Compiled, Exporter, header
from nbprod.deploy.image import dns_name, hold_to_training, project_claim
from nbprod.deploy.python import filled, literal
from nbprod.model.deployment import VERSION, Deployment, File, Step

PIPELINE = Path(__file__).with_name("kfp_pipeline.txt")
README = Path(__file__).with_name("kfp_readme.txt")
SOURCE, YAML = "pipeline.py", "pipeline.yaml"
PROJECT = "/project"


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    hold_to_training(deployment, "kfp")
    yield File(f"{folder}/{SOURCE}", header(deployment, "kfp") + _pipeline(deployment))
    yield File(f"{folder}/README.md", f"<!--\n{header(deployment, 'kfp', '')}-->\n{_readme(deployment, folder)}")


def _pipeline(deployment: Deployment) -> str:
    flow = deployment.flow
    values = {
        "NAME": literal(deployment.name),
        "TITLE": literal(dns_name(deployment.name)),
        "DESCRIPTION": literal(_description(deployment)),
        "IMAGE": literal(deployment.training_tag),
        "PROJECT": literal(PROJECT),
        "VOLUME": literal(project_claim(deployment)),
        "COPY": literal(deployment.copy),
        "CRON": literal(None if flow.cron is None else six_fields(flow.cron)),
        "VERSION": literal(VERSION),
        "INTERVAL": literal(flow.interval),
        "FUNCTIONS": ", ".join(each.__name__ for each in calling.FUNCTIONS),
        "CALLING": calling.sources().rstrip(),
        "INTERVALS": interval.source().rstrip(),
        "STEPS": "\n".join(f"    {line}" for step in flow.steps for line in _task(step)),
    }
    return filled(PIPELINE.read_text(encoding="utf-8"), values)


def _task(step: Step) -> Iterator[str]:
    name = _name(step.name)
    yield f"{name} = {step.makes}("
    yield f"    run=RUN, task={literal(step.name)}, retries={step.retries},"
    yield f"    arguments={literal(step.arguments)},"
    if step.takes_parameters:
        yield "    parameters=parameters,"
        yield '    interval_start=begun.outputs["interval_start"],'
        yield '    interval_end=begun.outputs["interval_end"],'
    if step.version_of is not None:
        yield f'    version={_name(step.version_of)}.outputs["version"],'
    yield f"    hands={literal(step.hands)},"
    yield f"    seconds={step.timeout},"
    yield ")"
    after = ", ".join(map(_name, step.after)) or "begun"
    yield f"placed({name}, {literal(step.name)}, {step.retries}, {step.pause}, {after})"


def _name(step: str) -> str:
    return f"step_{step}"


def six_fields(cron: str) -> str:
    """Five fields of cron as Kubeflow takes them, seconds before them."""
    return f"0 {cron}"


def _description(deployment: Deployment) -> str:
    said = [f"Train {deployment.name} again, prove it, and let the gates decide."]
    if deployment.problem:
        said.append(deployment.problem)
    said.append(f"Owner: {deployment.owner or 'not declared'}")
    return "\n".join(said)


def _readme(deployment: Deployment, folder: str) -> str:
    flow = deployment.flow
    at = f"`{six_fields(flow.cron)}`" if flow.cron else "none is declared (`retraining.cadence`)"
    given = (
        f"Start and end go to the notebook as `{flow.interval[0]}` and `{flow.interval[1]}`"
        if flow.interval
        else "`retraining.interval` names two parameters of the notebook that take them"
    )
    values = {
        "NAME": deployment.name,
        "TITLE": dns_name(deployment.name),
        "FOLDER": quote(folder),
        "SCRIPT": quote(f"{folder}/{SOURCE}"),
        "IMAGE": deployment.training_tag,
        "VOLUME": project_claim(deployment),
        "PROJECT": PROJECT,
        "SCHEDULE": at,
        "INTERVAL": given,
    }
    return filled(README.read_text(encoding="utf-8"), values)


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    return (
        f"the components run in the image {deployment.training_tag}: nbprod deploy {deployment.name} docker",
        f"a copy of its project lies on a volume: the claim {project_claim(deployment)}, in the namespace of the runs",
    )


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    return (f"kfp pipeline create -p {dns_name(deployment.name)} {quote(f'{folder}/{YAML}')}",)


EXPORTER = Exporter(
    "kfp",
    "Kubeflow Pipelines: typed components that train again, prove and promote",
    _files,
    _notes,
    _next,
    compiled=Compiled(SOURCE, YAML, package="kfp", at_least=2, variable="NBPROD_KFP_PYTHON"),
)
