"""Rows of an exported package scored by one process, by two, in parts, and by Spark on the same cores.

    python benchmarks/engines.py --spark .venv-spark/bin/python [--rows N] [--rounds N] [--example NAME]

An example is run (`nbprod run --no-verify`), and rows of its data are repeated to Parquet: a file of N rows, and the
same in 8 parts. Every way runs in the environment of Spark, in interleaved rounds. Starting is apart: `start` is what
1,000 rows take (for Spark with its session and its workers), and rows a second are those of the other rows, in the time
beyond that. Spark is `local[2,4]`, reads the parts, and writes Parquet; its job maps Arrow's tables, and mapInPandas is
beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from itertools import cycle, islice
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
DATA = {"titanic": "test.csv", "housing": "housing.csv"}
FEW, PARTS = 1000, 8
ONE = """
import sys, time, importlib, json, warnings
warnings.simplefilter("ignore")
root, name, way, few, many = sys.argv[1:]
sys.path[0] = root
pipeline = importlib.import_module(name).load()
package = type(pipeline).__module__.rpartition(".")[0]
seconds = []
for source in (few, many):
    began = time.perf_counter()
    if way == "parts":
        module = importlib.import_module(package + ".folders")
        module.score_folder(pipeline, source, source + ".out", jobs=2, quiet=True)
    else:
        module = importlib.import_module(package + ".score")
        module.score_file(pipeline, source + ".parquet", source + ".out.parquet", jobs=int(way), quiet=True)
    seconds.append(time.perf_counter() - began)
print(json.dumps(seconds))
"""
SPARK = """
import sys, tempfile, time, importlib.util, json
path, root, way, few, many = sys.argv[1:]
spec = importlib.util.spec_from_file_location("score_spark", path)
job = importlib.util.module_from_spec(spec)
sys.modules["score_spark"] = job
spec.loader.exec_module(job)
from pyspark import cloudpickle
cloudpickle.register_pickle_by_value(job)

def mapped(spark, options, module, pipeline, place):
    from pyspark.sql.types import DoubleType, StringType, StructType
    rows = spark.read.parquet(options.source)
    schema = StructType(list(rows.schema.fields))
    for name, kind in ((module.COLUMN, DoubleType()), (module.WHY, StringType()), (module.TOLD, StringType())):
        schema = schema.add(name, kind)
    meant = module.identity()
    def answer(frames):
        there, loaded = job.on_worker(meant, place)
        yield from there.over_frames(loaded, frames)
    made = rows.mapInPandas(answer, schema)
    return made.withColumns({module.PART: job_null(), module.PLACE: job_null()})

def job_null():
    from pyspark.sql.functions import lit
    return lit(None).cast("string")

from pathlib import Path
module, pipeline = job.package(Path(root))
began = time.perf_counter()
session, place, seconds = None, None, []
for source in (few, few, many):
    options = job.parser().parse_args([source, source + ".spark", "--master", "local[2,4]"])
    if session is None:
        session = job.session(options)
        place = job.ship(session, Path(root), module.identity()["state"], tempfile.mkdtemp(dir=Path(few).parent))
    if len(seconds):
        began = time.perf_counter()
    made = (job.answers if way == "arrow" else mapped)(session, options, module, pipeline, place)
    job.written(session, options, module, made)
    seconds.append(time.perf_counter() - began)
print(json.dumps(seconds))
"""
WAYS = {
    "1 process": "1",
    "2 processes": "2",
    "parts, 2 processes": "parts",
    "Spark": "arrow",
    "Spark, mapInPandas": "pandas",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spark", metavar="PATH", default=".venv-spark/bin/python", help="interpreter with pyspark")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--example", choices=DATA, default="titanic")
    arguments = parser.parse_args()
    if not Path(arguments.spark).is_file():
        sys.exit("there is no environment of Spark: make test-spark builds it, --spark names it")
    with tempfile.TemporaryDirectory() as folder:
        name = arguments.example
        project = Path(shutil.copytree(EXAMPLES / name, Path(folder, name)))
        compare(project, Path(arguments.spark).absolute(), arguments.rows, arguments.rounds)


def compare(project: Path, python: Path, rows: int, rounds: int) -> None:
    """Run a project, score rows in each way, and print rows a second beyond the start."""
    name = tomllib.loads((project / "demo.toml").read_text())["name"]
    nbprod = [sys.executable, "-m", "nbprod"]
    for words in (["run", f"{name}.ipynb", "--auto", "--no-verify", "--quiet"], ["deploy", name, "spark", "--quiet"]):
        subprocess.run([*nbprod, *words], cwd=project, check=True, capture_output=True)
    few, many = (
        write(project / "data" / DATA[name], project / said, count) for said, count in (("few", FEW), ("many", rows))
    )
    job, root = str(project / "deploy" / name / "spark" / "score_spark.py"), str(project / "pipelines")
    taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for said, way in WAYS.items():
            by_spark = way in ("arrow", "pandas")
            command = [SPARK, job, root, way] if by_spark else [ONE, root, name, way]
            done = subprocess.run(
                [python, "-c", *command, few, many], cwd=project, check=True, capture_output=True, text=True
            )
            taken[said].append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{name}: {rows:,} rows, {rounds} interleaved rounds, {os.cpu_count()} cores")
    base = 0.0
    for said, times in taken.items():
        start = statistics.median(each[0] for each in times)
        rate = statistics.median((rows - FEW) / max(each[-1] - each[-2], 1e-9) for each in times)
        base = base or rate
        print(f"{said:<22} {rate:>9,.0f} rows/s   {rate / base:.2f} x one process   start {start:5.1f} s")


def write(source: Path, target: Path, rows: int) -> str:
    """Rows of a csv file, repeated, as a Parquet file and as parts; returns the folder of the parts."""
    import pandas as pd

    raw = pd.read_csv(source)
    frame = raw.iloc[list(islice(cycle(range(len(raw))), rows))]
    frame.to_parquet(f"{target}.parquet", index=False)
    target.mkdir()
    for number in range(PARTS):
        size = -(-rows // PARTS)
        frame.iloc[number * size : (number + 1) * size].to_parquet(target / f"part-{number}.parquet", index=False)
    return str(target)


if __name__ == "__main__":
    main()
