"""Errors of each kind that a model of two classes makes on the rows held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .side_by_side import Side

NOT_TWO = "the model does not decide between two classes"


def errors_made(side: Side) -> dict[str, Any]:
    """The numbers of `rows`, of those of the class that is looked for (`of`, `positives`) and of errors of each kind.

    Of two classes it is the second one that is looked for, as in scikit-learn: `missed` are rows of it that get the
    other one, `false_alarm` the reverse. Else there is a `reason`.
    """
    classes = getattr(side.model, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.shape != (2,):
        return {"reason": NOT_TWO}
    truth, said = (np.asarray(each) for each in (side.truth, side.answers("predict")))
    if truth.size != said.size or truth.size != len(truth):
        return {"reason": "the predictions are not one for each row"}
    is_it, is_said = truth.ravel() == classes[1], said.ravel() == classes[1]
    if not np.isin(truth, classes).all():
        return {"reason": "some true labels are no classes of the model"}
    return {
        "of": str(classes[1]),
        "rows": int(truth.size),
        "positives": int(is_it.sum()),
        "missed": int((is_it & ~is_said).sum()),
        "false_alarm": int((~is_it & is_said).sum()),
    }
