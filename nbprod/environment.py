"""The environment of processes that run a notebook or its package."""

from __future__ import annotations

import os

HASH_SEED = "PYTHONHASHSEED"


def of_process() -> dict[str, str]:
    """This process's variables, with a fixed seed for the hashes of text where none is set.

    So a set of texts comes in the same order in the kernel and wherever its package is fitted, run after run.
    """
    return {HASH_SEED: "0", **os.environ}


def isolated() -> dict[str, str]:
    """`of_process` without what else this process's Python is told by variables, such as where to import from."""
    return {name: value for name, value in of_process().items() if name == HASH_SEED or not name.startswith("PYTHON")}
