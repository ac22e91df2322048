"""Notebooks and calls for the tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import nbprod as nbprod_package
from nbprod.cli.app import app

SCHEMAS = Path(nbprod_package.__file__).parent / "schemas"

WriteNotebook = Callable[..., Path]
Nbprod = Callable[..., Result]


@pytest.fixture
def write_notebook(tmp_path: Path) -> WriteNotebook:
    """Write code cells (text, or text with tags) as `.ipynb` below the test's folder."""

    def write(name: str, cells: Sequence[str | tuple[str, list[str]]], *, markdown_first: bool = True) -> Path:
        written = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# A title\n", "\n", "text"]}]
        for number, cell in enumerate(cells):
            text, tags = (cell, []) if isinstance(cell, str) else cell
            written.append(
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "id": f"cell-{number}",
                    "metadata": {"tags": tags} if tags else {},
                    "outputs": [],
                    "source": text.splitlines(keepends=True),
                }
            )
        body = {
            "cells": written if markdown_first else written[1:],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def nbprod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nbprod:
    """Call the command line in the test's folder, within this process."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def call(*words: str) -> Result:
        return runner.invoke(app, [str(word) for word in words], prog_name="nbprod")

    return call


@pytest.fixture(scope="session")
def valid() -> Callable[[str, Any], None]:
    """Hold a value against the schema of a verb's result."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    contents = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
    registry: Any = Registry().with_resources([(name, Resource.from_contents(each)) for name, each in contents.items()])

    def check(name: str, value: Any) -> None:
        Draft202012Validator(contents[f"{name}.json"], registry=registry).validate(value)

    return check
