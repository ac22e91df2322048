"""Evidence that takes time: the service is started, faults are planted, training is done again; it is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import closing
from threading import Event, Lock, get_ident

from nbprod.api.evidence import keep, note
from nbprod.api.facts import facts_of
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.gathering.probes import PROBES
from nbprod.api.packages import target_of
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.readying import checklist, checklist_of, left_out, standing_of
from nbprod.errors import NbprodError
from nbprod.model.readiness import Evidence
from nbprod.readiness.facts import Facts

__all__ = ["gather"]

STAGE = "gather"
NOTHING = "nothing is declared that could be looked at"
TOGETHER = 2
"""Probes that are at work at once: most of them wait for a process that starts."""


def gather(
    path: str,
    *,
    output: str | None = None,
    items: Collection[str] | None = None,
    anew: bool = False,
    on_progress: OnProgress = silent,
) -> tuple[str, ...]:
    """Make the evidence of the checklist that takes time, where it is missing or stale, or all of it `anew`.

    Only for `items` where they are given. What can't be tried is kept as such, with the reason. Gives the items that
    there is new evidence of; `readiness` reads what was kept. Raises NbprodError where there is no notebook. Stopped
    in the middle, it begins no further check, and those at work end at their next word.
    """
    target = target_of(path, output=output)
    on_progress(Progress(path, STAGE, "going through the checklist"))
    facts = facts_of(target, path)
    checklist_of(target, facts)
    wanted = [each for each in PROBES if anew or not _is_fresh(each, facts)]
    skipped = left_out(facts)
    wanted = [each for each in wanted if not set(each.items) <= skipped]
    if items is not None:
        wanted = [each for each in wanted if not set(each.items).isdisjoint(items)]
    told: list[str] = []
    lock, stopped, done = Lock(), Event(), 0

    def tell(text: str) -> None:
        if stopped.is_set():
            return
        with lock:
            on_progress(Progress(path, STAGE, text, done, len(wanted)))

    def work(probe: Probe) -> list[Evidence]:
        own = get_ident()

        def say(text: str) -> None:
            # What a check has begun may speak from a thread of its own, which has nobody to raise to.
            if stopped.is_set() and get_ident() == own:
                raise CancelledError
            tell(text)

        say(probe.says)
        return _tried(probe, Ground(target, path, facts, say))

    for probes, workers in (([each for each in wanted if not each.alone], TOGETHER), (wanted, 1)):
        chosen = [each for each in probes if workers > 1 or each.alone]
        with closing(_worked(work, chosen, workers, stopped)) as seen:
            for evidence in seen:
                keep(target, evidence)
                told.extend(each.item for each in evidence)
                done += 1
    note(target, standing_of(checklist(target, path)))
    tell("kept in .nbprod/evidence")
    return tuple(sorted(told))


def _worked(
    work: Callable[[Probe], list[Evidence]], probes: Sequence[Probe], workers: int, stopped: Event
) -> Generator[list[Evidence], None, None]:
    """What each probe has seen; a fault of one is raised once the others are done, so that theirs is not lost."""
    pool, faults = ThreadPoolExecutor(workers), []
    try:
        for each in as_completed([pool.submit(work, probe) for probe in probes]):
            fault = each.exception()
            if fault is None:
                yield each.result()
            else:
                faults.append(fault)
    except BaseException:
        stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if faults:
        raise faults[0]


def _tried(probe: Probe, ground: Ground) -> list[Evidence]:
    """What a probe has seen; where it could not be made, that, for each of its items."""
    try:
        seen = list(probe.run(ground))
        told = {each.item for each in seen}
        rest = [item for item in probe.items if item not in told]
        return [*seen, *(ground.seen(item, None, NOTHING, *probe.inputs) for item in rest)]
    except UntriedError as error:
        reason = str(error)
    except NbprodError as error:
        reason = error.message
    except OSError as error:
        reason = error.strerror or str(error)
    return [ground.seen(item, None, reason, *probe.inputs) for item in probe.items]


def _is_fresh(probe: Probe, facts: Facts) -> bool:
    """Whether there is evidence of all items of a probe that rests on what is here now, and some of it was tried."""
    kept = [facts.evidence.get(item) for item in probe.items]
    return any(each is not None and each.held is not None for each in kept) and all(
        each is not None and all(facts.inputs.get(name) == was for name, was in each.inputs.items()) for each in kept
    )
