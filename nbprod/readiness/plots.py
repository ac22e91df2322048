"""Figures of evidence as SVG that stands in a page: no scripts, in the colours of the page's style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from msgspec import Struct

from nbprod.readiness.amounts import amount

WIDTH = 880
LABELS = 220
NUMBERS = 270
"""Widths of a plot, of the names at its left, and of the figures at its right, in pixels."""

ROW = 24
MOST_FEATURES = 15
SIDE = 300
MARGIN = 44
CHARACTERS = 30
"""Of a name, before it is cut."""

STYLE = """
figure { margin: 12px 0; } figcaption { font-weight: 600; margin-bottom: 2px; }
figcaption span { font-weight: 400; color: var(--faint); }
figure { overflow-x: auto; } svg { display: block; width: 100%; min-width: 620px; max-width: 880px; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .faint { fill: var(--faint); } svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--line); } svg .mark { fill: var(--accent); } svg .own { fill: var(--proved); }
svg .wide { stroke: var(--accent); stroke-width: 2; } svg .wide.own { stroke: var(--proved); fill: none; }
svg .low { fill: var(--contradicted); } svg .wide.low { stroke: var(--contradicted); fill: none; }
svg .line { stroke: var(--faint); stroke-dasharray: 4 3; } svg .limit { stroke: var(--contradicted);
  stroke-dasharray: 2 3; } svg .share { fill: var(--accent); opacity: .75; } svg .whisker { stroke: var(--ink); }
