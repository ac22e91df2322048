"""Batch scoring on Spark: Parquet or csv in, the same rows with `prediction` out as Parquet, bad rows apart.

The package is shipped to the workers as a folder. Each worker process reads it once, and refuses where it is not the
version that is meant. Rows go to the package as Arrow's tables, so what they hold comes out as it went in. The output
appears when all of it is there; a task that dies is done again by Spark, and counts once.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import pickle
import re
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

NAME = "package"
VERSION = "v0001"
DIGEST = ""
PACKAGES = "."

LOCAL = "local[*,4]"
"""All cores of this machine; a task is tried four times, as a cluster does."""
SAMPLE = 100
"""Lines of csv that are looked at for its header."""
PARTS = ("part", "row", "reason")
MARK = "_nbprod_spark.json"
"""What made a folder, in the folder: readers of folders pass over names that begin so."""
BROKEN = re.compile(
    r"(?:reading file|footer(?: for file)?:?|CANNOT_READ_FILE_FOOTER[^\n]*?)[ :]*"
    r"((?:file|hdfs|s3a?|abfss?|gs):[^\s,}]+)"
)
"""How Spark names a file that it cannot read."""


class JobError(Exception):
    """What stops the job, and what can be done."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; returns 0, or 2 with the reason on stderr."""
    options = parser().parse_args(arguments)
    try:
        told = run(options)
    except JobError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 2
    print(json.dumps(told))
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("source", metavar="IN", help="folder or file of Parquet or csv, on any file system of Spark")
    made.add_argument("target", metavar="OUT", help="folder of Parquet; one that this job has made is replaced")
    made.add_argument("--bad-rows", metavar="BAD", help="folder of Parquet for rows that cannot be answered")
    made.add_argument("--metrics", metavar="FILE", help="write rows, bad rows, reasons and seconds there, as JSON")
    made.add_argument("--master", help=f"default: that of spark-submit, else {LOCAL}")
    made.add_argument("--packages", metavar="DIR", help="the folder that holds the package here")
    made.add_argument("--on-workers", metavar="DIR", help="workers have that folder there: ship nothing")
    made.add_argument("--fit", action="store_true", help="fit on IN: a package with the new state appears in OUT, here")
    made.add_argument("--sample", type=int, metavar="N", help="fit on so many rows, in the driver's memory")
    made.add_argument("--rows", type=int, default=20_000, help="rows in a batch, in memory at once (default: 20000)")
    return made


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Score, and tell of it: rows, bad rows, flags, reasons, seconds."""
    root = packages(options)
    module, pipeline = package(root, to_fit=options.fit)
    began = time.monotonic()
    spark = session(options)
    started = time.monotonic()
    shipped = tempfile.TemporaryDirectory(prefix="nbprod-")  # which workers may ask for to the end
    try:
        if options.fit:
            place = options.on_workers or ship(spark, root, module.code(), shipped.name)
            told = {**fitted(spark, options, module, place), "warnings": []}
        else:
            hold_to_places(spark, options)
            place = options.on_workers or ship(spark, root, module.identity()["state"], shipped.name)
            told = written(spark, options, module, answers(spark, options, module, pipeline, place))
            told.update(module.identity())
        told["seconds"] = round(time.monotonic() - started, 3)
        told["start_seconds"] = round(started - began, 3)
        if options.metrics:
            write_text(spark, options.metrics, json.dumps(told, indent=2) + "\n")
    except JobError:
        raise
    except ValueError as error:
        raise JobError(str(error), getattr(error, "hint", "")) from error
    except Exception as error:
        raise explained(error) from error
    finally:
        spark.stop()
        shipped.cleanup()
    for text in told.pop("warnings"):
        print(f"warning: {text}", file=sys.stderr)
    return told


def packages(options: argparse.Namespace) -> Path:
    """The folder that holds the package on the driver."""
    root = os.environ.get("NBPROD_PROJECT")
    if options.packages:
        return Path(options.packages).resolve()
    if root:
        return Path(root, re.sub(r"^(\.\./)+", "", PACKAGES)).resolve()
    return Path(__file__).resolve().parent.joinpath(PACKAGES).resolve()


def package(root: Path, *, to_fit: bool = False) -> tuple[Any, Any]:
    """The package's core for partitions and its pipeline, or that for fitting and None, of the version of this job."""
    if not (root / NAME / VERSION).is_dir():
        raise JobError(f"there is no {NAME}/{VERSION} in {root}", "name the folder of the packages: --packages DIR")
    sys.path.insert(0, str(root))
    try:
        module = support("partitions")
        meant = {**module.identity(), **({"digest": DIGEST} if DIGEST else {})}
        module.hold_to(meant)
        if to_fit:
            return support("reducing"), None
        return module, module.loaded(meant)
    except Exception as error:
        raise JobError(
            str(error), getattr(error, "hint", "") or f"nbprod deploy {NAME} spark, for what is there"
        ) from error


