"""The verb `score` on Spark: the job that `nbprod deploy NAME spark` writes, run by an interpreter that has pyspark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from shlex import quote
from typing import Any

from nbprod.api.rerunning import manifest_of
from nbprod.api.serving import Fitted
from nbprod.deploy.spark import ARROW, JOB, batches_only, job_text
from nbprod.errors import NbprodError, Where
from nbprod.versions import version_folder

_HAS = "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(name) is None for name in sys.argv[1:]))"
NEEDED = ("pyspark", "pyarrow", "pandas", "sklearn", "skops")


def score_on_spark(
    fitted: Fitted,
    source: str,
    target: str,
    where: tuple[str | None, str | None] = (None, None),
    *,
    rows: int | None = None,
    bad_rows: str | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Score `source` into `target` by the Spark of an interpreter; gives what the job reports.

    `where` is an interpreter and a master. Without an interpreter it is the version's own or this one, whichever has
    pyspark. Raises NbprodError: `batch-only`, `no-engine`, `not-scored`.
    """
    manifest = manifest_of(fitted.target, fitted.version)
    if manifest.get("serves") == "batch":
        raise batches_only(fitted.target.name, fitted.version.number)
    python, master = where
    interpreter = _interpreter(fitted, python)
    version = fitted.version
    with tempfile.TemporaryDirectory(prefix="nbprod-") as folder:
        job, metrics = Path(folder, JOB), Path(folder, "metrics.json")
        own = version_folder(fitted.target.root, fitted.target.name, version.number).name
        job.write_text(job_text(fitted.target.name, own, version.digest, "."), encoding="utf-8")
        words = [readable(source), _path(target), "--packages", fitted.root, "--metrics", str(metrics)]
        options = {"--bad-rows": bad_rows and _path(bad_rows), "--master": master, "--rows": rows}
        words += [str(word) for name, value in options.items() if value is not None for word in (name, value)]
        done = subprocess.run(
            [interpreter, str(job), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
        said = done.stderr.splitlines()
        for line in said:
            if line.startswith("warning: ") and not quiet:
                print(line, file=sys.stderr)
        if done.returncode or not metrics.is_file():
            raise NbprodError(
                _said(said, "error: ") or f"the job ended with {done.returncode}: {' '.join(said[-1:])}",
                code="not-scored",
                where=Where(source),
                hint=_said(said, "hint: "),
            )
        return dict(json.loads(metrics.read_text(encoding="utf-8")))


def _interpreter(fitted: Fitted, python: str | None) -> str:
    """The first interpreter that has pyspark and what the package needs."""
    named = [python] if python is not None else [fitted.python, sys.executable]
    for each in dict.fromkeys(named):
        if subprocess.run([each, "-c", _HAS, *NEEDED], check=False).returncode == 0:
            break
    else:
        lock = version_folder(fitted.target.root, fitted.target.name, fitted.version.number) / "requirements.lock"
        raise NbprodError(
            f"{' and '.join(dict.fromkeys(named))} can't run Spark: it takes {', '.join(NEEDED)}",
            code="no-engine",
            hint=f"python -m venv .venv-spark && .venv-spark/bin/python -m pip install pyspark '{ARROW}' "
            f"-r {quote(os.path.relpath(lock))}, then --engine spark --python .venv-spark/bin/python",
        )
    home = os.environ.get("JAVA_HOME")
    if not (home and Path(home, "bin", "java").exists()) and shutil.which("java") is None:
        raise NbprodError(
            "Spark needs Java, and there is none here",
            code="no-engine",
            hint="install Java 17 (Debian: openjdk-17-jre-headless), or say where it is: JAVA_HOME",
        )
    return each


def _path(text: str) -> str:
    """A path that means the same to Spark, whatever its default file system is. Spark decodes no escapes of URLs."""
    return text if "://" in text else f"file:{Path(text).absolute()}"


def readable(text: str) -> str:
    """A path to read from, which Spark takes for a pattern: what lies there by that very name is no pattern.

    >>> readable("s3a://rows/2026-*/")
    's3a://rows/2026-*/'
    """
    if "://" in text:
        return text
    path = Path(text).absolute()
    above = path if path.exists() else Path.cwd() if not Path(text).is_absolute() else Path("/")
    rest = path.relative_to(above).as_posix()
    return "file:" + re.sub(r"([][*?{}\\])", r"\\\1", above.as_posix()) + ("" if rest == "." else f"/{rest}")


def _said(lines: list[str], start: str) -> str | None:
    return next((line.removeprefix(start) for line in reversed(lines) if line.startswith(start)), None)
