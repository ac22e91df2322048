"""The model that MLflow loads: an exported package, from the raw rows to the prediction.

MLflow copies this file into the model ("models from code") and runs it where the model is loaded, so it imports
nothing of nbprod and runs on Python 3.9.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd


class PackageModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Predicts with the pipeline of an exported package on rows as the notebook read them."""

    def load_context(self, context: Any) -> None:
        """Load the package's pipeline from the model's artifacts."""
        self.pipeline = load(Path(context.artifacts["package"]), int(context.model_config["version"]))

    # MLflow reads the annotation of the rows; any but a frame's would make a signature of its own.
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002
        """The notebook's model on raw rows; with `{"method": "transform"}` in `params`, its features."""
        method = (params or {}).get("method", "predict")
        if method not in ("predict", "predict_proba", "transform"):
            raise ValueError(f"method is predict, predict_proba or transform, not {method!r}")
        return getattr(self.pipeline, method)(model_input)


def load(folder: Path, version: int) -> Any:
    """The pipeline of the package in `folder`.

    Another version of the package may be imported already, under the same name and from another folder: its
    modules step aside while this one is imported, and come back.
    """
    name = folder.name
    others = {key: sys.modules.pop(key) for key in list(sys.modules) if key == name or key.startswith(name + ".")}
    sys.path.insert(0, str(folder.parent))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name).load(version)
    finally:
        sys.path.remove(str(folder.parent))
        if others:
            for key in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
                del sys.modules[key]
            sys.modules.update(others)


mlflow.models.set_model(PackageModel())
