"""Where the workflows of a project check notebooks and packages, and whether a check there may fail unnoticed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbprod.documents import value_of
from nbprod.model.workflow import CheckStep

FOLDER = ".github/workflows"
SETUP = """\
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
"""
"""The first steps of a job that calls nbprod."""
_CHECKS = re.compile(r"(?:^|[\s;&|])nbprod\s+(?:check|export\b[^\n;&|]*\s--check|verify)\b")

_COMMENT = re.compile(r"(?:^|\s)#.*")
_CHANGES = frozenset({"push", "pull_request", "pull_request_target", "merge_group", "workflow_call"})
"""Events by which a change of the code starts a workflow."""

_ACTION = re.compile(r"/nbprod/\.github/actions/nbprod@")


def check_steps(folder: Path) -> tuple[CheckStep, ...]:
    """The steps that check, in the workflows of the project in `folder`; a file that is no YAML has none."""
    return tuple(step for path in sorted((folder / FOLDER).glob("*.y*ml")) for step in _of_file(path))


def _of_file(path: Path) -> Iterator[CheckStep]:
    try:
        workflow = _mapping(value_of(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return
    idle = _idle(workflow)
    for job in map(_mapping, _mapping(workflow.get("jobs")).values()):
        steps = job.get("steps")
        for step in map(_mapping, steps if isinstance(steps, list) else ()):
            used = str(step.get("uses", ""))
            if _ACTION.search(used):
                yield CheckStep(path.name, used, idle or _loosened(step, "") or _loosened(job, ""))
            lines = [line.strip() for line in str(step.get("run", "")).splitlines()]
            at = next((n for n, line in enumerate(lines) if _CHECKS.search(_COMMENT.sub("", line))), None)
            if at is not None:
                careless = "set +e lets it fail" if "set +e" in lines[:at] else None
                loosened = idle or _loosened(step, lines[at]) or _loosened(job, lines[at]) or careless
                yield CheckStep(path.name, lines[at], loosened)


def _idle(workflow: Mapping[Any, Any]) -> str | None:
    """That no change of the code starts a workflow, where that is so."""
    # YAML 1.1 reads the key `on` as true.
    asked: Any = workflow.get("on", workflow.get(True))
    events = [asked] if isinstance(asked, str) else list(asked) if isinstance(asked, (list, dict)) else []
    if not events or not _CHANGES.isdisjoint(map(str, events)):
        return None
    return f"it runs on {', '.join(map(str, events))}, and on no change"


def _loosened(part: Mapping[str, Any], command: str) -> str | None:
    """What lets a job or step be passed over, or its failure with it."""
    if part.get("continue-on-error") not in (None, False):
        return "continue-on-error lets it fail"
    if "if" in part:
        return f"it only runs if {part['if']}"
    return "what follows || lets it fail" if "||" in command else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
