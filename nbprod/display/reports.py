"""What each verb reports, as a document: the JSON of the interface in, title, verdict and blocks out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nbprod.display.document import Block, Code, Document, Item, Items, Line, Table, Tone
from nbprod.display.features import features
from nbprod.display.live import live
from nbprod.display.places import line_of, place
from nbprod.display.readiness import readiness
from nbprod.notebook.formats import lines_of

Report = Mapping[str, Any]
Sources = Sequence[str]

VERDICTS: dict[str, tuple[Tone, str]] = {
    "same": ("good", "the package is what the notebook says"),
    "cosmetic": ("good", "other text, the same meaning: nothing to do"),
    "training-only": ("warning", "serving is unaffected; the next run trains in another way"),
    "diverges": ("bad", "the package no longer does what the notebook does"),
    "unknown": ("bad", "it can't be decided by reading: %nbprod verify decides it by replay"),
    "not-exported": ("plain", "there is no package of this notebook yet: %nbprod export"),
}
SEVERITIES: dict[str, Tone] = {"error": "bad", "warning": "warning", "info": "plain"}
STATUSES: dict[str, Tone] = {"proven": "good", "observed": "good", "refused": "bad", "failed": "bad"}
EXPORTS: dict[str, tuple[Tone, str]] = {
    "written": ("good", "a new version; next: nbprod run"),
    "unchanged": ("good", "the newest version is what the notebook gives"),
    "fresh": ("good", "the newest version is what the notebook gives"),
    "stale": ("warning", "an export would change the package"),
    "refused": ("bad", "nothing was written"),
}


def document(kind: str, report: Report, sources: Sources = ()) -> Document:
    """A report of the verb `kind` (one of `KINDS`), its secrets masked; `sources` are the texts of the code cells."""
    return KINDS[kind](report, sources)


def findings(found: Iterable[Report], sources: Sources) -> tuple[Block, ...]:
    """Findings with their lines, the related places and the way out."""
    items = tuple(_finding(each, sources) for each in found)
    return (Items(_count(len(items), "finding"), items),) if items else ()


def divergences(found: Iterable[Report], tone: Tone = "bad") -> tuple[Block, ...]:
    """What is not as it was exported, before and after."""
    items = tuple(_divergence(each, tone) for each in found)
    return (Items(_count(len(items), "divergence"), items),) if items else ()


def refusals(found: Iterable[Report], sources: Sources) -> tuple[Block, ...]:
    """What can't be served row by row, with the reason and the way out."""
    items = tuple(
        Item(
            "bad",
            each["construct"],
            each["reason"],
            place(each),
            line_of(each, sources),
            _texts(each["hint"], "hint: "),
        )
        for each in found
    )
    return (Items(f"{len(items)} refused", items),) if items else ()


def _check(report: Report, sources: Sources) -> Document:
    verdict = report["verdict"]
    tone, meaning = VERDICTS[verdict]
    error = report.get("plan_error")
    blocks: list[Block] = [Line(f"package: {report['package']}")] if report["package"] else []
    blocks += [Line(f"no plan of the notebook as it is: {error['message']}", "warning")] if error else []
    blocks += divergences(report["divergences"], tone)
    return Document(report["notebook"], verdict, tone, meaning, (*blocks, *findings(report["findings"], sources)))


def _inspect(report: Report, sources: Sources) -> Document:
    rows = tuple(
        (
            str(cell["index"]),
            _role(cell),
            ", ".join(cell["steps"]),
            _shortened(cell["defines"]),
            _shortened(cell["updates"]),
        )
        for cell in report["cells"]
    )
    cells = Table("cells", ("cell", "role", "does", "defines", "updates"), rows)
    plan = _plan(report, sources)
    found = findings(report["findings"], sources)
    return Document(report["notebook"], plan.word, plan.tone, plan.meaning, (cells, *found, *plan.blocks))


