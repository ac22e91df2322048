"""What cells do and what libraries do: edited as YAML and TOML, read from one JSON file in a tenth of the time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod.documents import values_of

_HERE = Path(__file__).parent
COMPILED = _HERE / "compiled.json"


class Compiled(Struct, frozen=True):
    """The ast-grep rules that say what cells do, the kinds of objects they ask for, and the tables of libraries.

    `libraries` has the sections of each table under the name of its file; `random_state` says what draws at random.
    """

    rules: list[dict[str, Any]]
    kinds: dict[str, str]
    libraries: dict[str, dict[str, dict[str, Any]]]
    random_state: dict[str, Any]


@cache
def compiled() -> Compiled:
    """What `COMPILED` holds."""
    return Compiled(**json.loads(COMPILED.read_bytes()))


def compiled_text() -> str:
    """What `COMPILED` holds for the YAML and TOML files as they are."""
    import tomllib

    roles = _HERE / "roles"
    rules = [rule for path in sorted((roles / "rules").glob("*.yml")) for rule in yaml_documents(path)]
    (kinds,) = yaml_documents(roles / "kinds.yml")
    tables = sorted((_HERE / "libraries").glob("*.toml"))
    libraries = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in tables}
    seeds = tomllib.loads((_HERE / "random_state.toml").read_text("utf-8"))
    value = {"rules": rules, "kinds": kinds, "libraries": libraries, "random_state": seeds}
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def yaml_documents(path: Path) -> Iterator[Any]:
    """The documents of a YAML file that are not empty. Raises ValueError and OSError."""
    return (document for document in values_of(path.read_text("utf-8")) if document is not None)
