"""The command line called from the kernel: its own text, or its report to be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from nbprod.errors import NbprodError


def printed(arguments: Sequence[str]) -> int:
    """Run a command that prints for itself, the secrets in its text masked; gives the exit code."""
    from nbprod.notebook.redact import redact_text

    code, text = _called(arguments)
    print(redact_text(text), end="")
    return code


def reported(arguments: Sequence[str]) -> tuple[int, list[dict[str, Any]]]:
    """Run a command for its reports, one for each notebook. What went wrong was shown, as it is in a terminal."""
    code, text = _called([*arguments, "--format", "json"])
    value = json.loads(text) if text.strip() else []
    return code, value if isinstance(value, list) else [value]


def sources_of(report: Mapping[str, Any], arguments: Sequence[str]) -> tuple[str, ...]:
    """The texts of the code cells that a report speaks of, where its notebook is at hand."""
    from nbprod.notebook import read

    named = [str(report.get("notebook") or ""), *arguments]
    path = next((word for word in named if Path(word).suffix in (".ipynb", ".py") and Path(word).is_file()), None)
    try:
        return () if path is None else tuple(cell.source for cell in read(path).cells)
    except NbprodError:
        return ()


def readiness(path: str) -> tuple[int, dict[str, Any] | None]:
    """The checklist as the API gives it, and 1 where a blocking item is contradicted."""
    from msgspec import to_builtins

    from nbprod import api

    try:
        report: dict[str, Any] = to_builtins(api.readiness(path))
    except NbprodError as error:
        show(error)
        return 2, None
    return int(bool(report["blockers"])), report


def show(error: NbprodError) -> None:
    """An error as the command line shows it."""
    import_module("nbprod.cli.terminal").show_error(error)


def _called(arguments: Sequence[str]) -> tuple[int, str]:
    text = StringIO()
    with redirect_stdout(text):
        code = import_module("nbprod.cli.app").app.main(list(arguments), prog_name="%nbprod", standalone_mode=False)
    return int(code or 0), text.getvalue()
