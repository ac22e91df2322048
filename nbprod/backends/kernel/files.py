"""The files, folders, addresses and programs that cells ask for, as Python's audit events tell of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CODE_SUFFIXES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".pth", ".ipynb", ".ttf", ".afm", ".otf", ".mplstyle")
OWN_PACKAGES = ("nbprod_kernel", "nbprod_kept")
LOOKS = frozenset({"os.listdir", "os.scandir"})
MOVES = frozenset({"os.rename", "os.remove", "shutil.move", "shutil.copyfile"})
LEAVES = frozenset(
    {"sqlite3.connect", "urllib.Request", "socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn"}
)  # fmt: skip


class Opened:
    """Files that cells have opened for reading before the notebook itself wrote them, in order."""

    def __init__(self) -> None:
        self.active = False
        self.read: dict[str, None] = {}
        self.written: dict[str, None] = {}
        self.listed: dict[str, None] = {}
        self.outside: dict[str, None] = {}

    def __call__(self, event: str, arguments: Any) -> None:
        if not self.active:
            return
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int) or path is None:
                return
            name = str(Path(os.fsdecode(path)).absolute())
            write_flags = os.O_WRONLY | os.O_RDWR | os.O_CREAT
            by_mode = isinstance(mode, str)
            writes = any(letter in mode for letter in "wax+") if by_mode else bool((flags or 0) & write_flags)
            if writes:
                self.written[name] = None
            elif name not in self.written:
                self.read[name] = None
        elif event in LOOKS:
            path = arguments[0]
            # Python itself looks through the folders that it imports from.
            if "importlib" in sys._getframe(1).f_code.co_filename:
                return
            if isinstance(path, (str, bytes, os.PathLike)) or path is None:
                self.listed[str(Path(os.fsdecode(path or ".")).absolute())] = None
        elif event in MOVES:
            for path in arguments[:2]:
                if isinstance(path, (str, bytes, os.PathLike)):
                    self.written[str(Path(os.fsdecode(path)).absolute())] = None
        elif event in LEAVES:
            self.leave(event, arguments)

    def leave(self, event: str, arguments: Any) -> None:
        """Note what the notebook asks that is no file: an address, a database, another program."""
        if event == "sqlite3.connect":
            name = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
            if name and ":memory:" not in name:
                self.read[str(Path(name).absolute())] = None
        elif event == "urllib.Request":
            self.outside[str(arguments[0])] = None
        elif event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple) and len(address) >= 2:
                self.outside[f"{address[0]}:{address[1]}"] = None
        elif not by_library():
            words = arguments[1] if len(arguments) > 1 and arguments[1] else arguments[0]
            first = words[0] if isinstance(words, (list, tuple)) and words else words
            self.outside["program " + os.fsdecode(first)[:200]] = None

    def data_files(self, left_out: tuple[str, ...]) -> list[str]:
        """The files that were read and are no part of a program."""
        return [path for path in self.of_notebook(self.read, left_out) if Path(path).is_file()]

    def of_notebook(self, paths: Iterable[str], left_out: tuple[str, ...]) -> list[str]:
        """The paths that lie in no folder of programs, and are no source or cache of code."""
        roots = tuple(root.rstrip(os.sep) + os.sep for root in program_folders() + left_out if len(root) > 1)
        return [
            path
            for path in paths
            if not (path + os.sep).startswith(roots)
            and not path.endswith(CODE_SUFFIXES)
            and not Path(path).parent.name.startswith("ipykernel_")
            and "__pycache__" not in path
        ]


def linked(source: str | Path, target: str | Path) -> None:
    """The file under a second name; a copy where the system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def by_library() -> bool:
    """Whether an installed library, and not the notebook or a module beside it, starts a program just now."""
    frame = sys._getframe(3)  # behind this function and the two of the hook
    standard = str(Path(os.__file__).parent)
    while frame is not None:
        file = frame.f_code.co_filename
        if "site-packages" in file or "dist-packages" in file:
            return True
        if not file.startswith((standard, "<frozen")):
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return False


def local_modules() -> list[str]:
    """The source files of modules that are installed nowhere, as those beside the notebook."""
    roots = tuple(root.rstrip(os.sep) + os.sep for root in program_folders() if len(root) > 1)
    others = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] not in OWN_PACKAGES]
    files = (getattr(module, "__file__", None) for module in others)
    return sorted(
        {
            str(Path(file).absolute())
            for file in files
            if isinstance(file, str)
            and file.endswith(".py")
            and not str(Path(file).absolute()).startswith(roots)
            and Path(file).is_file()
        }
    )


def program_folders() -> tuple[str, ...]:
    """Folders of programs and their settings: what lies there is no data of the notebook."""
    home = Path.home()
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, "/proc", "/sys", "/dev", "/etc", "/usr/share", "/usr/lib"]
    folders += [str(home / name) for name in (".ipython", ".jupyter", ".matplotlib", ".config", ".local")]
    folders += [os.environ.get("IPYTHONDIR", ""), os.environ.get("JUPYTER_RUNTIME_DIR", "")]
    folders += [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        folders += [matplotlib.get_cachedir(), matplotlib.get_configdir()]
    return tuple(str(Path(folder).absolute()) for folder in folders if folder)
