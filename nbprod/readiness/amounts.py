"""Numbers of any size as a person reads them."""

from __future__ import annotations

LARGE = 1000


def amount(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """`41,943`, `0.8585`, `+0.0123`: so many digits, and whole numbers where they are as long, or from `LARGE` on."""
    sign = "+" if signed else ""
    return format(value, f"{sign},.0f" if abs(value) >= min(10**digits, LARGE) else f"{sign}.{digits}g")
