"""Apache Airflow: a DAG whose tasks run the stages of the notebook, prove the new version, and let the gates decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from nbprod.deploy import calling
from nbprod.deploy.exporter import Exporter, header, up
from nbprod.deploy.python import filled, literal
from nbprod.model.deployment import VERSION, Deployment, File, Step

DAG = Path(__file__).with_name("airflow_dag.txt")
README = Path(__file__).with_name("airflow_readme.txt")
INDENT = " " * 4


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    yield File(_path(deployment, folder), header(deployment, "airflow") + _dag(deployment, folder))
    yield File(f"{folder}/README.md", f"<!--\n{header(deployment, 'airflow', '')}-->\n{_readme(deployment, folder)}")


def _path(deployment: Deployment, folder: str) -> str:
    return f"{folder}/nbprod_{deployment.name}.py"


def _dag(deployment: Deployment, folder: str) -> str:
    values = {
        "NAME": literal(deployment.name),
        "DESCRIPTION": literal(f"Train {deployment.name} again, prove it, and let the gates decide"),
        "CRON": literal(deployment.flow.cron),
        "INTERVAL": literal(deployment.flow.interval),
        "VERSION": literal(VERSION),
        "UP": literal(up(folder)),
        "OWNER": literal(deployment.owner or "nbprod"),
        "DOC": literal(_doc(deployment)),
        "CALLING": calling.sources().rstrip(),
        "STEPS": "\n".join(f"{INDENT}{line}" for step in deployment.flow.steps for line in _task(step)),
        "ORDER": "\n".join(
            f"{INDENT}{_name(before)} >> {_name(step.name)}" for step in deployment.flow.steps for before in step.after
        ),
    }
    return filled(DAG.read_text(encoding="utf-8"), values)


def _task(step: Step) -> Iterator[str]:
    yield f"{_name(step.name)} = Nbprod("
    yield f"    task_id={literal(step.name)},"
    yield f"    doc={literal(step.what)},"
    yield f"    arguments={literal(step.arguments)},"
    yield f"    hands={literal(step.hands)},"
    yield f"    takes_parameters={literal(step.takes_parameters)},"
    yield f"    version_of={literal(step.version_of)},"
    yield f"    retries={step.retries},"
    yield f"    retry_delay=timedelta(seconds={step.pause}),"
    yield f"    execution_timeout=timedelta(seconds={step.timeout}),"
    yield ")"


def _name(step: str) -> str:
    return f"step_{step}"


def _doc(deployment: Deployment) -> str:
    lines = [f"Trains `{deployment.name}` again from `{deployment.notebook}`."]
    if deployment.problem:
        lines.append(deployment.problem)
    lines.append("\n".join(f"- **{step.name}**: {step.what}" for step in deployment.flow.steps))
    lines.append(f"Owner: {deployment.owner or 'not declared'}")
    return "\n\n".join(lines)


def _readme(deployment: Deployment, folder: str) -> str:
    cron, interval = deployment.flow.cron, deployment.flow.interval
    schedule = f"`{cron}`, in UTC" if cron else "none is declared (`retraining.cadence`), so it is started by hand"
    given = (
        f"and go to the notebook as `{interval[0]}` and `{interval[1]}` (ISO 8601)."
        if interval
        else "to whatever reads them there; `retraining.interval` names two parameters of the notebook that take them."
    )
    values = {
        "NAME": deployment.name,
        "FILE": quote(_path(deployment, folder)),
        "BARE": f"nbprod_{deployment.name}.py",
        "SCHEDULE": schedule,
        "INTERVAL": given,
    }
    return filled(README.read_text(encoding="utf-8"), values)


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    if deployment.flow.cron is None:
        return ("no retraining.cadence is declared: the DAG is started by hand",)
    return ()


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    return (
        f'ln -s "$PWD"/{quote(_path(deployment, folder))} "$AIRFLOW_HOME/dags/"',
        f"airflow dags test {deployment.name}  # runs it once, without a scheduler",
    )


EXPORTER = Exporter(
    "airflow",
    "Apache Airflow: a DAG that trains again, proves and promotes",
    _files,
    _notes,
    _next,
    schedules=lambda deployment: deployment.flow.cron is not None,
)
