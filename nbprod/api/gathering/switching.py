"""RT-4, DT-6: a service that follows the champion goes back and forward, and again and again under load.

All of it happens in a copy of the package: no alias of the project moves.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbprod import versions
from nbprod.api.gathering.client import Client
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.packages import Target
from nbprod.api.serving import Fitted, running, serve_command
from nbprod.model.readiness import Evidence

SWAPS, CLIENTS = 20, 4
REQUESTS = 10_000
PATIENCE, PAUSE = 30.0, 0.02
"""Seconds that a switch may take before it counts as lost, and between two looks."""
MOST_SECONDS = 90.0


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of the way back, and of updates under load."""
    now, before = _two(ground)
    with tempfile.TemporaryDirectory(prefix="nbprod-switch-") as folder:
        root = Path(folder)
        shutil.copytree(ground.target.root / ground.target.name, root / ground.target.name)
        target = Target(ground.target.name, root, ground.target.project)
        for number in (before, now):
            versions.promote(root, target.name, number)
        fitted = Fitted(target, versions.resolve(root, target.name, now), ground.fitted.python, versions.CHAMPION)
        with running(serve_command(fitted, port=0)) as (url, _):
            yield _rehearsed(ground, target, url, now, before)
            yield _under_load(ground, target, url, (now, before))


def _two(ground: Ground) -> tuple[int, int]:
    """The newest fitted version, and the one to go back to: the champion before it, else the one fitted before it."""
    target, now = ground.target, ground.version.number
    champion = versions.aliases(target.root, target.name).get(versions.CHAMPION)
    past = versions.previous(target.root, target.name)
    fitted = [each.number for each in versions.ledger(target.root, target.name) if each.state is not None]
    wanted = [each for each in (past, champion, *reversed(fitted)) if each in fitted and each != now]
    if not wanted:
        raise UntriedError(f"there is no fitted version before version {now} to go back to")
    return now, int(wanted[0] or 0)


def _rehearsed(ground: Ground, target: Target, url: str, now: int, before: int) -> Evidence:
    """RT-4: back and forward once, each until the service answers by the other version."""
    client, good = Client(url), ground.request(ground.record)
    spent = []
    for number in (before, now):
        began = time.monotonic()
        versions.promote(target.root, target.name, number)
        while _version(client, good) != number:
            if time.monotonic() - began > PATIENCE:
                client.close()
                text = f"the service did not answer by version {number} within {PATIENCE:g} seconds"
                return ground.seen("RT-4", False, text, "the champion", "max_rollback_seconds")
            time.sleep(PAUSE)
        spent.append(time.monotonic() - began)
    client.close()
    most = ground.facts.settings.max_rollback_seconds
    back, forward = spent
    text = f"a service went back from version {now} to {before} in {back:.2f} s, and forward again in {forward:.2f} s"
    if most is not None and back > most:
        stated = f"max_rollback_seconds = {most:g}"
        return ground.seen("RT-4", False, text, "the champion", "max_rollback_seconds", contradicts=stated)
    numbers = {"back_seconds": back, "forward_seconds": forward, "versions": [now, before]}
    return ground.seen("RT-4", True, text, "the champion", "max_rollback_seconds", numbers=numbers)


def _version(client: Client, good: Any) -> int | None:
    """The version that answers a request now; an answer that fails is none."""
    status, answer = client.asked("/predict", good)
    return int(answer["version"].lstrip("v")) if status == 200 and answer else None


class _Load:
    """Clients that ask without a pause: what failed, which versions answered, and the longest wait."""

    def __init__(self, url: str, good: Any, digests: dict[str, str]) -> None:
        self.url, self.good, self.digests = url, good, digests
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.asked = 0
        self.faults: Counter[str] = Counter()
        self.answers: dict[str, set[str]] = {}
        self.longest = 0.0

    def ask(self) -> None:
        """Ask until the load is stopped."""
        client = Client(self.url)
        while not self.stopped.is_set():
            began = time.monotonic()
            try:
                status, answer = client.asked("/predict", self.good)
                fault = self._fault(status, answer)
            except OSError as error:
                answer, fault = None, f"no answer: {error}"
            took = time.monotonic() - began
            with self.lock:
                self.asked += 1
                self.longest = max(self.longest, took)
                if fault:
                    self.faults[fault] += 1
                else:
                    self.answers.setdefault(answer["version"], set()).add(repr(answer["predictions"]))
        client.close()

    def _fault(self, status: int, answer: Any) -> str | None:
        if status != 200 or answer is None:
            return f"status {status}"
        return None if self.digests.get(answer["version"]) == answer["digest"] else "a digest of another version"


def _under_load(ground: Ground, target: Target, url: str, numbers: tuple[int, int]) -> Evidence:
    """DT-6: the alias moves again and again while clients ask; each answer must be of one version as a whole."""
    listed = {f"v{each.number:04d}": each.digest for each in versions.ledger(target.root, target.name)}
    good = ground.request(ground.record)
    load = _Load(url, good, listed)
    clients = [threading.Thread(target=load.ask, daemon=True) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    watcher, lost, done = Client(url), 0, 0
    until = time.monotonic() + MOST_SECONDS
    while (done < SWAPS or load.asked < REQUESTS) and time.monotonic() < until:
        number = numbers[(done + 1) % 2]
        versions.promote(target.root, target.name, number)
        began = time.monotonic()
        while _version(watcher, good) != number and time.monotonic() - began < PATIENCE:
            time.sleep(PAUSE)
        lost += time.monotonic() - began >= PATIENCE
        done += 1
        ground.tell(f"switching under load: {done} switches, {load.asked:,} requests")
    load.stopped.set()
    for each in clients:
        each.join(PATIENCE)
    watcher.close()
    mixed = [version for version, predictions in load.answers.items() if len(predictions) > 1]
    text = (
        f"{done} switches under load: {sum(load.faults.values())} of {load.asked:,} requests failed, "
        f"{len(mixed)} versions gave more than one answer, the longest wait was {load.longest:.2f} s"
    )
    told = {"switches": done, "requests": load.asked, "faults": dict(load.faults), "longest_seconds": load.longest}
    if lost or load.faults or mixed:
        return ground.seen("DT-6", False, f"{text}{f'; {lost} switches did not come' if lost else ''}", numbers=told)
    if done < SWAPS or load.asked < REQUESTS:
        return ground.seen("DT-6", None, f"{text}; {SWAPS} switches and {REQUESTS:,} requests were meant", numbers=told)
    most = ground.facts.settings.requirements.max_stall_ms
    if most is not None and 1000 * load.longest > most:
        against = f"requirements.max_stall_ms = {most:g}"
        return ground.seen("DT-6", False, text, "requirements", contradicts=against, numbers=told)
    return ground.seen("DT-6", True, text, "requirements", numbers=told)


PROBE = Probe(
    ("RT-4", "DT-6"),
    "going back to the version before, and switching under load",
    run,
    inputs=("the champion", "max_rollback_seconds", "requirements"),
    alone=True,
)
