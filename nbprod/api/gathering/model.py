"""SU-1 to SU-4: the model's metric, beside simple ones, by slice, and its scores, on the rows that were held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbprod import replay
from nbprod.api.directions import is_higher_better
from nbprod.api.gathering.deciding import judged_metric
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.listing import notebook_metrics
from nbprod.model.readiness import Evidence
from nbprod.readiness.amounts import amount
from nbprod.readiness.judging import first_of

RESAMPLES = 1000
REPEATS = 10
"""Shuffles of each feature."""

MOST_ROWS = 5000
"""Rows that are measured at most: each resample costs an evaluation of as many."""

MOST_ERROR = 0.1
"""The expected calibration error up to which scores may be read as probabilities.

C. Guo et al. (ICML 2017, section 5) found 4 to 10 % in networks that nobody had calibrated, which is why they call for
calibration: whoever reads scores as probabilities should do no worse than that.
"""


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of SU-2 and SU-4, of SU-1 where a metric is declared, and of SU-3 where slices are."""
    told = _told(ground)
    if ground.facts.settings.success.metric is not None:
        yield _decides(ground, told)
    yield _against_simple(ground, told)
    if ground.facts.settings.slices:
        yield _by_slice(ground, told)
    yield _scores(ground, told)


def _told(ground: Ground) -> Mapping[str, Any]:
    """The report on the model, turned so that more of what it improves or loses is more of what is good."""
    settings = ground.facts.settings
    told = ground.replayed(
        replay.report_on_model,
        metric=settings.success.metric,
        slices=settings.slices,
        threshold=settings.decision.threshold,
        resamples=RESAMPLES,
        repeats=REPEATS,
        most=MOST_ROWS,
        on_progress=lambda what, _done, _total: ground.tell(what),
    )
    if told["metric"] is None:
        return told
    higher = is_higher_better(ground.folder, told["metric"], declared=settings.success.higher_is_better)
    return turned(told, higher=higher)


def turned(told: Mapping[str, Any], *, higher: bool) -> dict[str, Any]:
    """A report in which each simple model has the model's `improvement` on it, and `lost` is what a feature carries."""

    def improvement(difference: Mapping[str, Any]) -> dict[str, Any]:
        if higher or "low" not in difference:
            return dict(difference)
        return {**difference, "value": -difference["value"], "low": -difference["high"], "high": -difference["low"]}

    baselines = [
        {**{key: value for key, value in each.items() if key != "difference"}, "improvement": improvement(found)}
        if (found := each.get("difference"))
        else each
        for each in told["baselines"]
    ]
    groups = [
        {**each, "lost": each["lost"] if higher else -each["lost"]} if "lost" in each else each
        for each in told["groups"]
    ]
    return {**told, "higher_is_better": higher, "baselines": baselines, "groups": groups}


def _decides(ground: Ground, told: Mapping[str, Any]) -> Evidence:
    """SU-1 holds where the package gives the metric that the run of its fit has logged."""
    fit = next((run for run in ground.facts.runs if run.run_id == ground.version.run), None)
    held, text, against = judged_metric(told, notebook_metrics(fit), ground.facts.settings.success)
    numbers = {key: told[key] for key in ("sets", "errors")}
    return ground.seen("SU-1", held, text, "success", contradicts=against, numbers=numbers)


def _against_simple(ground: Ground, told: Mapping[str, Any]) -> Evidence:
    """SU-2 holds where the interval of the improvement on the best of the simple models lies above 0."""
    if told["metric"] is None:
        return ground.seen("SU-2", None, told["why"], "success")
    keys = ("metric", "higher_is_better", "rows", "held_out", "model", "baselines", "groups")
    numbers = {key: told[key] for key in keys}
    held, text = judged_simple(told)
    return ground.seen("SU-2", held, f"{_by(ground, told)}{text}", "success", numbers=numbers)