"""


class Row(Struct, frozen=True):
    """A name, a value with its interval where there is one, what is written at its right, and a class of the style."""

    name: str
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    kind: str = ""


def plots_of(item: Mapping[str, Any]) -> Iterator[str]:
    """The figures of an item of the checklist; none of evidence that has gone stale, or that has no such numbers."""
    numbers = item["numbers"]
    if not numbers or item["state"] == "stale":
        return
    if item["id"] == "SU-2":
        yield from _simple(numbers)
        yield from _features(numbers)
    elif item["id"] == "SU-3":
        yield from _slices(numbers)
    elif item["id"] == "SU-4" and "bins" in numbers["calibration"]:
        yield _reliability(numbers["calibration"])


def _simple(numbers: Mapping[str, Any]) -> Iterator[str]:
    own = numbers["model"]
    rows = [_row(own["name"], own, _interval(own), "own")]
    for each in numbers["baselines"]:
        if "value" in each:
            rows.append(_row(each["name"], each, _interval(each)))
        else:
            rows.append(Row(each["name"], "the model is one itself" if each.get("itself") else "could not be compared"))
    yield _dots(rows, f"{numbers['metric']} beside simple models", f"green: the model; {_better(numbers)}")
    gains = [
        Row(each["name"], _interval(gain, signed=True), gain["value"], gain["low"], gain["high"], _sign(gain))
        for each in numbers["baselines"]
        if "low" in (gain := each.get("improvement", {}))
    ]
    if gains:
        about = "resampled on the same rows; it is one where the whole line lies right of 0"
        yield _dots(gains, f"Improvement of {numbers['metric']} on simple models", about, [(0.0, "line")])


def _features(numbers: Mapping[str, Any]) -> Iterator[str]:
    known = sorted((each for each in numbers["groups"] if "lost" in each), key=lambda each: -each["lost"])
    if not known:
        return
    rows = [
        Row(
            each["feature"], f"{amount(each['lost'], 3)} ± {amount(each['spread'], 2)}", each["lost"],
            each["lost"] - each["spread"], each["lost"] + each["spread"],
        )
        for each in known[:MOST_FEATURES]
    ]  # fmt: skip
    some = f"; {len(rows)} of {len(known)} features" if len(rows) < len(known) else ""
    about = f"its columns shuffled among the rows{some}; lines are standard deviations"
    yield _bars(rows, f"How much worse {numbers['metric']} gets without a feature", about)


def _slices(numbers: Mapping[str, Any]) -> Iterator[str]:
    limit, whole = numbers["max_slice_drop"], numbers["model"]["value"]
    sign = 1 if numbers["higher_is_better"] else -1
    least = None if limit is None else whole - sign * limit
    for column, slices in groupby(numbers["slices"], key=lambda each: each["column"]):
        rows = []
        for each in slices:
            name = f"{each['value'] or '(no such column)'}"
            size = f"n = {each['n']:,}"
            if "metric" not in each:
                rows.append(Row(name, f"{size}, {each['reason']}"))
                continue
            kind = "low" if least is not None and "low" in each and _is_beyond(each, least, sign) else ""
            told = {**each, "value": each["metric"]}
            rows.append(_row(name, told, f"{_interval(told)}, {size}", kind))
        lines = [(whole, "line")] + ([] if least is None else [(least, "limit")])
        yield _dots(rows, f"{numbers['metric']} by {column}", _about(numbers, limit), lines)


def _is_beyond(each: Mapping[str, Any], least: float, sign: int) -> bool:
    return bool(each["high"] < least if sign > 0 else each["low"] > least)


def _about(numbers: Mapping[str, Any], limit: float | None) -> str:
    dotted = f", dotted {amount(limit)} worse" if limit is not None else ""
    return f"dashed: all rows, {amount(numbers['model']['value'], 3)}{dotted}; {_better(numbers)}"


def _better(numbers: Mapping[str, Any]) -> str:
    return f"{'higher' if numbers['higher_is_better'] else 'lower'} is better, lines are 95 % intervals"


def _row(name: str, each: Mapping[str, Any], text: str, kind: str = "") -> Row:
    return Row(name, text, each["value"], each.get("low"), each.get("high"), kind)


def _interval(each: Mapping[str, Any], *, signed: bool = False) -> str:
    value, *bounds = (amount(each[key], 3, signed=signed) for key in ("value", "low", "high") if key in each)
    return f"{value} ({' to '.join(bounds)})" if bounds else value


def _sign(gain: Mapping[str, Any]) -> str:
    """Green for what is surely better, red for what is surely worse."""
    return "own" if gain["low"] > 0 else "low" if gain["high"] < 0 else ""


def _dots(rows: Sequence[Row], title: str, about: str, lines: Iterable[tuple[float, str]] = ()) -> str:
    """A dot with its interval for each row, on one scale; `lines` are further values with a class of the style."""
    lines = list(lines)
    scale = Scale.of([*_values(rows), *(value for value, _ in lines)])
    parts = [*scale.grid(len(rows))]
    parts += [_vertical(scale.at(value), len(rows), kind) for value, kind in lines]
    for place, row in enumerate(rows):
        y = ROW * place + ROW / 2
        parts += _texts(row, y)
        if row.value is None:
            continue
        if row.low is not None and row.high is not None:
            parts.append(_line(scale.at(row.low), y, scale.at(row.high), y, f"wide {row.kind}"))
        parts.append(f'<circle class="mark {row.kind}" cx="{scale.at(row.value):.1f}" cy="{y:.1f}" r="4.5"/>')
    return _figure(parts, title, about, rows, ROW * len(rows) + 22)


def _bars(rows: Sequence[Row], title: str, about: str) -> str:
    """A bar from nothing for each row, with a whisker."""
    scale = Scale.of([0.0, *_values(rows)])
    parts = [*scale.grid(len(rows))]
    for place, row in enumerate(rows):
        y = ROW * place + ROW / 2
        parts += _texts(row, y)
        assert row.value is not None
        assert row.low is not None
        assert row.high is not None
        left, right = sorted((scale.at(0.0), scale.at(row.value)))
        parts.append(f'<rect class="share" x="{left:.1f}" y="{y - 7:.1f}" width="{right - left:.1f}" height="14"/>')
        parts.append(_line(scale.at(row.low), y, scale.at(row.high), y, "whisker"))
    parts.append(_vertical(scale.at(0.0), len(rows), "whisker"))
    return _figure(parts, title, about, rows, ROW * len(rows) + 22)


def _reliability(found: Mapping[str, Any]) -> str:
    """How often it is so, by bins of the score, on a square whose diagonal is a score that says what it is."""

    def x(value: float) -> float:
        return MARGIN + value * SIDE

    def y(value: float) -> float:
        return 8 + (1 - value) * SIDE

    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts += [_line(x(tick), y(0), x(tick), y(1), "grid"), _line(x(0), y(tick), x(1), y(tick), "grid")]
        parts.append(f'<text class="faint middle" x="{x(tick):.1f}" y="{y(0) + 16:.1f}">{tick:g}</text>')
        parts.append(f'<text class="faint end" x="{x(0) - 6:.1f}" y="{y(tick) + 4:.1f}">{tick:g}</text>')
    parts.append(_line(x(0), y(0), x(1), y(1), "line"))
    for each in found["bins"]:
        parts.append(_line(x(each["score"]), y(each["low"]), x(each["score"]), y(each["high"]), "wide"))
    parts += [
        f'<circle class="mark" cx="{x(each["score"]):.1f}" cy="{y(each["share"]):.1f}" r="4.5"/>'
        for each in found["bins"]
    ]
    of = "the predicted class" if found["of"] is None else f"class {found['of']}"
    parts.append(f'<text class="middle" x="{x(0.5):.1f}" y="{y(0) + 34:.1f}">probability of {escape(_cut(of))}</text>')
    facts = [
        (f"{found['rows']:,}", "rows held out"),
        (f"{found['error']:.3g}", f"expected calibration error ({found['low']:.2g} to {found['high']:.2g})"),
        (f"{found['brier']:.3g}", "Brier score"),
    ]
    for place, (number, what) in enumerate(facts):
        top = 30 + 46 * place
        parts.append(f'<text x="{x(1) + 40:.1f}" y="{top}" style="font-size: 20px">{number}</text>')
        parts.append(f'<text class="faint" x="{x(1) + 40:.1f}" y="{top + 18}">{escape(what)}</text>')
    shares = [Row(f"{each['score']:.2g}", f"{each['share']:.2g}") for each in found["bins"]]
    about = "groups of as many rows each; on the dashed line a score is right as often as it says"
    return _figure(parts, "Reliability of the scores", about, shares, SIDE + 50)


class Scale(Struct, frozen=True):
    """Values to pixels: ticks at round numbers, of which the first and the last hold all values."""

    ticks: tuple[float, ...]
    step: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """A scale for these finite values, of which there may be none."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        span = (high - low) or abs(high) or 1.0
        power = 10 ** math.floor(math.log10(span / 4))
        step = next(each * power for each in (1, 2, 2.5, 5, 10) if span / (each * power) <= 5)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        last += first == last
        return cls(tuple(place * step for place in range(first, last + 1)), step)

    def at(self, value: float) -> float:
        """The place of a value, in pixels."""
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return LABELS + share * (WIDTH - LABELS - NUMBERS)

    def grid(self, rows: int) -> Iterator[str]:
        """Lines at the ticks, with their numbers below."""
        for tick in self.ticks:
            x, text = self.at(tick), amount(tick + 0.0)
            yield _vertical(x, rows, "grid")
            yield f'<text class="faint middle" x="{x:.1f}" y="{ROW * rows + 16}">{text}</text>'


def _values(rows: Iterable[Row]) -> list[float]:
    return [value for row in rows for value in (row.value, row.low, row.high) if value is not None]


def _texts(row: Row, y: float) -> list[str]:
    faint = " faint" if row.value is None else ""
    return [
        f'<text class="end{faint}" x="{LABELS - 12}" y="{y + 4:.1f}">{escape(_cut(row.name))}</text>',
        f'<text class="faint" x="{WIDTH - NUMBERS + 12}" y="{y + 4:.1f}">{escape(row.text)}</text>',
    ]


def _cut(name: str) -> str:
    return name if len(name) <= CHARACTERS else f"{name[: CHARACTERS - 1]}…"


def _vertical(x: float, rows: int, kind: str) -> str:
    return _line(x, 0, x, ROW * rows, kind)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _figure(parts: Iterable[str], title: str, about: str, rows: Iterable[Row], height: int) -> str:
    """The plot with its caption; who can't see it is told the rows."""
    told = escape(f"{title}: " + "; ".join(f"{row.name} {row.text}" for row in rows))
    return (
        f"<figure><figcaption>{escape(title)} <span>{escape(about)}</span></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{told}">{"".join(parts)}</svg></figure>'
    )
