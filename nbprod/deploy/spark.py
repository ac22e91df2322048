"""Spark: a job that scores Parquet or csv with a version of a package, on a cluster or on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from shlex import quote

from nbprod.deploy.exporter import Exporter, header, up
from nbprod.deploy.python import literal
from nbprod.errors import NbprodError
from nbprod.model.deployment import Deployment, File

JOB = "score_spark.py"
ARROW = "pyarrow>=18"


def job_text(name: str, version: str, digest: str, packages: str) -> str:
    """The job for a version, such as `v0003`; `packages` is the way from the job's folder to that of all packages."""
    text = files("nbprod.deploy").joinpath("spark_job.py").read_text(encoding="utf-8")
    given = {"NAME": name, "VERSION": version, "DIGEST": digest, "PACKAGES": packages}
    return re.sub(
        rf'^({"|".join(given)}) = ".*"$',
        lambda line: f"{line[1]} = {literal(given[line[1]])}",
        text,
        flags=re.MULTILINE,
    )


def hold_to_rows(deployment: Deployment) -> None:
    """Raise NbprodError where no row can be answered without those around it."""
    if deployment.serves == "batch":
        raise batches_only(deployment.name, deployment.version)


def batches_only(name: str, version: int) -> NbprodError:
    """What is said of a version that answers whole batches."""
    return NbprodError(
        f"version {version} of {name} makes features of the rows around a row, so rows can't be spread over workers",
        code="batch-only",
        hint=f"score each batch as a file of its own: nbprod score {name} IN OUT",
    )


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    hold_to_rows(deployment)
    packages = f"{up(folder)}/{deployment.packages}"
    job = job_text(deployment.name, deployment.version_folder, deployment.digest, packages)
    yield File(f"{folder}/{JOB}", header(deployment, "spark") + job)
    lines = [*deployment.requires, ARROW]
    yield File(f"{folder}/requirements.txt", header(deployment, "spark") + "\n".join(lines) + "\n")
    yield File(f"{folder}/README.md", _readme(deployment, folder))


def _readme(deployment: Deployment, folder: str) -> str:
    job = quote(f"{folder}/{JOB}")
    return f"""<!--
{header(deployment, "spark", "").rstrip()}
-->

# {deployment.name} version {deployment.version} on Spark

`{JOB}` reads Parquet or csv (a folder of parts, or a file), adds the column `prediction`, and writes Parquet. It needs
Spark 3.5 or newer with Java 17, and on the driver and on each worker Python {deployment.python} with what
`requirements.txt` names. The package is shipped along; nbprod is not needed.

All commands are for the root of the project. On this machine:

```
python {job} IN OUT --bad-rows BAD --metrics metrics.json
```

On a cluster, with an environment that is shipped along as well (made by venv-pack or conda-pack):

```
spark-submit --master yarn \\
  --archives environment.tar.gz#environment \\
  --conf spark.pyspark.python=./environment/bin/python \\
  --conf spark.sql.files.maxPartitionBytes=64m \\
  {job} s3a://rows/2026-01-01/ s3a://scored/2026-01-01/ \\
  --bad-rows s3a://scored/bad/2026-01-01/ --metrics s3a://scored/metrics/2026-01-01.json
```

In cluster mode the driver does not see the project: ship the package, and name the folder in which it is.

```
python -m zipfile -c packages.zip {quote(deployment.package)}
spark-submit --deploy-mode cluster \\
  --archives environment.tar.gz#environment,packages.zip#packages \\
  --conf spark.pyspark.python=./environment/bin/python \\
  {job} IN OUT --packages packages
```

- OUT appears when all of it is there, and replaces only what such a job has made (`_nbprod_spark.json` lies in it).
  On object stores (`s3a://`) it appears object by object, as a rename is a copy there: name a new OUT for each run, and
  read it when the job has ended well, or its metrics are there, which are written last.
- IN, OUT, BAD and the metrics lie beside one another: one in the other is refused.
- A row that can't be answered stops the job before OUT is written; with `--bad-rows` such rows go there with `part`,
  `row` (from 1, in its part) and `reason`.
- A worker that has another version or learned state than the driver refuses, and Spark tries another one.
- `python {job} PARTS NEW --fit` fits the version's code on parts of rows with their target, more than memory holds.
  What it learns is merged over the parts, and what can't be merged is told by cell and line. The package with its new
  state appears in the folder NEW of the driver.
- csv is read as the notebook reads it, a file at a time (2 GB at most); its fields come out as text, as they stood.
"""


def _notes(deployment: Deployment, folder: str) -> Sequence[str]:
    return (
        f"drivers and workers need Python {deployment.python} with {folder}/requirements.txt: "
        "answers are equal to the bit under equal versions of the libraries",
    )


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    return (
        f"spark-submit {quote(f'{folder}/{JOB}')} IN OUT --bad-rows BAD --metrics metrics.json",
        f"nbprod score {deployment.name} IN OUT --engine spark  # the same on this machine",
    )


EXPORTER = Exporter(
    "spark", "Spark: batch scoring by spark-submit, Parquet or csv in, Parquet out", _files, _notes, _next
)
