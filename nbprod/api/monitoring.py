"""The verb `monitor`: served rows against the rows that a version was trained on."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import structs

from nbprod import versions
from nbprod.api.evidence import note_joined
from nbprod.api.scripts import answered
from nbprod.api.serving import Fitted, fitted_version
from nbprod.config import PipelineConfig
from nbprod.errors import NbprodError, Where
from nbprod.model.signal import Signal
from nbprod.readiness.facts import Joined

RUNNER = Path(__file__).parents[1] / "monitoring" / "runner" / "main.py"
ALERT_SECONDS = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FULL = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def monitor(
    text: str,
    *,
    rows: str | None = None,
    log: str | None = None,
    since: str | None = None,
    truth: str | None = None,
    on: str | None = None,
    replay: bool = False,
    noted: bool = True,
    output: str | None = None,
    python: str | None = None,
) -> dict[str, Any]:
    """Hold served rows against the training of a version: of a file `rows`, or of a service's `log`.

    Gives the version, what was looked at, every figure with its threshold (`signals`), whether one of them `alert`s,
    and `baseline` and `counts`, which a page can be drawn of.
    How many true answers found theirs is `noted` for the checklist.
    Raises NbprodError: `usage`, `no-package`, `no-version`, `not-fitted`, `no-baseline`, `not-monitored`.
    """
    _check(rows, log, since, truth, on)
    if replay and log is None:
        raise NbprodError("--replay goes with --log: a file of rows has no answers to hold", code="usage")
    fitted = fitted_version(text, output=output, python=python)
    settings = fitted.target.settings
    baseline = _baseline(fitted)
    begin = None if since is None else since_time(since, time.time())
    request = {
        "rows": rows,
        "log": log,
        "since": begin,
        "truth": truth,
        "on": on,
        "replay": replay,
        "slow_ms": settings.requirements.latency_ms,
    }
    told = _asked(fitted, request, rows or log or "")
    if not told["rows"]:
        raise _nothing(fitted, told, rows or log or "", since)
    if truth is not None and "truths" in told and noted:
        _note(fitted, truth, told)
    return _report(fitted, settings, baseline, told, request)


def since_time(text: str, now: float) -> float:
    """Seconds since 1970 of `90m`, `24h`, `7d` ago, or of a date such as 2026-05-01 or 2026-05-01T12:00.

    A date without a time zone is of this machine's. Raises NbprodError (`usage`).
    """
    if found := _FULL.fullmatch(text.strip()):
        return now - float(found[1]) * UNITS[found[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        hint = "such as 24h, 7d, or a date such as 2026-05-01"
        raise NbprodError(f'"{text}" is no time to begin at', code="usage", hint=hint) from None


def seconds_of(text: str) -> float:
    """Seconds of `30s`, `10m`, `6h`, `1d`. Raises NbprodError (`usage`)."""
    found = _FULL.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise NbprodError(f'"{text}" is no length of time', code="usage", hint="such as 30s, 10m, 6h, 1d")
    return float(found[1]) * UNITS[found[2]]


def tell(report: Mapping[str, Any], *, webhook: str | None = None, command: str | None = None) -> list[str]:
    """Tell an alert to a URL (POST of JSON) and a command (JSON on its stdin); gives what went wrong, in words."""
    body = json.dumps(alert_of(report), ensure_ascii=False).encode()
    failed = []
    if webhook is not None:
        reason = _posted(webhook, body)
        if reason:
            failed.append(f"the alert did not reach {_shown(webhook)}: {reason}")
    if command is not None:
        reason = _piped(command, body)
        if reason:
            failed.append(f"the alert's command failed: {reason}")
    return failed


def alert_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of an alert: whose model, which version, and the figures beyond their thresholds."""
    beyond = [signal for signal in report["signals"] if signal["alert"]]
    told = [f"{signal['feature']}: {signal['message']}" for signal in beyond]
    text = f"{report['name']} version {report['version']}: {len(beyond)} of {len(report['signals'])} figures alert"
    kept = ("name", "version", "digest", "owner", "at", "source", "rows")
    return {**{key: report[key] for key in kept}, "text": "\n".join([text, *told]), "signals": beyond}


def _check(rows: str | None, log: str | None, since: str | None, truth: str | None, on: str | None) -> None:
    if (rows is None) == (log is None):
        message = "give the rows to look at" if rows is None else "give --rows or --log, not both"
        hint = "--rows FILE for raw rows (csv or parquet), --log FILE for a service's log of predictions"
        raise NbprodError(message, code="usage", hint=hint)
    if since is not None and log is None:
        raise NbprodError("--since goes with --log: a file of rows has no times", code="usage")
    if (truth is None) != (on is None):
        message = "--truth and --on go together"
        hint = "--truth labels.csv --on PassengerId; with --log also --on request_id"
        raise NbprodError(message, code="usage", hint=hint)


def _baseline(fitted: Fitted) -> dict[str, Any]:
    target, version = fitted.target, fitted.version
    folder = versions.version_folder(target.root, target.name, version.number)
    baseline = versions.read_object(folder / "state" / "baseline.json")
    if baseline is None:
        raise NbprodError(
            f"version {version.number} of {target.name} was fitted without a baseline of its training rows",
            code="no-baseline",
            where=Where(str(folder / "state")),
            hint=f"fit it anew: nbprod run {quote(version.notebook)}",
        )
    return baseline


