"""Code that several parts of nbprod look at, parsed once."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=1024)
def parsed(code: str) -> ast.Module:
    """The syntax tree of `code`, the same one for all who ask, who therefore leave it as it is.

    Raises SyntaxError where `code` is no Python.
    """
    return ast.parse(code)
