"""Processes of nbprod's own, and the environment of those that run a notebook or its package."""

from __future__ import annotations

import os
import sys

HASH_SEED = "PYTHONHASHSEED"


def of_process() -> dict[str, str]:
    """This process's variables, with a fixed seed for the hashes of text where none is set.

    So a set of texts comes in the same order in the kernel and wherever its package is fitted, run after run.
    """
    return {HASH_SEED: "0", **os.environ}


def isolated() -> dict[str, str]:
    """`of_process` without what else this process's Python is told by variables, such as where to import from.

    Threads of OpenMP that wait for each other sleep, where nothing else is set: by default they spin, and on a machine
    with other work a model of many small steps, such as boosted trees, takes several times as long for it.
    """
    whole = {"OMP_WAIT_POLICY": "PASSIVE", **of_process()}
    return {name: value for name, value in whole.items() if name == HASH_SEED or not name.startswith("PYTHON")}


def leave_out_slow_imports() -> None:
    """Keep jsonschema from building a grammar of international addresses on import, which takes three seconds.

    nbformat and papermill import it; nothing that they check has such a format, and jsonschema goes without where the
    package of the grammar is not installed. That is what it sees now: for processes that are nbprod's own.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
