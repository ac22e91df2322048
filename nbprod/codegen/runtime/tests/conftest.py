"""Where the tests of this version find it: beside them, whatever folder the package lies in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

VERSION = Path(__file__).resolve().parents[1]
HOW = "train(frame).save(frame=frame) on raw rows writes its state and golden rows"


@pytest.fixture(scope="session")
def package() -> Iterator[Callable[[str], Any]]:
    """Imports one of the modules that run this version by its name."""
    sys.path.insert(0, str(VERSION.parents[1]))
    yield lambda module: importlib.import_module(f"{VERSION.parent.name}.{VERSION.name}.runtime.{module}")
    sys.path.remove(str(VERSION.parents[1]))


@pytest.fixture(scope="session")
def pipeline(package: Callable[[str], Any]) -> Any:
    """The fitted pipeline."""
    if not (VERSION / "state" / "fitted.json").exists():
        pytest.skip(f"{VERSION.name} is not fitted: {HOW}")
    return package("pipeline").Pipeline.load()


@pytest.fixture(scope="session")
def golden(package: Callable[[str], Any], pipeline: Any) -> Any:
    """Raw rows with the features and predictions of the day when the pipeline was fitted."""
    assert pipeline, "golden rows without a fitted pipeline say nothing"
    golden = package("golden").read_golden(Path(__file__).parent)
    if golden is None:
        pytest.skip(f"{VERSION.name} has no golden rows: {HOW}")
    return golden
