"""Which notebook a kernel runs, as the program around it tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SUFFIXES = frozenset({".ipynb", ".py"})


def notebook_path(namespace: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """The path of the notebook that this kernel runs, as Jupyter, VS Code or papermill tell it; else None.

    A name that is no file here, or no notebook (a console, a script's session), is no answer.
    """
    told = (
        namespace.get("__vsc_ipynb_file__"),
        namespace.get("PAPERMILL_INPUT_PATH"),
        environment.get("JPY_SESSION_NAME"),
    )
    places = (path for word in told if isinstance(word, str) for path in _places(word))
    return next((str(path) for path in places if path.suffix in SUFFIXES and path.is_file()), None)


def _places(word: str) -> Iterable[Path]:
    """Where a session's name may lie: as it is, or, if the kernel runs elsewhere, in the kernel's folder.

    With collaboration the name begins with `RTC:`; VS Code's may be an address (`file:///…`).
    """
    from urllib.parse import unquote, urlsplit

    word = word.removeprefix("RTC:")
    path = Path(unquote(urlsplit(word).path) if word.startswith("file://") else word)
    return (path, Path(path.name))
