"""The checklist as one HTML file that stands alone, to be sent to people who have no notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from nbprod.readiness.plots import STYLE as OF_PLOTS
from nbprod.readiness.plots import plots_of
from nbprod.readiness.sections import section_of

WORDS = {
    "proved": "proved",
    "declared": "declared",
    "contradicted": "contradicted",
    "stale": "stale",
    "missing": "missing",
    "not-applicable": "not applicable",
}
MEANING = {
    "proved": "evidence of a machine, still fresh",
    "declared": "a person has said so, and nothing speaks against it: half a point",
    "contradicted": "the evidence speaks against it",
    "stale": "shown of something that has changed since",
    "missing": "nothing shows it",
    "not-applicable": "left out, with a reason",
}
MOST_STANDINGS = 12
STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0; --card: #f6f8fa;
  --track: #e4e8ec; --accent: #0969da; --proved: #1a7f37; --declared: #0969da; --contradicted: #b3261e;
  --stale: #9a6700; --missing: #59636e; --not-applicable: #8c959f; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
  --card: #151b23; --track: #262c36; --accent: #4493f8; --proved: #3fb950; --declared: #4493f8;
  --contradicted: #ff7b72; --stale: #d29922; --missing: #9198a1; --not-applicable: #6e7681; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1040px; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 32px 0 8px; display: flow-root; }
h2 a { color: inherit; text-decoration: none; }
h2 .count { float: right; margin-left: 12px; font-weight: 400; color: var(--faint);
  font-variant-numeric: tabular-nums; }
p { margin: 4px 0; } .faint { color: var(--faint); }
a { color: var(--accent); }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { font-size: 17px; font-weight: 600; margin: 14px 0 6px; }
.verdict.bad { color: var(--contradicted); } .verdict.good { color: var(--proved); }
.bars { display: grid; grid-template-columns: minmax(180px, max-content) 1fr max-content; gap: 6px 14px;
  align-items: center; margin: 12px 0; }
.bar { height: 8px; border-radius: 4px; background: var(--track); overflow: hidden; }
.bar span { display: block; height: 100%; background: var(--accent); }
.bars .number { text-align: right; font-variant-numeric: tabular-nums; color: var(--faint); }
.trend { border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums; }
.trend th, .trend td { text-align: left; padding: 3px 18px 3px 0; border-bottom: 1px solid var(--line); }
.trend th { color: var(--faint); font-weight: 500; }
ol { margin: 8px 0; padding-left: 24px; } ol li { margin: 6px 0; }
details { border: 1px solid var(--line); border-radius: 6px; background: var(--card); margin: 6px 0; }
summary { cursor: pointer; padding: 8px 12px; display: grid; gap: 2px 12px; list-style: none;
  grid-template-columns: 118px 1fr max-content; }
summary::-webkit-details-marker { display: none; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; border-radius: 6px; }
.state { font-weight: 600; } .title { font-weight: 600; } .id { color: var(--faint); }
.evidence { grid-column: 2 / 4; overflow-wrap: anywhere; }
.more { padding: 0 12px 10px 142px; } .more p { margin: 6px 0; }
.blocking { font-size: 12px; border: 1px solid currentColor; border-radius: 3px; padding: 0 5px; margin-left: 8px;
  font-weight: 400; color: var(--faint); }
.keys { font-size: 13px; } dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 8px 0; }
dt { font-weight: 600; } dd { margin: 0; color: var(--faint); }
@media (max-width: 640px) { summary { grid-template-columns: 1fr max-content; } .state { grid-column: 1 / 3; }
  .evidence { grid-column: 1 / 3; } .more { padding-left: 12px; } .bars { grid-template-columns: 1fr max-content; }
  .bar { grid-column: 1 / 3; grid-row: auto; } }
@media print { details { break-inside: avoid; } body { padding: 0; } }
"""


def page(report: Mapping[str, Any]) -> str:
    """The HTML of a checklist, as `nbprod readiness --format json` gives it. All that comes from data is escaped."""
    title = f"{report['name']}: readiness for production"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}{OF_PLOTS}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_head(report),
            *_sections(report),
            *_next(report),
            *_figures(report),
            *_items(report),
            *_legend(report),
            "</body></html>",
            "",
        ]
    )


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    version = f"version {report['version']}" if report["version"] is not None else "never exported"
    yield f'<p class="faint">{escape(report["notebook"])}, {version}, {escape(report["at"])} UTC</p>'
    blockers, opened = report["blockers"], report["open"]
    blocking = sum(1 for each in report["items"] if each["blocking"])
    if blockers:
        yield f'<p class="verdict bad">It may not go live: {_count(blockers, "blocking item")} contradicted</p>'
    elif opened:
        yield f'<p class="verdict">Not ready: {len(opened)} of {blocking} blocking items are open</p>'
    else:
        yield f'<p class="verdict good">Ready: none of the {blocking} blocking items is open</p>'
    states = [each["state"] for each in report["items"]]
    told = ", ".join(f"{states.count(state)} {word}" for state, word in WORDS.items() if state in states)
    yield f"<p>{len(states)} items: {told}.</p>"


