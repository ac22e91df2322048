"""What has changed between the training rows and the served ones, feature by feature, and what of it alerts.

Each threshold is what chance does to as many rows (noise.py) and on top of it an effect that is declared. Chance
is held to 1 % of whole reports, however many figures a report has: each gets an equal part of it (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from msgspec import Struct
from scipy.stats import binom, norm

from nbprod.config import Monitoring, PipelineConfig
from nbprod.model.signal import Signal
from nbprod.monitoring.measures import ORDERED, UNORDERED, Measure, jensen_shannon, psi
from nbprod.monitoring.noise import drift_noise, range_noise, share_noise, unseen_noise
from nbprod.monitoring.units import unit_hint

FALSE_ALARMS = 0.01
"""In how many reports chance alone may alert."""

PREDICTION = "prediction"
OFTEN = 5
"""Of so many rows a category has a place of its own."""

LATENCY_SHARE = 0.01
_ORDERED_KINDS = ("number", "date")

Test = Callable[[float], Signal | None]
"""One figure: given the chance that it may alert by, it is measured; None where the rows are too few to tell."""


class Seen(Struct, frozen=True):
    """What was seen of served rows: `counts` in the form of the baseline, and of the service what the log tells.

    `slow` are the answers that took longer than the declared latency, `latency_ms` the time that 99 of 100 held,
    `peak_rps` the requests a second in the busiest minute. `replay` has `rows` that were answered once more, and how
    many are `differing`. `quality` holds metric, value, rows and its standard error.
    """

    counts: Mapping[str, Any]
    unanswered: int = 0
    answered: int = 0
    latency_ms: float | None = None
    slow: int = 0
    timed: int = 0
    peak_rps: float | None = None
    quality: Mapping[str, Any] | None = None
    replay: Mapping[str, Any] | None = None


def compare(baseline: Mapping[str, Any], seen: Seen, settings: PipelineConfig) -> tuple[Signal, ...]:
    """Every figure of a report, those that alert first, then in the order of the contract's columns."""
    tests = list(_tests(baseline, seen, settings))
    alpha = FALSE_ALARMS / max(sum(measures for _, measures in tests), 1)
    signals = [signal for test, _ in tests if (signal := test(alpha))]
    return tuple(sorted(signals, key=lambda signal: not signal.alert))


def _tests(baseline: Mapping[str, Any], seen: Seen, settings: PipelineConfig) -> Iterator[tuple[Test, int]]:
    """Each figure with the number of measures that are taken for it."""
    limits = settings.monitoring
    pairs = list(zip(baseline["columns"], seen.counts["columns"], strict=True))
    if baseline.get(PREDICTION) is not None and seen.counts.get(PREDICTION) is not None:
        pairs.append((baseline[PREDICTION], seen.counts[PREDICTION]))
    for then, now in pairs:
        yield from _of_column(then, now, limits)
    if seen.answered + seen.unanswered:
        yield partial(_unanswered, seen, limits), 1
    if seen.replay is not None and seen.replay["rows"]:
        yield partial(_skew, seen.replay), 1
    wanted = settings.requirements
    if wanted.latency_ms is not None and seen.latency_ms is not None:
        yield partial(_latency, seen, wanted.latency_ms), 1
    if wanted.volume_rps is not None and seen.peak_rps is not None:
        yield partial(_volume, seen, wanted.volume_rps), 1
    if seen.quality is not None:
        yield partial(_quality, baseline, seen.quality, settings), 1


def _of_column(then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring) -> Iterator[tuple[Test, int]]:
    kind = then["kind"]
    ordered = kind in _ORDERED_KINDS
    if ordered or kind == "choice":
        yield partial(_drift, then, now, limits), len(ORDERED if ordered else UNORDERED)
        yield partial(_dead, then, now), 1
    if ordered:
        yield partial(_range, then, now, limits), 1
    if kind == "choice":
        yield partial(_unseen, then, now, limits), 1
    if ordered or kind == "text":
        yield partial(_type, then, now, limits), 1
    if kind == "text":
        yield partial(_more_of, "empty", then, now, limits), 1
    yield partial(_more_of, "missing", then, now, limits), 1


def _drift(then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring, alpha: float) -> Signal | None:
    """The measure that is furthest above its threshold, or closest below it."""
    ordered = then["kind"] in _ORDERED_KINDS
    measures: Mapping[str, Measure] = ORDERED if ordered else UNORDERED
    before, after, names = to_compare(then, now)
    if not sum(after) or not sum(before):
        return None
    noise = drift_noise(before, sum(after), measures, alpha)
    own = limits.thresholds.get(then["name"], limits.drift)
    effects = {"jensen_shannon": limits.divergence * (own / limits.drift if limits.drift else 1.0)}
    found = {name: float(measure(before, after)) for name, measure in measures.items()}
    allowed = {name: noise[name] + effects.get(name, own) for name in measures}
    name = max(measures, key=lambda each: found[each] / max(allowed[each], 1e-12))
    alert = found[name] > allowed[name]
    others = {**found, "jensen_shannon": float(jensen_shannon(before, after)), "psi": float(psi(before, after))}
    return Signal(
        then["name"],
        "drift",
        name,
        found.pop(name),
        allowed[name],
        sum(after),
        alert,
        _moved(then, now) if ordered else _most_moved(before, after, names),
        unit_hint(then, now) if alert and then["kind"] == "number" else None,
        {other: value for other, value in others.items() if other != name},
    )


