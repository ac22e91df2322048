"""What the scripts beside this file begin with: a version's pipeline, and the rows that its run has read.

They find it by its bare name, since a script's own folder comes first in what Python looks through. The file imports
nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def opened(root: str, name: str, number: str) -> Any:
    """The pipeline of a version; from now on modules are looked for in the folder of the packages first."""
    sys.path[0] = root
    return importlib.import_module(name).load(int(number))


def module_of(pipeline: Any, name: str) -> Any:
    """One of the modules that run the version that a pipeline belongs to."""
    return importlib.import_module(f"{type(pipeline).__module__.rpartition('.')[0]}.{name}")


def of_notebook(pipeline: Any, name: str) -> Any:
    """One of the modules of the version that hold the notebook's text: `features`, `train` or `evaluate`."""
    return importlib.import_module(f"{type(pipeline.features).__module__.rpartition('.')[0]}.{name}")


def captured(pipeline: Any, captures: str) -> Any:
    """The raw rows that a run has read, as a frame with all of their columns."""
    index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
    return module_of(pipeline, "codec").load(Path(captures), index["raw"][0]["stem"])["frame"]


def needed_of(pipeline: Any, frame: Any) -> list[Any]:
    """The columns of a frame that a record must have."""
    return [each for each in pipeline.features.required_columns() if each in frame.columns]


def drawn(frame: Any, most: int) -> Any:
    """At most so many rows of a frame, drawn with a seed, in their order."""
    import numpy as np

    at = np.random.default_rng(0).choice(len(frame), size=min(most, len(frame)), replace=False)
    return frame.iloc[np.sort(at)]