def session(options: argparse.Namespace) -> Any:
    """Spark as spark-submit has set it up, else on this machine."""
    master = options.master
    if master is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        master = LOCAL
    if (master or "").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Which pandas there is makes no difference: rows go by Arrow alone.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        sql = importlib.import_module("pyspark.sql")
    except ImportError as error:
        raise JobError(f"{sys.executable} has no pyspark: {error}", "python -m pip install pyspark") from error
    builder = sql.SparkSession.builder.appName(f"{NAME} {VERSION}")
    if master is not None:
        builder = (
            builder.master(master).config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        )
    try:
        spark = builder.getOrCreate()
    except Exception as error:
        raise JobError(f"Spark does not start: {reason(error)}", "it needs Java 17 or newer (java -version)") from error
    spark.sparkContext.setLogLevel("OFF" if master is not None else "ERROR")
    spark.conf.set("spark.sql.caseSensitive", "true")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(options.rows))
    return spark


def ship(spark: Any, root: Path, digest: str, folder: str) -> str:
    """Send the version to the workers as a folder, by an archive in `folder`; returns its name there."""
    alias = f"{NAME}-{digest[:16]}"
    file = Path(folder, f"{alias}.zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / NAME).glob("*.py")) + sorted((root / NAME / VERSION).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                archive.write(path, path.relative_to(root).as_posix())
    spark.sparkContext.addArchive(f"{file.as_uri()}#{alias}")
    return alias


def answers(spark: Any, options: argparse.Namespace, module: Any, pipeline: Any, place: str) -> Any:
    """All rows with part, place, answer and reason, as a DataFrame of Spark that is not computed yet."""
    F = importlib.import_module("pyspark.sql.functions")
    types = importlib.import_module("pyspark.sql.types")
    kinds = importlib.import_module("pyspark.sql.pandas.types")
    files = spark.read.format("binaryFile").load(options.source)
    first = files.select("path").where(~F.col("path").rlike(r"/[._][^/]*$")).head()
    if first is None:
        raise JobError(f"there are no parts in {options.source}")
    kind = module.answer_kind(pipeline)
    added = [
        (module.COLUMN, kinds.from_arrow_type(kind)),
        (module.WHY, types.StringType()),
        (module.TOLD, types.StringType()),
    ]
    marks = [(module.PART, types.StringType()), (module.PLACE, types.LongType())]
    is_csv = re.search(r"\.(csv|tsv|txt)(\.(gz|bz2|xz))?$", first.path.lower()) is not None
    if is_csv:
        columns = header(spark, module, pipeline, first.path)
        schema = types.StructType([types.StructField(name, types.StringType()) for name in columns])
        rows = files.where(~F.col("path").rlike(r"/[._][^/]*$")).select("path", "content")
    else:
        rows = spark.read.parquet(options.source)
        columns, schema = rows.columns, types.StructType(list(rows.schema.fields))
        part, number = F.col("_metadata.file_path"), F.col("_metadata.row_index") + 1
        rows = rows.select("*", part.alias(module.PART), number.alias(module.PLACE))
    hold_to_columns(options, pipeline, module, columns)
    for name, each in marks + added:
        schema = schema.add(name, each)
    answer = answering(module.identity(), place, kind, is_csv=is_csv)
    return rows.mapInArrow(answer, schema)


def answering(
    meant: dict[str, str], place: str, kind: Any, *, is_csv: bool
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a worker does with the batches of a partition."""

    def answer(batches: Iterator[Any]) -> Iterator[Any]:
        module, pipeline = on_worker(meant, place)
        if is_csv:
            parts = ((row["path"], row["content"]) for batch in batches for row in batch.to_pylist())
            tables = module.over_csv(pipeline, parts, kind)
        else:
            tables = module.over_tables(pipeline, batches, kind, (module.PART, module.PLACE))
        for table in tables:
            yield from table.to_batches()

    return answer


def fitted(spark: Any, options: argparse.Namespace, module: Any, place: str) -> dict[str, Any]:
    """Fit on the parts of the input, in as many rounds as it takes, and put the package into a folder of the driver."""
    F = importlib.import_module("pyspark.sql.functions")
    files = spark.read.format("binaryFile").load(options.source).where(~F.col("path").rlike(r"/[._][^/]*$"))
    numbers = {path: at for at, path in enumerate(sorted(row.path for row in files.select("path").collect()))}
    if not numbers:
        raise JobError(f"there are no parts in {options.source}")
    parts = files.select("path", "content").repartition(len(numbers), "path")
    meant = module.code()

    def each(function: Any) -> list[Any]:
        payload = pickle.dumps(function)
        made = parts.mapInArrow(fitting(meant, place, payload, numbers), "number long, result binary").collect()
        return [one for row in sorted(made) for one in pickle.loads(row.result)]

    target = re.sub("^file:(//)?", "", options.target)
    return dict(module.fit_package(each, target, sample=options.sample))


def fitting(
    meant: str, place: str, payload: bytes, numbers: dict[str, int]
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a worker does with the parts of a round."""

    def answer(batches: Iterator[Any]) -> Iterator[Any]:
        pyarrow = importlib.import_module("pyarrow")
        module = imported(place, "reducing")
        if module.code() != meant:
            raise RuntimeError(f"{NAME} on this worker has other code ({module.code()}) than the one meant ({meant})")
        function, read = pickle.loads(payload), module.reading()
        for batch in batches:
            for row in batch.to_pylist():
                frame = module.read_part(io.BytesIO(row["content"]), row["path"], read)
                result = pickle.dumps(module.asked_of(function, numbers[row["path"]], frame))
                columns = [pyarrow.array([numbers[row["path"]]]), pyarrow.array([result], pyarrow.binary())]
                yield pyarrow.RecordBatch.from_arrays(columns, ["number", "result"])

    return answer


def on_worker(meant: dict[str, str], place: str) -> tuple[Any, Any]:
    """The package's core and its pipeline on a worker, which must be the version that the driver means."""
    module = imported(place, "partitions")
    return module, module.loaded(meant)


def imported(place: str, name: str) -> Any:
    """A module of the version on a worker."""
    root = place if Path(place).is_absolute() else importlib.import_module("pyspark").SparkFiles.get(place)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        return support(name)
    except ImportError as error:
        raise RuntimeError(f"this worker has no {VERSION} of {NAME} that can be imported: {error}") from error


def support(name: str) -> Any:
    """A module that runs the version. Raises ImportError where the package cannot tell where it lies."""
    package = importlib.import_module(NAME)
    if not hasattr(package, "support"):
        raise ImportError(f"{NAME} was exported by an earlier release: export it again")
    return package.support(int(VERSION[1:]), name)


def header(spark: Any, module: Any, pipeline: Any, path: str) -> list[str]:
    """The columns of a csv file."""
    name = re.sub(r"([][*?{}\\])", r"\\\1", path)  # else it is a pattern
    lines = [row.value for row in spark.read.text(name).limit(SAMPLE).collect()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, re.sub(r"\.(gz|bz2|xz)$", "", Path(path).name))
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        source = module.source_of(file, pipeline.contract.read, pipeline.features.schema_)
    return [str(column) for column in source.dialect.columns]


def hold_to_columns(options: argparse.Namespace, pipeline: Any, module: Any, columns: Sequence[str]) -> None:
    """Raise JobError where a column is missing, or has the name of one that is added."""
    absent = [str(name) for name in pipeline.features.required_columns() if str(name) not in set(map(str, columns))]
    if absent:
        raise JobError(f"{options.source} has no column {', '.join(absent)}, which the pipeline needs")
    taken = {module.COLUMN, *(PARTS if options.bad_rows else ())}.intersection(columns)
    if taken:
        raise JobError(f"the input already has a column {min(taken)!r}: rename it")


def written(spark: Any, options: argparse.Namespace, module: Any, made: Any) -> dict[str, Any]:
    """Write what comes of the rows, and tell of it. Nothing is put in its place where rows are bad and not to be."""
    F = importlib.import_module("pyspark.sql.functions")
    level = importlib.import_module("pyspark").StorageLevel
    made = made.persist(level.DISK_ONLY)
    counted = made.where(F.col(module.TOLD).isNotNull()).select(module.TOLD)
    told: dict[str, Any] = module.summed(row[0] for row in counted.collect())
    extra = (module.PART, module.PLACE, module.WHY, module.TOLD)
    bad = made.where(F.col(module.WHY).isNotNull())
    if told["bad"] and not options.bad_rows:
        first = bad.orderBy(module.PART, module.PLACE).select(*extra).head()
        raise JobError(
            f"{told['bad']:,} rows cannot be answered, the first of them row {first[1]} of {first[0]}: {first[2]}",
            "--bad-rows BAD puts such rows into a table of their own and goes on",
        )
    frames = {options.target: made.where(F.col(module.WHY).isNull()).drop(*extra)}
    if options.bad_rows:
        names = {module.PART: "part", module.PLACE: "row", module.WHY: "reason"}
        frames = {options.bad_rows: bad.drop(module.COLUMN, module.TOLD).withColumnsRenamed(names), **frames}
    staged = {}
    try:
        for path, frame in frames.items():
            staged[path] = beside(spark, path)
            frame.write.mode("overwrite").parquet(staged[path])
            write_text(spark, f"{staged[path]}/{MARK}", json.dumps(module.identity()) + "\n")
        for path, new in staged.items():
            put(spark, new, path)
    finally:
        for new in staged.values():
            files, place = on_files(spark, new)
            files.delete(place, True)
    made.unpersist()
    return told


def hold_to_places(spark: Any, options: argparse.Namespace) -> None:
    """Raise JobError where places are not apart, or something stands there that this job has not made."""
    given = {"OUT": options.target, "--bad-rows": options.bad_rows, "--metrics": options.metrics}
    made = [(name, whole(spark, path)) for name, path in given.items() if path]
    hold_apart([*(("IN", path) for path in read_by(spark, options.source)), *made])
    for path in filter(None, (options.target, options.bad_rows)):
        files, place = on_files(spark, path)
        if files.exists(place) and not files.exists(on_files(spark, f"{path.rstrip('/')}/{MARK}")[1]):
            raise JobError(f"{path} is not what such a job has made: name another folder")


def hold_apart(places: Sequence[tuple[str, str]]) -> None:
    """Raise JobError where two places of different names are one, or one of them lies in the other."""
    for at, (name, path) in enumerate(places):
        for other, there in places[:at]:
            if name != other and (is_in(path, there) or is_in(there, path)):
                raise JobError(
                    f"{name} ({path}) and {other} ({there}) are one place, or one of them lies in the other",
                    "name places beside one another",
                )


def is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def read_by(spark: Any, path: str) -> list[str]:
    """The places that a path names, which may be a pattern."""
    files, place = on_files(spark, path)
    return [whole(spark, path), *(whole(spark, each.getPath().toString()) for each in files.globStatus(place) or ())]


def whole(spark: Any, path: str) -> str:
    """A path with its file system, the same for all ways to write it."""
    files, place = on_files(spark, path)
    uri = files.makeQualified(place).toUri()
    return f"file:{os.path.realpath(uri.getPath())}" if uri.getScheme() == "file" else str(uri.toString())


def beside(spark: Any, path: str) -> str:
    """Where a folder is made before it is put in its place."""
    head, _, last = path.rstrip("/").rpartition("/")
    return f"{head}{'/' if head or path.startswith('/') else ''}.{last}.{spark.sparkContext.applicationId}"


def put(spark: Any, new: str, path: str) -> None:
    """Put a finished folder in its place; an older one goes."""
    files, place = on_files(spark, path)
    old = on_files(spark, f"{new}.old")[1]
    had = files.exists(place)
    if had and not files.rename(place, old):
        raise JobError(f"{path} cannot be replaced")
    if not files.rename(on_files(spark, new)[1], place):
        if had:
            files.rename(old, place)
        raise JobError(f"{path} cannot be written")
    if had:
        files.delete(old, True)


def on_files(spark: Any, path: str) -> tuple[Any, Any]:
    """The file system of a path, and the path, as Hadoop has them."""
    java = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)
    return java.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), java


