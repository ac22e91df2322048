"""A report as one HTML file that stands alone: the figures, and each feature's training beside what is served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from nbprod.monitoring.comparing import PREDICTION, all_of, place_names, shown_value, slots, to_compare

WIDTH, HEIGHT, LEFT, TOP, BELOW = 360, 140, 48, 8, 22
MOST_PLACES = 14
_WORDS = {
    "ks": "Kolmogorov-Smirnov",
    "l_infinity": "L-infinity",
    "jensen_shannon": "Jensen-Shannon (bits)",
    "largest_share": "largest share",
    "share": "share of rows",
    "p99_ms": "99th percentile (ms)",
    "requests_per_second": "requests a second",
}
STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0; --card: #f6f8fa;
  --then: #8c959f; --now: #0969da; --bad: #b3261e; --bad-back: #ffebe9; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
  --card: #151b23; --then: #6e7681; --now: #4493f8; --bad: #ff7b72; --bad-back: #3c1618; --good: #3fb950; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1200px; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; } h3 { font-size: 14px; margin: 0; }
p { margin: 4px 0; } .faint { color: var(--faint); } .bad { color: var(--bad); } .good { color: var(--good); }
.verdict { font-size: 16px; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px 5px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 500; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 14px; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: 12px; background: var(--card); }
.card.alert { border-color: var(--bad); }
.card h3 { overflow-wrap: anywhere; } .mark { float: right; font-size: 12px; }
svg { display: block; width: 100%; height: auto; margin-top: 6px; }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; } .axis { stroke: var(--line); }
.then { fill: var(--then); } .now { fill: var(--now); }
.legend { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 12px; }
.legend.then { background: var(--then); margin-left: 0; } .legend.now { background: var(--now); }
summary { cursor: pointer; }
"""


def page(report: Mapping[str, Any]) -> str:
    """The HTML of a report, as `nbprod monitor --format json` gives it. All that comes from data is escaped."""
    title = f"{report['name']} version {report['version']}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}: monitoring</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_head(report),
            *_alerts(report["signals"]),
            "<h2>Features</h2>",
            '<p class="faint"><span class="legend then"></span>training<span class="legend now"></span>served'
            " &nbsp; share of the values that are there; numbers in bins of about equal shares of training</p>",
            '<div class="cards">',
            *_cards(report),
            "</div>",
            *_all(report["signals"]),
            "</body></html>",
            "",
        ]
    )


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    beyond = sum(1 for signal in report["signals"] if signal["alert"])
    said = f"{beyond} of {len(report['signals'])} figures alert" if beyond else "nothing alerts"
    yield f'<p class="verdict {"bad" if beyond else "good"}">{said}</p>'
    owner = f", owner {report['owner']}" if report["owner"] else ""
    since = f" since {report['since']}" if report["since"] else ""
    looked = f"{report['rows']:,} rows of {report['source']}{since}, against {report['training_rows']:,} training rows"
    yield f'<p class="faint">{escape(looked)}; looked at {escape(report["at"] + owner)}</p>'
    for note in report["notes"]:
        yield f'<p class="faint">{escape(note)}</p>'