def _dead(then: Mapping[str, Any], now: Mapping[str, Any], alpha: float) -> Signal | None:
    """All rows in one place, where training's were in several; None where so few rows may be that by chance."""
    before, after = slots(then), slots(now)
    n = sum(after)
    if sum(1 for count in before if count) < 2 or not n or max(after) < n:
        return None
    at = after.index(n)
    chance = ((before[at] + 1) / (sum(before) + 2)) ** n
    if chance >= alpha:
        return None
    place = _place(then, at)
    message = f"all values are {place}; in training {_percent(before[at] / sum(before))} were"
    return Signal(then["name"], "dead", "largest_share", 1.0, 1.0, n, True, message)


def _range(then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring, alpha: float) -> Signal | None:
    rows, n = sum(slots(then)), sum(slots(now))
    if not n:
        return None
    share = (now["below"] + now["above"]) / n
    beyond = (then["below"] + then["above"]) / rows if rows else 0.0
    threshold = beyond + range_noise(rows, n, alpha) + limits.out_of_range
    low, high = shown_value(then, then["edges"][0]), shown_value(then, then["edges"][-1])
    message = f"{_percent(share)} outside of {low} to {high}: {now['below']:,} below, {now['above']:,} above"
    return Signal(then["name"], "range", "share", share, threshold, n, share > threshold, message)


def _unseen(then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring, alpha: float) -> Signal | None:
    rows, n = sum(then["counts"]), sum(now["counts"]) + now["other"]
    if not n:
        return None
    share = now["other"] / n
    once = sum(1 for count in then["counts"] if count == 1)
    threshold = unseen_noise(once, rows, n, alpha) + limits.unseen
    message = f"{now['other']:,} values that training did not have ({_percent(share)})"
    return Signal(then["name"], "unseen", "share", share, threshold, n, share > threshold, message)


def _type(then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring, alpha: float) -> Signal | None:
    n = all_of(now)
    if not n:
        return None
    share = now["other"] / n
    threshold = share_noise(then["other"], all_of(then), n, alpha) + limits.unseen
    wanted = {"number": "numbers", "date": "dates"}.get(then["kind"], "text")
    message = f"{now['other']:,} values are no {wanted} ({_percent(share)})" if share else f"all values are {wanted}"
    return Signal(then["name"], "type", "share", share, threshold, n, share > threshold, message)


def _more_of(
    what: str, then: Mapping[str, Any], now: Mapping[str, Any], limits: Monitoring, alpha: float
) -> Signal | None:
    """More missing values, or empty texts, than training had."""
    rows, n = all_of(then), all_of(now)
    if not n or not rows:
        return None
    before, share = then[what] / rows, now[what] / n
    threshold = min(before + share_noise(then[what], rows, n, alpha) + limits.missing, 1.0)
    message = f"{_percent(share)} {what}, {_percent(before)} in training"
    return Signal(then["name"], what, "share", share, threshold, n, share > threshold, message)


def _unanswered(seen: Seen, limits: Monitoring, alpha: float) -> Signal:
    n = seen.answered + seen.unanswered
    share = seen.unanswered / n
    threshold = share_noise(0, n, n, alpha) + limits.missing
    message = f"{seen.unanswered:,} of {n:,} rows got no answer"
    return Signal(PREDICTION, "unanswered", "share", share, threshold, n, share > threshold, message)


def _skew(replay: Mapping[str, Any], _alpha: float) -> Signal:
    """No answer may differ: chance has no part in it."""
    share = replay["differing"] / replay["rows"]
    message = f"{replay['differing']:,} of {replay['rows']:,} logged answers are not those of features.py and the model"
    if not replay["differing"]:
        message = f"all {replay['rows']:,} logged answers are those of features.py and the model"
    return Signal(PREDICTION, "skew", "share", share, 0.0, replay["rows"], share > 0, message)


def _latency(seen: Seen, wanted: float, alpha: float) -> Signal | None:
    """Held by 99 of 100: of few answers one may be slow by chance (binomial)."""
    assert seen.latency_ms is not None
    beyond = seen.slow > int(binom.ppf(1 - alpha, seen.timed, LATENCY_SHARE))
    message = f"99 of 100 answers within {seen.latency_ms:.3g} ms; {seen.slow:,} took more than {wanted:g} ms"
    return Signal("service", "latency", "p99_ms", seen.latency_ms, wanted, seen.timed, beyond, message)


