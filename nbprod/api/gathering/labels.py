"""MO-6: answers are logged by a service, joined to true ones, and must give the model's metric."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
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
        report = monitor(reference, log=str(log), truth=str(truth), on=KEY, output=str(ground.target.root))
    quality = next((each for each in report["signals"] if each["what"] == "quality"), None)
    asked = len(told["rows"])
    if quality is None:
        reason = "; ".join(report["notes"]) or "the report has no metric"
        # A metric without a threshold says neither that the way is sound nor that it is not.
        held = None if report["quality"] is not None and report["joined"] == asked else False
        yield ground.seen("MO-6", held, f"{asked} logged answers were joined to true ones: {reason}", *INPUTS)
        return
    text = f"{quality['n']:,} of {asked:,} logged answers were joined to true ones: {quality['message']}"
    held = quality["n"] == asked and not quality["alert"]
    if quality["alert"]:
        text = f"{text}: too little on rows of the training, so that the true answers are not what it predicts"
    yield ground.seen("MO-6", held, text, *INPUTS, numbers={"joined": quality["n"], "asked": asked})


PROBE = Probe(("MO-6",), "logging answers, and joining true ones", run, inputs=INPUTS)
