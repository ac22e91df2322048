"""MO-1, MO-5, DT-3, DT-4: the service is started and asked, well and badly, and its counters are read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbprod import versions
from nbprod.api.gathering.client import Client, moved, names_of
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.gathering.malformed import malformed
from nbprod.api.serving import running, serve_command
from nbprod.model.readiness import Evidence

GOOD, BAD = 20, 5
MALFORMED = 500
NOVEL = "a text that no training row has"
INPUTS = ("low_confidence", "monitoring")
ITEMS = ("MO-1", "MO-5", "DT-3", "DT-4")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of all that one started service can show."""
    with running(serve_command(ground.fitted, port=0)) as (url, process):
        client = Client(url)
        try:
            yield _technical(ground, client)
            yield _quality(ground, client)
            if ground.facts.settings.low_confidence.band:
                yield _unsure(ground, client)
            yield _bad_input(ground, client, process)
        finally:
            client.close()


def _technical(ground: Ground, client: Client) -> Evidence:
    """MO-1: counters move by exactly what was asked."""
    rows = ground.records
    before = client.samples()
    for number in range(GOOD):
        client.asked("/predict", ground.request(rows[number % len(rows)]))
    for _ in range(BAD):
        client.asked("/predict", "no record")
    after = client.samples()
    version = f"v{ground.version.number:04d}"
    name, path = "pipeline_requests_total", "/predict"
    found = {
        "answered": moved(before, after, name, version=version, path=path, status="2*"),
        "refused": moved(before, after, name, version=version, path=path, status="4*"),
        "timed": moved(before, after, "pipeline_request_seconds_count", version=version),
    }
    wanted = {"answered": GOOD, "refused": BAD, "timed": GOOD + BAD}
    text = f"{GOOD} good and {BAD} bad requests moved the counters of {version} by " + ", ".join(
        f"{value:g} {what}" for what, value in found.items()
    )
    absent = [each for each in ground.facts.settings.monitoring.metrics if each not in names_of(after)]
    if absent:
        said, stated = f"the service has no metric {', '.join(absent)}", f"monitoring.metrics names {', '.join(absent)}"
        return ground.seen("MO-1", False, said, "monitoring", contradicts=stated)
    against = None if found == wanted else ", ".join(f"{value:g} {what}" for what, value in wanted.items())
    return ground.seen("MO-1", found == wanted, text, "monitoring", contradicts=against, numbers=found)


def _quality(ground: Ground, client: Client) -> Evidence:
    """MO-5: what is missing, unseen, out of range and refused is counted."""
    planted = dict(_unusual(ground.record, ground.columns))
    told: list[str] = []
    missed: list[str] = []
    for (field, kind), body in planted.items():
        before = client.samples()
        client.asked("/predict", ground.request(body))
        after = client.samples()
        as_fault = moved(before, after, "pipeline_faults_total", field=field)
        as_value = moved(before, after, "pipeline_values_total", column=field, bin="(missing)")
        (told if as_fault or (kind == "missing" and as_value) else missed).append(f"{kind} in {field}")
    numbers = {"counted": told, "not counted": missed}
    if missed or not told:
        return ground.seen("MO-5", False, f"no counter told of {', '.join(missed[:4]) or 'anything'}", numbers=numbers)
    kinds = Counter(kind for _, kind in planted)
    said = ", ".join(f"{kind} ({count} column{'s' if count > 1 else ''})" for kind, count in kinds.items())
    return ground.seen("MO-5", True, f"each of {len(told)} planted values was counted: {said}", numbers=numbers)


