"""The schedule of a retraining, as cron and as a workflow of GitHub, written from the configuration and found again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from nbprod.api.deployed import deployed
from nbprod.api.workflows import FOLDER, SETUP
from nbprod.config import Config
from nbprod.deploy.records import digest_of
from nbprod.documents import value_of
from nbprod.errors import NbprodError, Where
from nbprod.model.cadence import cron_of
from nbprod.model.workflow import Schedule

CRONTAB = ".nbprod/crontab"
Kind = Literal["cron", "github"]

WORKFLOW = """\
name: retrain {name}
on:
  schedule:
    - cron: "{cron}"
  workflow_dispatch:
permissions:
  contents: write
concurrency: nbprod-retrain-{name}
jobs:
  retrain:
    runs-on: ubuntu-latest
    steps:
{setup}\
      - run: pip install nbprod -r "$(ls {folder}/{name}/v*/requirements.lock | tail -n 1)"
      # Who promotes is on record: here it is the workflow.
      - run: git config user.name "retrain {name}" && git config user.email github-actions@users.noreply.github.com
      - run: {command}
      # A refusal is recorded too, and the challenger is kept.
      - if: always()
        run: |
          git add {folder}/{name}
          git diff --cached --quiet || git commit -m "Retrain {name}"
          git push
"""


def scheduled(root: Path, config: Config, kind: Kind) -> Iterator[tuple[Path, str | None]]:
    """The files of the schedules of all pipelines that state a cadence, with their new text; None: it says so already.

    Raises NbprodError: `no-cadence` where no pipeline states one, `other-schedule` for a workflow with another one.
    """
    crons = {
        name: cron_of(each.retraining.cadence) for name, each in config.pipelines.items() if each.retraining.cadence
    }
    if not crons:
        raise NbprodError(
            "no pipeline states how often it is trained again",
            code="no-cadence",
            where=Where(str(root)),
            hint='write it into the configuration: [pipelines.NAME.retraining] cadence = "weekly"',
        )
    if kind == "github":
        yield from (_workflow(root, config.output, name, cron) for name, cron in crons.items())
    else:
        yield _crontab(root, crons)


def schedules(root: Path, name: str) -> tuple[Schedule, ...]:
    """What trains the pipeline `name` again on a schedule: workflows of the project in `root`, and deployments."""
    paths = sorted((root / FOLDER).glob("*.y*ml"))
    workflows = (Schedule(path.name, cron) for path in paths for cron in _crons(path, name))
    return (*workflows, *_deployed(root, name))


def _deployed(root: Path, name: str) -> Iterator[Schedule]:
    """The schedules of deployments whose files are as they were written."""
    for found in deployed(root, name):
        if found.record is None or found.record.schedule is None:
            continue
        try:
            texts = {path: (root / path).read_text("utf-8") for path in found.record.files}
        except (OSError, ValueError):
            continue
        if all(digest_of(texts[path]) == each.digest for path, each in found.record.files.items()):
            yield Schedule(found.folder, found.record.schedule)


def command(name: str) -> str:
    """What is called when the time has come."""
    return f"nbprod run {name} --retrain --promote"


def _workflow(root: Path, output: str, name: str, cron: str) -> tuple[Path, str | None]:
    path = root / FOLDER / f"nbprod-retrain-{name}.yml"
    if not path.exists():
        folder = output.rstrip("/")
        return path, WORKFLOW.format(setup=SETUP, name=name, cron=cron, folder=folder, command=command(name))
    found = list(_crons(path, name))
    if cron in found:
        return path, None
    there = f"has the schedule {found[0]}" if found else f"does not train {name} again"
    raise NbprodError(
        f"this workflow {there}, and the configuration asks for {cron}",
        code="other-schedule",
        where=Where(str(path)),
        hint="change one of the two; removed, the workflow is written anew",
    )


def _crontab(root: Path, crons: Mapping[str, str]) -> tuple[Path, str | None]:
    """A file for crontab(1), which starts with hardly any PATH; a percent sign would be a new line to it."""
    path = root / CRONTAB
    lines = ["# Written by nbprod init --schedule cron; install it with crontab(1).\n"]
    for name, cron in crons.items():
        call = f"cd {quote(str(root.resolve()))} && {quote(sys.executable)} -m {command(name)} --quiet"
        lines.append(f"{cron} {call} >> .nbprod/retrain-{name}.log 2>&1".replace("%", r"\%") + "\n")
    text = "".join(lines)
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    return path, None if text == before else text


def _crons(path: Path, name: str) -> Iterator[str]:
    try:
        value = value_of(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(value, dict):
        return
    # YAML 1.1 reads the key `on` as true.
    asked: Any = value.get("on", value.get(True))
    listed = asked.get("schedule") if isinstance(asked, dict) else None
    calls = re.compile(rf"(?:^|[\s;&|])nbprod\s+run\s+{re.escape(name)}\s[^\n;&|]*--retrain\b", re.MULTILINE)
    if not isinstance(listed, list) or not any(calls.search(text) for text in _commands(value)):
        return
    yield from (str(each["cron"]) for each in listed if isinstance(each, dict) and "cron" in each)


def _commands(workflow: Mapping[Any, Any]) -> Iterator[str]:
    jobs = workflow.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict):
                yield str(step.get("run", ""))