def _volume(seen: Seen, wanted: float, _alpha: float) -> Signal:
    assert seen.peak_rps is not None
    message = f"{seen.peak_rps:.3g} requests a second in the busiest minute; {wanted:g} are declared"
    beyond = seen.peak_rps > wanted
    return Signal("service", "volume", "requests_per_second", seen.peak_rps, wanted, seen.timed, beyond, message)


def _quality(
    baseline: Mapping[str, Any], quality: Mapping[str, Any], settings: PipelineConfig, alpha: float
) -> Signal | None:
    """The metric on rows whose truth is known, against that of rows that the model had not seen, or a declared one."""
    metric, value, n, error = quality["metric"], quality["value"], quality["rows"], quality["error"]
    higher = metric != "rmse"
    then = baseline.get("quality")
    success, interval = settings.success, f"95 % {_figure(quality['low'])} to {_figure(quality['high'])}"
    told = f"{metric} {_figure(value)} ({interval})"
    room = float(norm.isf(alpha))
    if then is not None and then["metric"] == metric and baseline.get("predicted") == "held-out":
        error = math.hypot(error, error * math.sqrt(n / then["rows"]))
        lost = abs(then["value"]) * settings.monitoring.loss
        threshold = then["value"] - lost - room * error if higher else then["value"] + lost + room * error
        told = f"{told}; {_figure(then['value'])} on {then['rows']:,} rows held out of training"
    elif success.metric == metric and success.target is not None:
        threshold = success.target - room * error if higher else success.target + room * error
        told = f"{told}; {success.target:g} is declared"
    else:
        return None
    alert = value < threshold if higher else value > threshold
    return Signal(PREDICTION, "quality", metric, value, threshold, n, alert, told)


def slots(column: Mapping[str, Any]) -> tuple[int, ...]:
    """The counts of values that are there, place by place: what lies outside of the bins has places of its own."""
    counts = tuple(column["counts"])
    if "edges" in column:
        return (column["below"], *counts, column["above"])
    return (*counts, column["other"]) if column["kind"] == "choice" else counts


def place_names(column: Mapping[str, Any]) -> tuple[str, ...]:
    """What the places of `slots` are called."""
    return tuple(_place(column, at) for at in range(len(slots(column))))


def all_of(column: Mapping[str, Any]) -> int:
    """How many rows a column was counted in."""
    other = 0 if column["kind"] == "choice" else column["other"]
    return sum(slots(column)) + int(column["missing"]) + int(other) + int(column.get("empty", 0))


def mean_of(column: Mapping[str, Any]) -> float | None:
    """The mean of a column of numbers; None where there is none."""
    n = sum(slots(column))
    return None if not n or column.get("total") is None else float(column["total"]) / n


def to_compare(
    then: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """The counts of training and of served rows place by place, and what the places are called.

    Categories of which training had fewer than five rows are one place together with those that it did not have: how
    often one of them comes up is about the share of all that are rare, whichever it is.
    """
    if then["kind"] in _ORDERED_KINDS:
        return slots(then), slots(now), place_names(then)
    often = [at for at, count in enumerate(then["counts"]) if count >= OFTEN]
    before, after = (tuple(each["counts"][at] for at in often) for each in (then, now))
    rest = tuple(sum(each["counts"]) + each["other"] - sum(some) for each, some in ((then, before), (now, after)))
    names = tuple(_place(then, at) for at in often)
    return (*before, rest[0]), (*after, rest[1]), (*names, "rare or new to the model")


def _moved(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The mean of numbers, then and now."""
    before, after = mean_of(then), mean_of(now)
    if before is None or after is None:
        return "the values have moved"
    return f"mean {shown_value(then, after)}, {shown_value(then, before)} in training"


def _most_moved(before: tuple[int, ...], after: tuple[int, ...], names: tuple[str, ...]) -> str:
    """The category that has gained or lost most."""
    then, now = ([count / max(sum(each), 1) for count in each] for each in (before, after))
    at = max(range(len(names)), key=lambda place: abs(now[place] - then[place]))
    return f"{_percent(now[at])} are {names[at]}, {_percent(then[at])} in training"


def _place(column: Mapping[str, Any], at: int) -> str:
    """A bin or category, for people."""
    if column["kind"] == "choice":
        return repr(column["values"][at]) if at < len(column["values"]) else "new to the model"
    edges = column["edges"]
    if at == 0 or at == len(edges):
        return f"below {shown_value(column, edges[0])}" if at == 0 else f"above {shown_value(column, edges[-1])}"
    low, high = shown_value(column, edges[at - 1]), shown_value(column, edges[at])
    return low if low == high else f"between {low} and {high}"


def shown_value(column: Mapping[str, Any], value: float) -> str:
    """A number or a date of a column, for people."""
    if column["kind"] != "date":
        return _figure(value)
    return date.fromordinal(max(1, min(round(value), 3_652_059))).isoformat()


def _figure(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
