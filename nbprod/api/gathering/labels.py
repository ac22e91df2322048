"""MO-6: answers are logged by a service, joined to true ones, and must give the model's metric."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from math import isclose
from pathlib import Path

from nbprod.api.gathering.client import Client
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.monitoring import monitor
from nbprod.api.serving import running, serve_command
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "labelled_rows.py"
KEY = "request_id"
INPUTS = ("labels", "monitoring", "success")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of MO-6."""
    if ground.serves_batches:
        raise UntriedError("the package serves whole batches, and a log of its rows has no true answers here")
    told = ground.asked(SCRIPT, str(ground.captures))
    reference = f"{ground.target.name}@{ground.version.number}"
    with tempfile.TemporaryDirectory(prefix="nbprod-labels-") as folder:
        log, truth = Path(folder, "predictions.sqlite"), Path(folder, "truth.csv")
        with running(serve_command(ground.fitted, port=0, options={"log": str(log)})) as (url, _):
            client = Client(url)
            answers = [client.asked("/predict", record) for record, _ in told["rows"]]
            client.close()
        ids = [None if answer is None else answer.get(KEY) for _, answer in answers]
        with truth.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([KEY, told["target"]])
            writer.writerows([key, value] for key, (_, value) in zip(ids, told["rows"], strict=True) if key)
        report = monitor(reference, log=str(log), truth=str(truth), on=KEY, noted=False, output=str(ground.target.root))
    asked, found, wanted = len(told["rows"]), report["quality"], told["metric"]
    text = f"{report['joined']:,} of {asked:,} logged answers were joined to true ones"
    if found is None or wanted is None:
        yield ground.seen("MO-6", False, f"{text}, and give no metric", *INPUTS)
        return
    numbers = {"joined": report["joined"], "asked": asked, "metric": found, "by the package": wanted}
    text = f"{text}, and give {found['metric']} {found['value']:.4g}"
    if (report["joined"], found["metric"]) != (asked, wanted["metric"]) or not isclose(found["value"], wanted["value"]):
        against = f"{wanted['metric']} {wanted['value']:.4g} by the package itself"
        yield ground.seen("MO-6", False, text, *INPUTS, contradicts=against, numbers=numbers)
        return
    quality = next((each for each in report["signals"] if each["what"] == "quality"), None)
    if quality is not None and quality["alert"]:
        why = "too little on rows of the training, so that the true answers are not what it predicts"
        yield ground.seen("MO-6", False, f"{quality['message']}: {why}", *INPUTS, numbers=numbers)
        return
    limit = "" if quality is not None else "; it has no threshold until success.metric and success.target are declared"
    yield ground.seen("MO-6", True, f"{text}, as by the package itself{limit}", *INPUTS, numbers=numbers)


PROBE = Probe(("MO-6",), "logging answers, and joining true ones", run, inputs=INPUTS)
