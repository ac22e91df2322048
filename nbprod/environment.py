"""Processes of nbprod's own, and the environment of those that run a notebook or its package."""

from __future__ import annotations

import os
import sys

HASH_SEED = "PYTHONHASHSEED"
WAIT_POLICY = "OMP_WAIT_POLICY"


SPIN_COUNT = "GOMP_SPINCOUNT"
SPINS = "1000"
"""What OpenMP's own rules have where there are more threads than processors.

nbprod's processes work beside the kernel, so that there are. By default threads that wait for each other spin 300 times
as long: boosted trees, which are many small steps, then take up to fifty times as long beside one more process. Threads
that sleep at once take ten times as long where the machine has nothing else to do.
"""


def of_process() -> dict[str, str]:
    """This process's variables, with a fixed seed for the hashes of text, and OpenMP's waiting, where none is set.

    So a set of texts comes in the same order in the kernel and wherever its package is fitted, run after run.
    """
    waiting = {} if WAIT_POLICY in os.environ else {SPIN_COUNT: SPINS}
    return {HASH_SEED: "0", **waiting, **os.environ}


def isolated() -> dict[str, str]:
    """`of_process` without what else this process's Python is told by variables, such as where to import from."""
    return {name: value for name, value in of_process().items() if name == HASH_SEED or not name.startswith("PYTHON")}


def leave_out_slow_imports() -> None:
    """Keep jsonschema from building a grammar of international addresses on import, which takes three seconds.

    nbformat and papermill import it; nothing that they check has such a format, and jsonschema goes without where the
    package of the grammar is not installed. That is what it sees now: for processes that are nbprod's own.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
