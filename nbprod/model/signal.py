"""What watching a served model has measured: one figure against its threshold."""

from __future__ import annotations

from msgspec import Struct, field


class Signal(Struct, frozen=True):
    """One measured figure of a feature, of the prediction or of the service, and the threshold above which it alerts.

    `what` is a stable word: drift, missing, unseen, type, range, empty, dead, unanswered, skew, quality, latency or
    volume.
    `n` is the number of rows that it was measured on. `alert` says that the value is beyond the threshold. `others`
    are measures of the same change that do not decide.
    """

    feature: str
    what: str
    measure: str
    value: float
    threshold: float
    n: int
    alert: bool
    message: str
    hint: str | None = None
    others: dict[str, float] = field(default_factory=dict)
