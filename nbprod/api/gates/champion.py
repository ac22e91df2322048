"""The gate of the champion: on the same rows the candidate is no worse than what it would replace."""

from __future__ import annotations

from nbprod.api.directions import is_higher_better
from nbprod.api.gates.case import Case
from nbprod.model.promotion import Gate

NAME = "no-worse-than-champion"
MARGIN = 0.01
"""The share of the champion's metric that may be lost, where `gate.min_delta` states no amount."""


def no_worse(case: Case) -> Gate:
    """Passed where the interval of the improvement lies above minus the margin.

    That is a test of non-inferiority: the lower bound of the 95 % interval of the paired difference is compared with
    the margin (G. Piaggio et al., JAMA 2012;308(24):2594-2604). A margin of nothing would refuse every candidate that
    is as good as the champion, for the interval of equals reaches below zero.
    """
    if case.champion is None:
        return Gate(NAME, "not-applicable", "there is no champion yet")
    told = case.side_by_side
    if "reason" in told:
        hint = f"run the notebook here: nbprod run {case.candidate.notebook}" if case.last is None else None
        return Gate(NAME, "unknown", told["reason"], blocks=True, hint=hint)
    metric, candidate, champion = told["metric"], told["candidate"], told["champion"]
    higher = is_higher_better(case.folder, metric, declared=case.target.settings.success.higher_is_better)
    low, high = (told["low"], told["high"]) if higher else (-told["high"], -told["low"])
    stated = case.target.settings.gate.min_delta
    margin = MARGIN * abs(champion) if stated is None else stated
    numbers = {
        **{key: told[key] for key in ("metric", "candidate", "champion", "rows", "held_out", "resamples", "undefined")},
        "higher_is_better": higher,
        "improvement": (candidate - champion) if higher else (champion - candidate),
        "low": low,
        "high": high,
        "level": told["level"],
        "margin": margin,
    }
    rows = f"{told['rows']:,} rows held out"
    if told["rows"] < told["held_out"]:
        rows = f"{told['rows']:,} of {told['held_out']:,} rows held out"
    text = (
        f"{metric} {candidate:.4g}, champion (version {case.champion.number}) {champion:.4g} on the same {rows}: "
        f"improvement {numbers['improvement']:+.4g}, 95 % interval {low:+.4g} to {high:+.4g}, margin {margin:.4g}"
    )
    if low >= -margin:
        return Gate(NAME, "passed", text, numbers=numbers)
    if high < 0:
        return Gate(NAME, "failed", f"worse: {text}", blocks=True, hint="keep the champion", numbers=numbers)
    hint = "more rows held out make the interval narrower; gate.min_delta states a loss that may be taken"
    return Gate(NAME, "failed", f"not shown to be no worse: {text}", blocks=True, hint=hint, numbers=numbers)
