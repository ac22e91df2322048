"""One column a class by scikit-learn's function: the classes are learned.

Notebook: Y = label_binarize(df["port"], classes=df["port"].unique())
Fit:      encode as the notebook does; keep the classes
Serve:    encode with those classes; a value that is none of them gives the negative label throughout
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (Idiom("label_binarize", "label_binarize"),)


def label_binarize(learned: Any, name: str, y: Any, classes: Any, **options: Any) -> Any:
    """`sklearn.preprocessing.label_binarize` with the classes of the training rows."""
    from sklearn import preprocessing

    classes = learned(name, lambda: listed(pd.Index(classes)))
    if learned.fitting:
        return preprocessing.label_binarize(y, classes=classes, **options)
    # All classes stand ahead of the rows, so that what kind of labels they are shows in any batch.
    rows = np.asarray([*classes, *np.asarray(y).tolist()], np.asarray(classes).dtype)
    return preprocessing.label_binarize(rows, classes=classes, **options)[len(classes) :]