def _plan(report: Report, sources: Sources) -> Document:
    plan = report["plan"]
    if plan is None:
        error = report["plan_error"]
        told = tuple(Line(text) for text in _texts(error["hint"], "hint: "))
        return Document(report["notebook"], "no plan", "bad", error["message"], told)
    rows = tuple(
        (
            f"cell {step['cell']}, line {step['line']}",
            step["binding"],
            step["status"],
            _shortened(step["sites"]),
            line_of(step, sources),
        )
        for step in plan["steps"]
    )
    names = [each["name"] for each in plan["features"]]
    facts = Table(
        "plan",
        ("what", "value"),
        (
            ("model", f"{plan['model']['name']}, a {plan['model']['estimator']}"),
            ("target", plan["target"] or "none"),
            ("raw columns", _shortened(plan["inputs"], 20)),
            ("features", _shortened(names, 20)),
        ),
    )
    refused = refusals(plan["refusals"], sources)
    steps = Table("steps", ("place", "binding", "status", "learns", "code"), rows)
    tone, word, meaning = _servable(plan)
    return Document(report["notebook"], word, tone, meaning, (*refused, facts, steps))


def _servable(plan: Report) -> tuple[Tone, str, str]:
    """Whether an export would take the plan: it takes no step that is merely assumed, unless it is told to."""
    if plan["refusals"]:
        return "bad", "refused", "this can't be exported yet"
    if assumed := [place(step) for step in plan["steps"] if step["status"] == "assumed"]:
        way = "nbprod run lets the replay decide, %nbprod export --allow-assumed takes it on trust"
        return "warning", "assumed", f"what a step does to a row is not known ({_shortened(assumed)}): {way}"
    return "good", "servable", _count(len(plan["features"]), "feature")


def _export(report: Report, sources: Sources) -> Document:
    tone, meaning = EXPORTS[report["status"]]
    blocks: list[Block] = [Line(f"package: {report['package']}")] if report["package"] else []
    if report["status"] == "written":
        blocks.append(Line(", ".join(report["files"])))
    if report["assumed"] and report["status"] != "refused":
        told = ", ".join(place(each) for each in report["assumed"])
        blocks.append(Line(f"taken on trust (--allow-assumed): {told}", "warning"))
    blocks += refusals(report["refusals"], sources)
    blocks += divergences(report["divergences"], "warning")
    if report["diff"]:
        blocks.append(Code("an export would change", tuple(enumerate(report["diff"].splitlines(), 1))))
    return Document(report["notebook"], report["status"], tone, meaning, tuple(blocks))


def _verify(report: Report, sources: Sources) -> Document:
    proof = report["verify"]
    word = proof["status"]
    rows = f"{proof['rows_equal']} of {proof['rows']} rows"
    predictions = f"{proof['predictions_equal']} of {proof['predictions']} predictions equal"
    blocks: list[Block] = [Line(f"package: {report['package']}")] if report["package"] else []
    blocks += [Line(report["fresh_run"])] if report["fresh_run"] else []
    edited = ", ".join(report["hand_edits"])
    blocks += [Line(f"edited by hand since it was exported, so known by the replay alone: {edited}")] if edited else []
    if proof["mismatch"] is not None:
        blocks.append(Items("the smallest mismatch", (_mismatch(proof["mismatch"], sources),)))
    blocks += refusals(report["refusals"], sources)
    rows_of = tuple(
        (each["name"], "equal" if each["passed"] else "differs", each["detail"]) for each in proof["checks"]
    )
    blocks += [Table("checks", ("what", "outcome", "detail"), rows_of)] if rows_of else []
    return Document(report["name"], word, STATUSES[word], f"{rows} and {predictions}", tuple(blocks))


def _versions(report: Report, _sources: Sources) -> Document:
    if "versions" not in report:
        return _version(report)
    rows = tuple(
        (
            str(each["number"]),
            each["when"].replace("T", " ").rstrip("Z"),
            "fitted" if each["state"] else "exported",
            ", ".join(each["aliases"]),
            each["why"],
            each["digest"][:12],
        )
        for each in report["versions"]
    )
    table = Table("", ("version", "when", "state", "aliases", "why", "digest"), rows)
    return Document(report["name"], _count(len(rows), "version"), "plain", report["package"], (table,))


