"""The digest of learned state: equal for equal fits, whatever process wrote the files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from nbprod.versions.files import tree

# When and where a fit was made is no part of what it learned.
ABOUT_THE_FIT = "fitted.json"


def state_digest(folder: Path) -> str:
    """sha256 (hex) over the files of a `state/` folder, by relative path and content; `fitted.json` is left out.

    A `.skops` file is digested by what it holds: its bytes also carry memory addresses and the time, which differ
    in every process (skops, `skops/io/_persist.py`: members are named by `id()`).
    """
    whole = hashlib.sha256()
    for name, content in tree(folder).items():
        if name == ABOUT_THE_FIT:
            continue
        part = _skops_digest(folder / name) if name.endswith(".skops") else hashlib.sha256(content).hexdigest()
        whole.update(f"{len(name)}:{name}:{part}\n".encode())
    return whole.hexdigest()


def _skops_digest(path: Path) -> str:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                name: hashlib.sha256(archive.read(name)).hexdigest()
                for name in archive.namelist()
                if name != "schema.json"
            }
            schema = json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(_without_addresses(schema, members), sort_keys=True).encode()).hexdigest()


def _without_addresses(node: Any, members: dict[str, str]) -> Any:
    match node:
        case dict():
            return {key: _without_addresses(value, members) for key, value in node.items() if key != "__id__"}
        case list():
            return [_without_addresses(value, members) for value in node]
        case str() if node in members:
            return f"sha256:{members[node]}"
        case _:
            return node
