"""IPython's own input transformer, loaded without the rest of IPython where that is possible."""

from __future__ import annotations

import builtins
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_TRANSFORMER = "IPython.core.inputtransformer2"
_TOKENUTIL = "IPython.utils.tokenutil"


@cache
def input_transformer() -> Any:
    """IPython's `inputtransformer2` module.

    `import IPython` costs far more than the one module that is wanted, so the module's cached bytecode is
    executed by itself; where IPython's layout does not allow that, it is imported as usual.
    """
    try:
        return _load_alone()
    except (ImportError, AttributeError, OSError):
        import IPython.core.inputtransformer2 as transformer

        return transformer


def _load_alone() -> SimpleNamespace:
    package = find_spec("IPython")
    if package is None or package.origin is None:
        raise ImportError("IPython is not installed")
    folder = Path(package.origin).parent
    tokenutil = _execute(_TOKENUTIL, folder / "utils" / "tokenutil.py", None)
    transformer = _execute(_TRANSFORMER, folder / "core" / "inputtransformer2.py", tokenutil)
    transformer.make_tokens_by_line, transformer.MagicAssign, transformer.HelpEnd  # noqa: B018 (absent: AttributeError)
    return transformer


def _execute(name: str, path: Path, tokenutil: SimpleNamespace | None) -> SimpleNamespace:
    """Runs a module of IPython in a namespace of its own, outside of `sys.modules`."""

    def importer(target: str, scope: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        if target.partition(".")[0] != "IPython":
            return __import__(target, scope, local, names, level)
        if target == "IPython.utils" and tokenutil is not None:
            return SimpleNamespace(tokenutil=tokenutil)
        raise ImportError(f"{name} imports {target}")

    code = SourceFileLoader(name, str(path)).get_code(name)
    if code is None:
        raise ImportError(f"no code for {name}")
    scope: dict[str, Any] = {"__name__": name, "__builtins__": {**vars(builtins), "__import__": importer}}
    exec(code, scope)
    return SimpleNamespace(**scope)