def _count(found: list[str], what: str) -> str:
    return f"{len(found)} {what}{'s are' if len(found) != 1 else ' is'}"


def _sections(report: Mapping[str, Any]) -> Iterator[str]:
    lowest = next(each for each in report["sections"] if each["id"] == report["lowest"])
    yield "<h2>Score</h2>"
    yield (
        f"<p>Overall <strong>{report['score']:.0%}</strong>: as much as its lowest section, "
        f"“{escape(lowest['title'])}”. One point for what is proved, half a point for what is declared.</p>"
    )
    yield '<div class="bars">'
    for each in report["sections"]:
        share = each["score"] or 0.0
        label = f"{each['points']:g} of {each['of']}"
        yield f"<span>{escape(each['title'])}</span>"
        yield f'<div class="bar" role="img" aria-label="{label}"><span style="width: {share:.0%}"></span></div>'
        yield f'<span class="number">{label}</span>'
    yield "</div>"
    yield from _trend(report)
    score = report["ml_test_score"]
    parts = ", ".join(f"{name} {points:g}" for name, points in score["sections"].items())
    yield (
        f"<p>ML Test Score <strong>{score['score']:g}</strong> ({parts}; the least of them counts): "
        f"{escape(score['band'])}.</p><p>Maturity: {escape(report['maturity'])}.</p>"
    )


def _trend(report: Mapping[str, Any]) -> Iterator[str]:
    """How the versions stood, where there are several."""
    stood = report["standings"][-MOST_STANDINGS:]
    if len(stood) < 2:
        return
    head = "<th>version</th><th>gathered (UTC)</th><th>score</th><th>proved</th><th>blocking items open</th>"
    yield f'<table class="trend"><thead><tr>{head}</tr></thead><tbody>'
    for each in stood:
        name = "none" if each["version"] is None else str(each["version"])
        cells = (name, each["when"], f"{each['score']:.0%}", str(each["proved"]), str(each["open"]))
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _next(report: Mapping[str, Any]) -> Iterator[str]:
    if not report["next"]:
        return
    yield "<h2>What to do first</h2><ol>"
    for step in report["next"][:8]:
        blocking = f", {step['blocking']} of them blocking" if step["blocking"] and len(step["items"]) > 1 else ""
        blocking = ", blocking" if step["blocking"] and len(step["items"]) == 1 else blocking
        items = ", ".join(f'<a href="#{escape(each)}">{escape(each)}</a>' for each in step["items"])
        text = escape(step["text"])
        shown = f"<code>{text}</code>" if step["text"].startswith("nbprod ") else text
        yield f'<li>{shown}<br><span class="faint">{items}{blocking}</span></li>'
    yield "</ol>"


def _figures(report: Mapping[str, Any]) -> Iterator[str]:
    """The plots of the items that have some, each with the item that it speaks of."""
    for item in report["items"]:
        made = list(plots_of(item))
        if made:
            state = f'<span class="count" style="color: var(--{escape(item["state"])})">{WORDS[item["state"]]}</span>'
            yield f'<h2><a href="#{escape(item["id"])}">{escape(item["title"])}</a>{state}</h2>'
            yield from made


def _items(report: Mapping[str, Any]) -> Iterator[str]:
    for section in report["sections"]:
        yield (
            f'<h2>{escape(section["title"])}<span class="count">{section["points"]:g} of {section["of"]}</span></h2>'
        )
        for item in report["items"]:
            if section_of(item["id"]) == section["id"]:
                yield from _item(item)


def _item(item: Mapping[str, Any]) -> Iterator[str]:
    opened = " open" if item["state"] == "contradicted" else ""
    blocking = '<span class="blocking">blocking</span>' if item["blocking"] else ""
    yield f'<details id="{escape(item["id"])}"{opened}><summary>'
    yield f'<span class="state" style="color: var(--{escape(item["state"])})">{WORDS[item["state"]]}</span>'
    yield f'<span class="title">{escape(item["title"])}{blocking}</span><span class="id">{escape(item["id"])}</span>'
    yield f'<span class="evidence">{escape(item["evidence"])}</span></summary><div class="more">'
    if item["contradicts"]:
        yield f"<p>Speaks against: {escape(item['contradicts'])}</p>"
    yield f"<p>{escape(item['why'])}</p>"
    if item["state"] not in ("proved", "not-applicable"):
        yield f"<p>Next: {escape(item['step'])}</p>"
    if item["keys"]:
        keys = ", ".join(f"<code>{escape(key)}</code>" for key in item["keys"])
        yield f'<p class="keys">Declared by {keys}</p>'
    if item["is_promise"]:
        yield '<p class="faint">A promise: it can be declared, and no machine can prove it.</p>'
    yield f'<p class="faint">{escape(item["source"])}</p></div></details>'


def _legend(report: Mapping[str, Any]) -> Iterator[str]:
    states = {each["state"] for each in report["items"]}
    yield "<h2>What the words mean</h2><dl>"
    for state, meaning in MEANING.items():
        if state in states:
            yield f'<dt style="color: var(--{state})">{WORDS[state]}</dt><dd>{escape(meaning)}</dd>'
    yield "</dl>"