def write_text(spark: Any, path: str, text: str) -> None:
    """Write a text to any file system of Spark."""
    files, place = on_files(spark, path)
    stream = files.create(place, True)
    stream.write(bytearray(text.encode()))
    stream.close()


def explained(error: Exception) -> JobError:
    """What stopped Spark, in words."""
    text = str(error)
    broken = BROKEN.search(text)
    if broken or "is not a Parquet file" in text:
        name = broken.group(1).rstrip(".") if broken else "a part"
        return JobError(
            f"{name} cannot be read as Parquet: {reason(error)}", "mend it or move it away; no output was written"
        )
    if "PATH_NOT_FOUND" in text:
        return JobError(f"there is no such input: {reason(error)}")
    return JobError(reason(error))


def reason(error: Exception) -> str:
    """The last line of a worker's traceback, else what Java was stopped by, else the first line of the message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    worker = [line for line in lines if re.match(r"^(?!org\.|java\.|py4j\.)(?:\w+\.)*\w*(?:Error|Exception): ", line)]
    java = [line for line in lines if line.startswith("Caused by: ")]
    told = (worker or java or lines or [type(error).__name__])[-1 if worker or java else 0]
    return re.sub(r"^(?:Caused by: )?(?:\w+\.)*(\w+: )", r"\1", told)


if __name__ == "__main__":
    sys.exit(main())
