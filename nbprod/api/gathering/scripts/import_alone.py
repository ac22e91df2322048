"""Run with `python -I` in the package's environment: what importing it, loading a version and one answer touch.

`python -I import_alone.py ROOT NAME NUMBER` prints `{"modules": [...], "opened": [...], "calls": [...], "missing":
[...]}`: modules of other distributions, files outside of the package and of Python, connections and processes, and
distributions that the lock file does not lead to. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

CALLS = ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "shutil.rmtree")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/", "/usr/lib/")


def main(root: str, name: str, number: str) -> dict[str, Any]:
    """What was touched."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, root)
    places = tuple(os.path.realpath(each) + os.sep for each in _places(root, name))
    opened: dict[str, None] = {}
    calls: dict[str, None] = {}

    def noted(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CALLS:
            calls[event] = None
        elif event == "open" and isinstance(arguments[0], str):
            path = os.path.realpath(arguments[0])
            writes = isinstance(arguments[2], int) and bool(arguments[2] & WRITES)
            if writes or not path.startswith((*places, *SYSTEM)):
                opened[f"{'writes' if writes else 'reads'} {path}"] = None

    sys.addaudithook(noted)
    pipeline = importlib.import_module(name).load(int(number))
    if not pipeline.features.together:
        pipeline.predict_one(pipeline.example())
    found = {each.partition(".")[0] for each in list(sys.modules)}
    folder = Path(root, name, f"v{int(number):04d}")
    others = sorted(_distributions(found - {name}))
    return {
        "modules": others,
        "opened": sorted(opened),
        "calls": sorted(calls),
        "missing": sorted(set(others) - _locked(folder / "requirements.lock")),
    }


def _places(root: str, name: str) -> list[str]:
    """Where a package and Python itself have their files."""
    paths = [sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [str(Path(root, name)), sys.prefix, sys.base_prefix, *paths]


def _distributions(modules: set[str]) -> set[str]:
    """The distributions that top-level modules come from."""
    found = set()
    for each in metadata.distributions():
        named = (each.read_text("top_level.txt") or "").split()
        files = {str(path).partition("/")[0] for path in each.files or ()} if not named else set(named)
        tops = {top.removesuffix(".py") for top in files}
        if not tops.isdisjoint(modules):
            found.add(_normal(each.metadata["Name"]))
    return found - {"setuptools", "pip", "distutils-precedence"}


def _locked(path: Path) -> set[str]:
    """What a lock file pins, and what that needs in turn."""
    if not path.is_file():
        return set()
    waiting = [
        line.partition("==")[0].strip() for line in path.read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    found: set[str] = set()
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [re.split(r"[ ;<>=!~\[(]", each)[0] for each in needs if "extra ==" not in each]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
