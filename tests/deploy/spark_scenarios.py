"""Run by an interpreter that has pyspark: the job under what may happen to it, in one JVM; prints what came of each.

Arguments: the job, the folder of packages, a folder to work in (with `in`, `csv`, `broken`, `junk`, `old`, `mine`,
`mine2`).
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

spec = importlib.util.spec_from_file_location("score_spark", sys.argv[1])
job = importlib.util.module_from_spec(spec)
sys.modules["score_spark"] = job
spec.loader.exec_module(job)
# The job is a script: what workers need of it goes to them by value, as it does from `__main__`.
from pyspark import TaskContext, cloudpickle  # noqa: E402

cloudpickle.register_pickle_by_value(job)
packages, folder = sys.argv[2], Path(sys.argv[3])
answering = job.answering


def dying(meant, place, kind, *, is_csv):
    """A worker process that is killed when it has given the first rows of its first try."""

    def answer(batches):
        context = TaskContext.get()
        for batch in answering(meant, place, kind, is_csv=is_csv)(batches):
            yield batch
            if context.partitionId() == 0 and context.attemptNumber() == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return answer


def outdated(tries):
    """One worker that has an older state of the package, for so many tries of its task."""

    def answering_there(meant, place, kind, *, is_csv):
        def answer(batches):
            context = TaskContext.get()
            is_old = context.partitionId() == 0 and context.attemptNumber() < tries
            where = str(folder / "old") if is_old else place
            for name in [name for name in sys.modules if is_old and name.partition(".")[0] == job.NAME]:
                del sys.modules[name]  # a worker process is one of several jobs
            yield from answering(meant, where, kind, is_csv=is_csv)(batches)

        return answer

    return answering_there


session = job.session


def lasting(options):
    """One session for all scenarios."""
    spark = session(options)
    spark.stop = lambda: None
    return spark


job.session = lasting


def scenario(name, *words, on=answering, target=None):
    job.answering = on
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        source, *options = words
        options += ["--packages", packages, "--master", "local[2,4]", "--rows", "700"]
        code = job.main([str(folder / source), str(target or folder / "out" / name), *options])
    told = json.loads(out.getvalue().splitlines()[-1]) if not code else None
    print(json.dumps({"name": name, "code": code, "told": told, "said": said.getvalue()}), flush=True)


def fits():
    """The package fitted on parts by Spark, and by one process."""
    scenario("fitted", "train", "--fit")
    module = job.support("reducing")
    module.fit_package(module.on_this_machine(sorted((folder / "train").iterdir())), folder / "out" / "fitted_here")


def places():
    """The job on places that are not its own to write, and on one that is."""
    out = folder / "out"
    scenario("same", "mine", target=folder / "." / "mine")
    scenario("linked", "mine", target=folder / "link")
    scenario("pattern", "min[e]", target=folder / "mine")
    scenario("within", "mine", target=folder / "mine" / "scored")
    scenario("both", "in", "--bad-rows", f"file:{out / 'both'}/")
    scenario("another", "good", target=folder / "mine2")
    scenario("csv_again", "csv", target=out / "csv")


(folder / "out").mkdir()
scenario("parquet", "in", "--bad-rows", str(folder / "out" / "bad"), "--metrics", str(folder / "metrics.json"))
scenario("csv", "csv")
fits()
if len(sys.argv) > 4:
    scenario("refused", "in")
    scenario("killed", "good", on=dying)
    scenario("retried", "good", on=outdated(1))
    scenario("outdated", "good", on=outdated(99))
    scenario("broken", "broken")
    scenario("junk", "junk")
    places()