def _alerts(signals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    beyond = [signal for signal in signals if signal["alert"]]
    if beyond:
        yield "<h2>What alerts</h2>"
        yield from _table(beyond)


def _all(signals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"<h2>All figures</h2><details><summary>{len(signals)} figures with their thresholds</summary>"
    yield from _table(signals)
    yield "</details>"


def _table(signals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    heads = ["feature", "what", "seen", "measure"]
    numbers = ["value", "threshold", "n"]
    yield '<div class="wide"><table><thead><tr>' + "".join(f"<th>{head}</th>" for head in heads)
    yield "".join(f'<th class="number">{head}</th>' for head in numbers) + "</tr></thead><tbody>"
    for signal in signals:
        hint = f'<br><span class="faint">{escape(signal["hint"])}</span>' if signal["hint"] else ""
        measure = _WORDS.get(signal["measure"], signal["measure"])
        cells = [escape(signal["feature"]), escape(signal["what"]), escape(signal["message"]) + hint, escape(measure)]
        figures = [f"{signal['value']:.4g}", f"{signal['threshold']:.4g}", f"{signal['n']:,}"]
        bad = ' class="bad"' if signal["alert"] else ""
        yield f"<tr><td{bad}>{cells[0]}</td>" + "".join(f"<td>{cell}</td>" for cell in cells[1:])
        yield "".join(f'<td class="number">{figure}</td>' for figure in figures) + "</tr>"
    yield "</tbody></table></div>"


def _cards(report: Mapping[str, Any]) -> Iterator[str]:
    """A card for each feature: the prediction first, then those that alert."""
    pairs = list(zip(report["baseline"]["columns"], report["counts"]["columns"], strict=True))
    if report["baseline"][PREDICTION] is not None:
        pairs.insert(0, (report["baseline"][PREDICTION], report["counts"][PREDICTION]))
    alerts: dict[str, list[str]] = {}
    for signal in report["signals"]:
        if signal["alert"]:
            alerts.setdefault(signal["feature"], []).append(signal["what"])
    for then, now in sorted(pairs, key=lambda pair: (pair[0]["name"] != PREDICTION, pair[0]["name"] not in alerts)):
        yield _card(then, now, alerts.get(then["name"], []))


def _card(then: Mapping[str, Any], now: Mapping[str, Any], alerts: Sequence[str]) -> str:
    mark = f'<span class="mark bad">{escape(", ".join(dict.fromkeys(alerts)))}</span>' if alerts else ""
    gaps = [f"{100 * column['missing'] / max(all_of(column), 1):.3g} %" for column in (then, now)]
    missing = f'<p class="faint">missing {gaps[1]}, in training {gaps[0]}</p>'
    plotted = then["kind"] in ("number", "date", "choice")
    plot = _plot(then, now) if plotted else '<p class="faint">free text: counted, not compared</p>'
    return f'<div class="card{" alert" if alerts else ""}">{mark}<h3>{escape(then["name"])}</h3>{missing}{plot}</div>'


def _plot(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Bars of training and of what is served, place by place."""
    names, before, after = _places(then, now)
    shares = [[count / max(sum(each), 1) for count in each] for each in (before, after)]
    top = max(max(each, default=0.0) for each in shares) or 1.0
    step = (WIDTH - LEFT) / len(names)
    inner = HEIGHT - TOP - BELOW
    bars = []
    for at, name in enumerate(names):
        for which, (kind, side) in enumerate((("then", 0.08), ("now", 0.5))):
            share = shares[which][at]
            tall = inner * share / top
            told = f"{name}: {100 * share:.3g} % {'of training' if kind == 'then' else 'served'}"
            bars.append(
                f'<rect class="{kind}" x="{LEFT + step * (at + side):.1f}" y="{TOP + inner - tall:.1f}" '
                f'width="{step * 0.42:.1f}" height="{tall:.1f}"><title>{escape(told)}</title></rect>'
            )
    base = TOP + inner
    axis = f'<line class="axis" x1="{LEFT}" y1="{base}" x2="{WIDTH}" y2="{base}"/>'
    scale = "".join(
        f'<text x="{LEFT - 5}" y="{y}" text-anchor="end">{100 * share:.3g} %</text>'
        for y, share in ((TOP + inner + 4, 0.0), (TOP + 8, top))
    )
    label = escape(f"{then['name']}: shares of training and of what is served")
    drawn = "".join([axis, *bars, scale, *_labels(then, names, step, base)])
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawn}</svg>'


def _places(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[list[str], list[int], list[int]]:
    """What is drawn: each bin with what lies outside, or the categories of most rows and all others together."""
    if then["kind"] != "choice":
        return list(place_names(then)), list(slots(then)), list(slots(now))
    before, after, names = to_compare(then, now)
    order = sorted(range(len(names) - 1), key=lambda at: -before[at])
    shown = sorted(order if len(order) < MOST_PLACES else order[: MOST_PLACES - 1])
    rest = [sum(each) - sum(each[at] for at in shown) for each in (before, after)]
    others = [0] if any(rest) else []
    return (
        [
            *(names[at] for at in shown),
            *("rare and new ones" if len(shown) == len(order) else "others" for _ in others),
        ],
        [*(before[at] for at in shown), *(rest[0] for _ in others)],
        [*(after[at] for at in shown), *(rest[1] for _ in others)],
    )


def _labels(then: Mapping[str, Any], names: Sequence[str], step: float, base: float) -> Iterator[str]:
    """Words below the axis: categories, or the ends and the middle of training's numbers."""
    if then["kind"] == "choice":
        room = max(2, int(step / 7.2))
        for at, name in enumerate(names):
            plain = name.strip("'")
            text = plain if len(plain) <= room else plain[: room - 1] + "…"
            yield f'<text x="{LEFT + step * (at + 0.5):.1f}" y="{base + 15}" text-anchor="middle">{escape(text)}</text>'
        return
    edges = then["edges"]
    last = len(edges) - 1
    for at in sorted({0, last // 2, last}):
        anchor = "end" if at == last else "start" if at == 0 else "middle"
        text = escape(shown_value(then, edges[at]))
        yield f'<text x="{LEFT + step * (1 + at):.1f}" y="{base + 15}" text-anchor="{anchor}">{text}</text>'