def _unusual(
    record: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Records with one unusual value each, by its field and kind."""
    for name, column in columns.items():
        if name not in record:
            continue
        yield (name, "missing"), {**record, name: None}
        if column["min"] is not None and column["kind"] in ("integer", "number"):
            above = column["max"] + 2 * (column["max"] - column["min"] or 1)
        else:
            above = math.inf
        if math.isfinite(above):
            yield (name, "out of range"), {**record, name: int(above) if column["kind"] == "integer" else float(above)}
        if any(isinstance(each, str) for each in column["categories"] or ()):
            yield (name, "unseen"), {**record, name: NOVEL}
        if column["kind"] in ("integer", "number"):
            yield (name, "of another type"), {**record, name: NOVEL}


def _unsure(ground: Ground, client: Client) -> Evidence:
    """DT-3: rows inside of the declared band get the declared action, and not all rows lie in it."""
    stated = ground.facts.settings.low_confidence
    inside = acted = asked = 0
    for body in [{"records": ground.records}] if ground.serves_batches else ground.records:
        status, answer = client.asked("/predict", body)
        if status != 200 or answer is None:
            continue
        asked += len(answer["predictions"])
        for row in {flag["row"] for flag in answer["flags"] if flag["kind"] == "unsure"}:
            inside += 1
            acted += stated.action != "abstain" or answer["predictions"][row] is None
    said = f"low_confidence = {list(stated.band)}, {stated.action}"
    exported = versions.read_object(ground.folder / "contract.json") or {}
    band, action = exported.get("unsure") or [], exported.get("when_unsure", "answer")
    if (list(map(float, band)), action) != (list(map(float, stated.band)), stated.action):
        text = f"the contract of version {ground.version.number} has {band or 'no band'}, {action}: export it again"
        return ground.seen("DT-3", False, text, "low_confidence", contradicts=said)
    numbers = {"asked": asked, "inside": inside, "acted": acted}
    text = f"{inside} of {asked} rows lie in the band"
    if stated.action == "answer":
        return ground.seen("DT-3", True, f"the model's answer is given there as well: {said}", "low_confidence")
    if stated.max_share is not None and inside > stated.max_share * asked:
        most = f"low_confidence.max_share = {stated.max_share:g}"
        return ground.seen("DT-3", False, text, "low_confidence", contradicts=most, numbers=numbers)
    if not inside or inside == asked or acted < inside:
        why = "" if acted == inside else f", and {inside - acted} of them were answered all the same"
        return ground.seen("DT-3", False, f"{text}{why}", "low_confidence", contradicts=said, numbers=numbers)
    return ground.seen(
        "DT-3", True, f"{text}, and got what is declared ({stated.action})", "low_confidence", numbers=numbers
    )


def _bad_input(ground: Ground, client: Client, process: Any) -> Evidence:
    """DT-4: malformed requests are refused one by one, and leave the service and its state as they were."""
    fields = {name: ground.record[name] for name in ground.columns if name in ground.record}
    numbers = [name for name in fields if ground.columns[name]["kind"] in ("integer", "number", "boolean")]
    good = ground.request(ground.record)
    answer = client.asked("/predict", good)
    state = versions.state_digest(ground.folder / "state")
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    for what, body, kind in malformed(fields, numbers, MALFORMED, ground.request):
        try:
            status, _ = client.ask("/predict", body, {"content-type": kind})
        except OSError:
            faults.append(f"{what}: no answer")
            continue
        statuses[status] += 1
        if not 400 <= status < 500:
            faults.append(f"{what}: {status}")
    if process.poll() is not None:
        faults.append(f"the service ended with {process.poll()}")
    elif _prediction(client.asked("/predict", good)) != _prediction(answer):
        faults.append("a good record was answered otherwise afterwards")
    if versions.state_digest(ground.folder / "state") != state:
        faults.append("the learned state on disk is another one")
    told = {"statuses": {str(status): count for status, count in sorted(statuses.items())}, "faults": faults[:20]}
    if faults:
        return ground.seen("DT-4", False, f"of {MALFORMED} malformed requests: {_first(faults)}", numbers=told)
    said = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
    text = f"{MALFORMED} malformed requests were refused ({said}); the service and its state are as they were"
    return ground.seen("DT-4", True, text, numbers=told)


def _prediction(answer: tuple[int, Any]) -> Any:
    status, told = answer
    return status, None if told is None else told.get("predictions")


def _first(faults: Sequence[str]) -> str:
    kinds = Counter(faults)
    return "; ".join(f"{each} ({count} times)" if count > 1 else each for each, count in kinds.most_common(3))


PROBE = Probe(ITEMS, "starting the service, and asking it well and badly", run, inputs=INPUTS)
