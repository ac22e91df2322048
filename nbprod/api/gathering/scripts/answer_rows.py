"""Run in the package's environment: what a version predicts for the records on stdin.

`python answer_rows.py ROOT NAME NUMBER` prints `{"predictions": […]}`. The file imports nothing of nbprod, and works on
Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

opening: Any = importlib.import_module("opening")


def main(root: str, name: str, number: str) -> dict[str, Any]:
    """The predictions, as JSON has them."""
    import pandas as pd

    predicted = opening.opened(root, name, number).predict(pd.DataFrame(json.loads(sys.stdin.read())))
    return {"predictions": getattr(predicted, "tolist", lambda: list(predicted))()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