def _version(report: Report) -> Document:
    facts = (
        ("state", "fitted" if report["state"] else "exported"),
        ("when", report["when"]),
        ("why", report["why"]),
        ("notebook", report["notebook"]),
        ("model", report["model"] or ""),
        ("target", report["target"] or "none"),
        ("raw columns", _shortened(report["inputs"], 20)),
        ("features", _shortened(report["features"], 20)),
        ("edited by hand", _shortened(report["hand_edits"], 20) or "nothing"),
    )
    return Document(
        report["name"],
        f"version {report['number']}",
        "plain",
        report["package"],
        (Table("", ("what", "value"), facts),),
    )


def _explain(report: Report, sources: Sources) -> Document:
    blocks = []
    for part in report["slice"]:
        lines = lines_of(sources[part["cell"]], keepends=False) if part["cell"] < len(sources) else []
        texts = tuple((line, lines[line - 1] if line <= len(lines) else "") for line in part["lines"])
        blocks.append(Code(f"cell {part['cell']}", texts))
    return Document("what it depends on", _count(len(blocks), "cell"), "plain", "", tuple(blocks))


def _tag(report: Report, sources: Sources) -> Document:
    rows = tuple(
        (str(cell["index"]), _role(cell), (cell["suggestion"] or {}).get("reason", "")) for cell in report["cells"]
    )
    changed = _count(len(report["changed"]), "cell") + " changed" if report["changed"] else "nothing changed"
    table = Table("", ("cell", "role", "why"), rows)
    return Document(report["notebook"], "roles", "plain", changed, (table, *findings(report["findings"], sources)))


def _diff(report: Report, _sources: Sources) -> Document:
    tone, _ = VERDICTS[report["verdict"]]
    rows = tuple((kind, _shortened(names, 30)) for kind, names in report["features"].items() if names)
    blocks = (Table("features", ("are", "which"), rows), *divergences(report["divergences"], tone))
    return Document(f"{report['before']} → {report['after']}", report["verdict"], tone, "", blocks)


def _finding(found: Report, sources: Sources) -> Item:
    related = [f"{place(each)}: {each['message']}" for each in found["related"]]
    details = (*related, *_texts(found["hint"], "hint: "))
    return Item(
        SEVERITIES[found["severity"]],
        f"{found['severity']}[{found['rule']}]",
        found["message"],
        place(found),
        line_of(found, sources),
        details,
    )


def _divergence(found: Report, tone: Tone) -> Item:
    before, after = (" ".join(found[side].split()) for side in ("before", "after"))
    details = tuple(f"{side}: {text}" for side, text in (("before", before), ("after", after)) if text)
    return Item(tone, found["feature"] or "the package", found["kind"], place(found), "", details)


def _mismatch(found: Report, sources: Sources) -> Item:
    values = f"the notebook has {found['notebook']!r}, the package {found['package']!r}"
    row = ", ".join(f"{name}={value!r}" for name, value in found["row"].items())
    return Item("bad", found["feature"], values, place(found), line_of(found, sources), _texts(row, "raw row: "))


def _role(cell: Report) -> str:
    if cell["role"]:
        return str(cell["role"])
    suggestion = cell["suggestion"]
    return f"[{suggestion['role']} {suggestion['confidence']:.0%}]" if suggestion else ""


def _texts(text: str | None, before: str) -> tuple[str, ...]:
    return (before + text,) if text else ()


def _shortened(names: Sequence[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


KINDS: dict[str, Callable[[Report, Sources], Document]] = {
    "check": _check,
    "inspect": _inspect,
    "plan": _plan,
    "export": _export,
    "verify": _verify,
    "readiness": readiness,
    "versions": _versions,
    "explain": _explain,
    "tag": _tag,
    "diff": _diff,
    "live": live,
    "features": features,
}