def _asked(fitted: Fitted, request: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What the package's own environment makes of the rows."""
    package = [fitted.root, fitted.target.name, str(fitted.version.number)]
    told = dict(answered([fitted.python, str(RUNNER), *package], request))
    if "reason" in told:
        told = {"error": f"the package's process failed: {told['reason']}"}
    if "error" in told:
        raise NbprodError(told["error"], code="not-monitored", where=Where(source))
    return told


def _note(fitted: Fitted, truth: str, told: Mapping[str, Any]) -> None:
    """Keep what the checklist goes by; a project that can't be written to is monitored all the same."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    with suppress(OSError):
        note_joined(fitted.target, Joined(Path(truth).name, now, told["joined"], told["truths"]))


def _nothing(fitted: Fitted, told: Mapping[str, Any], source: str, since: str | None) -> NbprodError:
    others = told.get("of_other_versions", 0)
    name = f"version {fitted.version.number} of {fitted.target.name}"
    message = f"the log holds nothing that {name} answered" if "timed" in told else "the file holds no rows"
    message += f" since {since}" if since is not None else ""
    hint = f"{others:,} answers are of other versions: name one, as {fitted.target.name}@VERSION" if others else None
    return NbprodError(message, code="not-monitored", where=Where(source), hint=hint)


def _report(
    fitted: Fitted,
    settings: PipelineConfig,
    baseline: Mapping[str, Any],
    told: Mapping[str, Any],
    request: Mapping[str, Any],
) -> dict[str, Any]:
    from nbprod.monitoring import Seen, compare

    known = {
        key: told[key]
        for key in ("unanswered", "latency_ms", "timed", "slow", "peak_rps", "quality", "replay")
        if key in told
    }
    left_out = frozenset(told.get("left_out", ()))
    baseline, counts = (_without(each, left_out) for each in (baseline, told["counts"]))
    seen = Seen(counts, answered=told["rows"] - told["unanswered"], **known)
    signals = compare(baseline, seen, settings)
    begin = request["since"]
    return {
        "name": fitted.target.name,
        "version": fitted.version.number,
        "digest": fitted.version.digest,
        "owner": settings.owner,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": request["rows"] or request["log"],
        "since": None if begin is None else datetime.fromtimestamp(begin, UTC).isoformat(timespec="seconds"),
        "rows": told["rows"],
        "training_rows": baseline["rows"],
        "predicted": baseline["predicted"],
        "unanswered": told["unanswered"],
        "of_other_versions": told.get("of_other_versions", 0),
        "joined": told.get("joined"),
        "quality": told.get("quality"),
        "replay": told.get("replay"),
        "alert": any(signal.alert for signal in signals),
        "signals": [structs.asdict(signal) for signal in signals],
        "notes": list(_notes(baseline, told, signals)),
        "baseline": {key: baseline[key] for key in ("rows", "columns", "prediction")},
        "counts": counts,
    }


def _without(counts: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Counts without those of some columns."""
    return {**counts, "columns": [column for column in counts["columns"] if column["name"] not in names]}


def _notes(baseline: Mapping[str, Any], told: Mapping[str, Any], signals: tuple[Signal, ...]) -> list[str]:
    """What a reader has to know beside the figures."""
    notes = []
    if baseline["prediction"] is None:
        notes.append("the fit could predict none of its training rows: predictions are not compared")
    elif baseline["predicted"] == "all":
        notes.append("predictions are compared with those for rows that the model was trained on, which it may know")
    if told.get("quality") is not None and not any(signal.what == "quality" for signal in signals):
        notes.append(
            "the metric has no threshold: too few rows were held out of training (100 are needed); "
            "declare success.metric and success.target for one"
        )
    if "joined" in told:
        notes.append(f"{told['joined']:,} rows have a truth, of {told['truths']:,} that are known")
    for each in (told.get("replay") or {}).get("examples", ()):
        notes.append(f"request {each['request_id']} was answered {each['logged']!r}, and is {each['now']!r} now")
    if told.get("left_out"):
        notes.append(f"the log is kept without {', '.join(told['left_out'])}, which is not compared")
    if told.get("share", 1.0) < 1.0:
        notes.append(f"the log keeps {told['share']:.3g} of the requests: the volume is reckoned up from them")
    if told.get("of_other_versions"):
        notes.append(f"{told['of_other_versions']:,} answers of other versions are left out")
    return notes


def _posted(url: str, body: bytes) -> str | None:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        return "it is no http or https address"
    try:
        with urlopen(Request(url, data=body, headers={"content-type": "application/json"}), timeout=ALERT_SECONDS):
            return None
    except HTTPError as error:
        return f"it answered {error.code} {error.reason}"
    except (OSError, ValueError, HTTPException) as error:
        return str(getattr(error, "reason", None) or error) or type(error).__name__


def _piped(command: str, body: bytes) -> str | None:
    try:
        done = subprocess.run(command, shell=True, input=body, capture_output=True, timeout=ALERT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it took more than {ALERT_SECONDS} s"
    if not done.returncode:
        return None
    said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return f"it ended with {done.returncode}{': ' + said[0] if said else ''}"


def _shown(url: str) -> str:
    """A URL without what may be secret in it: hooks carry their key in path and query."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}/…" if parts.hostname else "the webhook"
