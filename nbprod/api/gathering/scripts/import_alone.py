"""Run with `python -I` in the package's environment: the package is loaded and asked with its lock file's needs alone.

`python -I import_alone.py ROOT NAME NUMBER [DISTRIBUTION ...]` prints `{"needs": […], "opened": […], "calls": […],
"lacking": …, "undeclared": […], "unused": […]}`: the distributions that were imported, files outside of the package and
of Python, connections and processes, the module that stopped it, which of the imported distributions the named ones do
not lead to, and which of the named ones were not imported. What the lock file does not lead to is hidden, as if it were
not installed. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

NETWORK = ("socket.connect", "socket.bind", "socket.sendto")
CALLS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "shutil.rmtree")
"""Of these only those count that the package itself calls: libraries ask the system how many cores there are."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/", "/usr/lib/")


class Hidden:
    """Finds no module of the distributions that are hidden: as if they were not installed."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        """Raise where the module is hidden; else others look for it."""
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main(root: str, name: str, number: str, *declared: str) -> dict[str, Any]:
    """What was touched on the way to one answer."""
    sys.dont_write_bytecode = True
    owners = _owners()
    locked = _locked(Path(root, name, f"v{int(number):04d}", "requirements.lock"))
    sys.meta_path.insert(0, Hidden({module for module, owner in owners.items() if not owner & locked}))
    sys.path.insert(0, root)
    libraries = tuple({os.path.realpath(each) for each in sys.path if each and each != root})
    places = tuple(os.path.realpath(each) + os.sep for each in _places(root, name))
    opened: dict[str, None] = {}
    calls: dict[str, None] = {}

    def noted(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NETWORK or (event in CALLS and _is_by_package(str(Path(root, name)), libraries)):
            calls[event] = None
        elif event == "open" and isinstance(arguments[0], str):
            path = os.path.realpath(arguments[0])
            writes = isinstance(arguments[2], int) and bool(arguments[2] & WRITES) and path != os.devnull
            if writes or not path.startswith((*places, *SYSTEM)):
                opened[f"{'writes' if writes else 'reads'} {path}"] = None

    sys.addaudithook(noted)
    lacking = None
    try:
        pipeline = importlib.import_module(name).load(int(number))
        if not pipeline.features.together:
            pipeline.predict_one(pipeline.example())
            pipeline.predict(pipeline.features.schema_.template)
    except ModuleNotFoundError as error:
        lacking = error.name
    found = {each.partition(".")[0] for each in list(sys.modules)}
    needs = sorted({owner for module in found & owners.keys() for owner in owners[module] & locked})
    stated = {_normal(each) for each in declared}
    return {
        "needs": needs,
        "opened": sorted(opened),
        "calls": sorted(calls),
        "lacking": lacking,
        "undeclared": sorted(set(needs) - _led_to(stated)),
        "unused": sorted(stated - set(needs)),
    }


def _is_by_package(folder: str, libraries: tuple[str, ...]) -> bool:
    """Whether the nearest caller outside of Python's own library is the package."""
    stdlib = os.path.realpath(sysconfig.get_path("stdlib"))
    frame: Any = sys._getframe(2)
    while frame is not None:
        path = os.path.realpath(frame.f_code.co_filename)
        if path.startswith(os.path.realpath(folder) + os.sep):
            return True
        if "site-packages" in path or (path.startswith(libraries) and not path.startswith(stdlib + os.sep)):
            return False
        frame = frame.f_back
    return False


def _places(root: str, name: str) -> list[str]:
    """Where a package and Python itself have their files."""
    paths = [sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [str(Path(root, name)), sys.prefix, sys.base_prefix, *paths]


def _owners() -> dict[str, set[str]]:
    """The distributions that each top-level module comes from."""
    found: dict[str, set[str]] = {}
    for each in metadata.distributions():
        named = (each.read_text("top_level.txt") or "").split()
        files = named or [path.parts[0] for path in each.files or () if path.suffix in (".py", ".so", ".pyd")]
        for module in {re.split(r"\.", file)[0] for file in files}:
            if module.isidentifier():
                found.setdefault(module, set()).add(_normal(each.metadata["Name"]))
    return found


def _locked(path: Path) -> set[str]:
    """What a lock file pins, and what that needs in turn."""
    if not path.is_file():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return _led_to(line.partition("==")[0].strip() for line in lines if "==" in line)


def _led_to(names: Iterable[str]) -> set[str]:
    """Distributions, and what they need in turn."""
    waiting = list(names)
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