def judged_simple(told: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Whether the model beats the best of the simple ones, None where that can't be said, and in words."""
    compared = [each for each in told["baselines"] if "low" in each.get("improvement", {})]
    apart = [each for each in told["baselines"] if each not in compared]
    notes = [f"{each['name']}: {each.get('reason') or each['improvement']['reason']}" for each in apart]
    if not compared:
        return None, "; ".join(notes)
    sign = 1 if told["higher_is_better"] else -1
    best = max(compared, key=lambda each: sign * each["value"])
    others = [f"{each['name']} {amount(each['value'])}" for each in compared]
    gain, low, high = (amount(best["improvement"][key], signed=True) for key in ("value", "low", "high"))
    text = (
        f"{told['metric']} {amount(told['model']['value'])} on {_rows(told)}, {', '.join(others)}: improvement on "
        f"the {best['name']} {gain}, 95 % interval {low} to {high}"
    )
    most = sorted((each for each in told["groups"] if "lost" in each), key=lambda each: -each["lost"])[:3]
    if most:
        listed = ", ".join(f"{each['feature']} {amount(each['lost'], 3)}" for each in most)
        notes.append(f"shuffling costs most for {listed}")
    text = "; ".join([text, *notes])
    if best["improvement"]["low"] <= 0:
        return False, text
    return (True if all(each.get("itself") for each in apart) else None), text


def _by_slice(ground: Ground, told: Mapping[str, Any]) -> Evidence:
    """SU-3 holds where each slice has a metric that is not surely further below the whole's than is allowed."""
    settings, names = ground.facts.settings, ("slices", "success")
    if told["metric"] is None:
        return ground.seen("SU-3", None, told["why"], *names)
    limit = settings.success.max_slice_drop
    numbers = {
        **{key: told[key] for key in ("metric", "higher_is_better", "rows", "held_out", "model", "slices")},
        "max_slice_drop": limit,
    }
    text = f"{_by(ground, told)}{told['metric']} {amount(told['model']['value'])} on {_rows(told)}"
    unknown = tuple(f"{_slice(each)}: {each['reason']}" for each in told["slices"] if "metric" not in each)
    if unknown:
        text = f"{text}; no metric of {first_of(unknown)}"
        return ground.seen(
            "SU-3", False, text, *names, contradicts=f"slices = {list(settings.slices)}", numbers=numbers
        )
    sign = 1 if told["higher_is_better"] else -1
    worst = min(told["slices"], key=lambda each: sign * each["metric"])
    text = f"{text}; lowest of {len(told['slices'])} slices: {_slice(worst)} {_measured(worst)}"
    low = below(told, limit)
    if low:
        text = f"{text}; surely more than {limit:g} worse than all: {first_of(tuple(map(_slice, low)))}"
        against = f"success.max_slice_drop = {limit:g}"
        return ground.seen("SU-3", False, text, *names, contradicts=against, numbers=numbers)
    return ground.seen("SU-3", True, text, *names, numbers=numbers)


def below(told: Mapping[str, Any], limit: float | None) -> list[Mapping[str, Any]]:
    """The slices whose interval lies wholly further below the whole's metric than `limit`."""
    if limit is None:
        return []
    whole = told["model"]["value"]
    known = (each for each in told["slices"] if "low" in each)
    if told["higher_is_better"]:
        return [each for each in known if each["high"] < whole - limit]
    return [each for each in known if each["low"] > whole + limit]


def _scores(ground: Ground, told: Mapping[str, Any]) -> Evidence:
    decision = ground.facts.settings.decision
    held, text, against = judged_scores(told, uses_probability=decision.uses_probability)
    numbers = {key: told[key] for key in ("rows", "held_out", "calibration", "threshold") if key in told}
    return ground.seen("SU-4", held, text, "decision", contradicts=against, numbers=numbers)


def judged_scores(told: Mapping[str, Any], *, uses_probability: bool | None) -> tuple[bool | None, str, str | None]:
    """Whether the model decides at the declared threshold and is calibrated, in words, and what speaks against it.

    None where it can't be said. Unless scores are read as probabilities, it is enough that they were measured.
    """
    found, at = told["calibration"], told.get("threshold")
    if "reason" in found:
        against = "decision.uses_probability = true" if uses_probability else None
        return (False if uses_probability else None), found["reason"], against
    error, low, high = found["error"], found["low"], found["high"]
    of = "of the predicted class" if found["of"] is None else f"of class {found['of']}"
    text = (
        f"expected calibration error of the probability {of} {error:.3g}, 95 % interval {low:.3g} to {high:.3g}, Brier "
        f"score {found['brier']:.3g}, on {_rows(told)}"
    )
    if at is not None and "reason" in at:
        return None, f"{text}; at which score it decides can't be told: {at['reason']}", None
    if at is not None:
        declared = f"decision.threshold = {at['threshold']:g}"
        if at["differing"] is None:
            return False, f"{text}; a threshold is for two classes, and the model has {at['classes']}", declared
        if at["differing"]:
            said = (
                f"the model decides otherwise than at {at['threshold']:g} in {at['differing']:,} of {at['rows']:,} rows"
            )
            return False, f"{text}; {said}, {_between(at)}", declared
        text = f"{text}; it decides at {at['threshold']:g} in all of {at['rows']:,} rows, {_between(at)}"
    if not uses_probability:
        return True, text, None
    if low > MOST_ERROR:
        return False, f"{text}; {MOST_ERROR:g} is the most for a probability", "decision.uses_probability = true"
    if high > MOST_ERROR:
        return None, f"{text}; too few rows to tell that it is at most {MOST_ERROR:g}", None
    return True, text, None


def _between(at: Mapping[str, Any]) -> str:
    """Where the model goes over from no to yes, as far as the rows tell."""
    no, yes = at["between"]
    if no is None or yes is None:
        return f"which all get {'no' if yes is None else 'yes'}"
    return f"with no up to {no:.3g} and yes from {yes:.3g}"


def _by(ground: Ground, told: Mapping[str, Any]) -> str:
    """That the evaluation does not give the metric which was declared to decide, where that is so."""
    declared = ground.facts.settings.success.metric
    if declared in (None, told["metric"]):
        return ""
    return f"the notebook's evaluation gives no {declared}, so by its first metric: "


def _rows(told: Mapping[str, Any]) -> str:
    if told["rows"] < told["held_out"]:
        return f"{told['rows']:,} of {told['held_out']:,} rows held out"
    return f"{told['rows']:,} rows held out"


def _slice(each: Mapping[str, Any]) -> str:
    return each["column"] if each["value"] is None else f"{each['column']} = {each['value']}"


def _measured(each: Mapping[str, Any]) -> str:
    interval = f", 95 % interval {amount(each['low'])} to {amount(each['high'])}" if "low" in each else ""
    return f"{amount(each['metric'])} (n = {each['n']:,}{interval})"


PROBE = Probe(
    ("SU-1", "SU-2", "SU-3", "SU-4"),
    "measuring the model beside simple ones, by slice, and its scores",
    run,
    inputs=("slices", "decision", "success"),
)
