"""Whether numbers look as if they came in another unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEAR = 0.06
FACTORS: dict[float, str] = {
    2.54: "inches and centimetres",
    1.609344: "miles and kilometres",
    2.204623: "kilograms and pounds",
    3.28084: "metres and feet",
    12.0: "years and months",
    24.0: "days and hours",
    60.0: "minutes and seconds",
    3600.0: "hours and seconds",
    **{10.0**power: "such as grams and kilograms" for power in range(1, 10)},
}


def unit_hint(then: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """A hint where the mean of numbers of one sign is near a known multiple of training's; else None."""
    counts = [sum(each["counts"]) + each["below"] + each["above"] for each in (then, now)]
    if not all(counts) or then["total"] is None or now["total"] is None or then["edges"][0] < 0 < then["edges"][-1]:
        return None
    before, after = then["total"] / counts[0], now["total"] / counts[1]
    if not before or before * after <= 0:
        return None
    ratio = after / before
    for factor, units in FACTORS.items():
        if abs(ratio / factor - 1) < NEAR:
            return f"the mean is {_shown(ratio)} times that of training: another unit ({units}, {_shown(factor)})?"
        if abs(ratio * factor - 1) < NEAR:
            return f"the mean is 1/{_shown(1 / ratio)} of that of training: another unit ({units}, {_shown(factor)})?"
    return None


def _shown(number: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
