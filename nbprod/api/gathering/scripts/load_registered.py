"""Run as a fresh process where MLflow is: a registered model is loaded, and predicts the records on stdin.

`python load_registered.py STORE URI` prints `{"predictions": […], "signature": bool, "digest": str or null}`.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any


def main(store: str, uri: str) -> dict[str, Any]:
    """What the model says of itself, and its predictions as JSON has them."""
    import mlflow
    import pandas as pd

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(store)
    mlflow.set_registry_uri(store)
    model = mlflow.pyfunc.load_model(uri)
    frame = pd.DataFrame(json.loads(sys.stdin.read()))
    predicted = model.predict(frame)
    values = (
        predicted["prediction"] if hasattr(predicted, "columns") and "prediction" in predicted.columns else predicted
    )
    number = uri.rpartition("/")[2]
    name = uri.split("/")[1]
    tags = mlflow.MlflowClient().get_model_version(name, number).tags
    return {
        "predictions": values.tolist() if hasattr(values, "tolist") else list(values),
        "signature": model.metadata.signature is not None,
        "digest": tags.get("nbprod.digest"),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
