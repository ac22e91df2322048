"""Names that a package may have: importable, and hiding nothing that Python or the package itself imports."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata

from nbprod.errors import NbprodError

# What an exported package imports: a folder of that name on the path would stand before the library.
LIBRARIES = frozenset({"joblib", "mlflow", "nbprod", "numpy", "pandas", "scipy", "skops", "sklearn"})


def check_name(name: str) -> str:
    """Give `name` back where a package can be imported by it; raises NbprodError with a name that would do."""
    reason = _objection(name)
    if reason is None:
        return name
    raise NbprodError(
        f'a package cannot be named "{name}": {reason}', code="bad-name", hint=f'"{suggest_name(name)}" would do'
    )


def suggest_name(text: str) -> str:
    """A valid package name as near to `text` as can be, such as `churn_2024` for `Churn 2024.ipynb`."""
    stem = re.sub(r"\.(ipynb|py)$", "", text.replace("\\", "/").rsplit("/", 1)[-1])
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    word = re.sub(r"\W+", "_", plain).strip("_").lower() or "pipeline"
    if word[0].isdigit():
        word = f"pipeline_{word}"
    return word if _objection(word) is None else f"{word}_pipeline"


def _objection(name: str) -> str | None:
    if not name.isidentifier():
        return "it is no Python identifier"
    if not name.isascii():
        return "file systems and Python spell letters beyond ASCII in different ways"
    if keyword.iskeyword(name):
        return "it is a Python keyword"
    if name.startswith("_"):
        return "a leading underscore marks what is private to Python or to a package"
    if name.lower() in {module.lower() for module in sys.stdlib_module_names} | {"test"}:
        return "it would hide the module of that name in Python's standard library"
    if name.lower() in LIBRARIES:
        return "it would hide the library of that name, which the package imports"
    return None
