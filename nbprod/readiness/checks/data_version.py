"""RP-4: the data have a version."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import DataFile, Facts
from nbprod.readiness.judging import RUN, contradicted, declare, first_of, missing, no_run, proved, stale


def _judge(facts: Facts) -> Told:
    if facts.finished is None:
        return no_run(facts)
    run = facts.finished.run_id[:8]
    if facts.data is None:
        return missing(f"the files of run {run} are on record where they can't be read from here")
    if not facts.data:
        return missing(f"run {run} has read no file, so that its data have no digest")
    gone = tuple(each.path for each in facts.data if each.now is None)
    if gone:
        return stale(f"run {run} read what is not here any more: {first_of(gone)}", RUN)
    silent = next((each for each in facts.data if each.now != each.then and _says_the_same(facts, each)), None)
    if silent is not None:
        stated = f'data.versions: "{silent.path}" = "{silent.version}", then and now'
        return contradicted(f"{silent.path} is not what run {run} read", stated, declare("data.versions"))
    changed = tuple(each.path for each in facts.data if each.now != each.then)
    if changed:
        return stale(f"changed since run {run}: {first_of(changed)}", RUN)
    files = f"{len(facts.data)} file{'s' if len(facts.data) > 1 else ''}"
    return proved(f"run {run} has the sha256 of {files} that it read, and they are still the same")


def _says_the_same(facts: Facts, file: DataFile) -> bool:
    """Whether a version is declared of the file, and still the one of the run."""
    return file.version is not None and facts.settings.data.versions.get(file.path) == file.version


CHECK = Check(
    id="RP-4",
    title="The data have a version",
    why="A model is made of code and data, and a record of the code alone cannot be repeated. "
    "Each file that the run has read is on record by its digest, and is compared with today's.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="run it on the data as they are: nbprod run NOTEBOOK",
    judge=_judge,
    tests=("Infra 1",),
    keys=("data.versions",),
)
