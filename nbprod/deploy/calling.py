"""One call of nbprod by the task of an engine. Exporters copy these functions: each imports what it needs itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def call(
    python: str,
    arguments: list[str],
    project: str,
    environment: dict[str, str],
    tell: Callable[[str], Any],
    begun: Callable[[Any], Any],
    seconds: float | None = None,
) -> tuple[int, dict[str, Any], list[str]]:
    """Run `python -m nbprod` in the project, and give its exit code, the record of stdout, the last lines of stderr.

    Each line of stderr is told as it comes, and `begun` gets the process. What ends this function early (an engine's
    timeout, a signal) ends the processes of the call as well; after `seconds` it does so itself: TimeoutError.
    """
    import collections
    import json
    import subprocess
    import threading

    process: Any = subprocess.Popen(
        [python, "-m", "nbprod", *arguments],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        end(process)

    said: collections.deque[str] = collections.deque(maxlen=40)
    written: list[str] = []
    reader = threading.Thread(target=lambda: written.append(process.stdout.read()), daemon=True)
    timer = threading.Timer(seconds or threading.TIMEOUT_MAX, stop)
    timer.daemon = True
    try:
        begun(process)
        reader.start()
        timer.start()
        for line in process.stderr:
            tell(line.rstrip())
            said.append(line.rstrip())
        reader.join()
        code = process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            end(process)
    if late.is_set():
        raise TimeoutError(f"it took longer than {seconds} seconds, and was ended")
    try:
        record = json.loads("".join(written) or "{}")
    except ValueError:
        record = {}
    return code, record if isinstance(record, dict) else {}, list(said)


def end(process: Any) -> None:
    """End a process and those that it began: they are asked first, and killed after ten seconds."""
    import os
    import signal
    import subprocess

    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def reason(record: dict[str, Any], said: list[str]) -> str:
    """Why a call ended as it did: the gates that stopped it, what was refused, else the error that it told."""
    judged = record.get("promotion") or record
    gates = [f"{each['name']}: {each['reason']}" for each in judged.get("gates") or () if each.get("blocks")]
    if gates:
        return "stopped by " + "; ".join(gates)
    refused = [f"cell {each['cell']}, line {each['line']}: {each['reason']}" for each in record.get("refusals") or ()]
    if refused:
        return "refused: " + "; ".join(refused)
    proof = (record.get("verify") or {}).get("status")
    if proof in ("failed", "refused"):
        return f"the proof is {proof}: " + " ".join(said[-5:])
    errors = [number for number, line in enumerate(said) if line.startswith("error")]
    return "\n".join(said[errors[-1] if errors else -5 :]) or "it told no reason"


def chosen(record: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """The parts of a record that are handed on; `verify.status` is that of `verify` alone."""
    found: dict[str, Any] = {}
    for key in keys:
        *outer, last = key.split(".")
        source, target = record, found
        for each in outer:
            source, target = source.get(each) or {}, target.setdefault(each, {})
        if last in source:
            target[last] = source[last]
    return found


FUNCTIONS = (call, end, reason, chosen)


def sources() -> str:
    """The text of the functions, for a file that imports nothing of nbprod."""
    return "\n\n".join(inspect.getsource(each) for each in FUNCTIONS)
