"""Runs inside the notebook's kernel: keeps copies of the raw frame and of what the model is given, changing nothing.

The file is sent to the kernel as text, so it imports the standard library alone and works on Python 3.9. Cells keep
their text and their positions; the syntax tree that IPython is about to run gains calls that hand their argument back.
"""

from __future__ import annotations

import ast
import builtins
import copy
import json
import os
import platform
import random
import shutil
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "__nbprod_capture__"
KEPT_CALLS = 16
CODE_SUFFIXES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".pth", ".ipynb", ".ttf", ".afm", ".otf", ".mplstyle")
ROLE_MAGICS = ("parameters", "data", "features", "train", "evaluate", "explore")
LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "category_encoders": "category_encoders",
    "statsmodels": "statsmodels",
}


def snapshot(value: Any) -> Any:
    """A copy of `value` that later cells can't change; the value itself where it can't be copied."""
    try:
        if hasattr(value, "copy") and type(value).__module__.split(".")[0] in ("pandas", "numpy", "scipy"):
            return value.copy()
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - any class may refuse to be copied, and the notebook must go on
        return value


def random_state() -> dict[str, Any]:
    """The states of the global generators of `random` and of numpy (where the notebook has imported it)."""
    state: dict[str, Any] = {"python": random.getstate()}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state["numpy"] = numpy.random.get_state(legacy=True)
    return state


def sklearn_config() -> dict[str, Any]:
    """scikit-learn's global configuration, as far as it is plain values."""
    sklearn = sys.modules.get("sklearn")
    config = sklearn.get_config() if sklearn is not None else {}
    return {key: value for key, value in config.items() if isinstance(value, (str, int, float, bool, type(None)))}


def versions(left_out: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python and of the libraries that the notebook has imported, by distribution."""
    found = {"python": platform.python_version()}
    for module, distribution in LIBRARIES.items():
        version = getattr(sys.modules.get(module), "__version__", None)
        if isinstance(version, str) and module not in left_out:
            found[distribution] = version
    return found


class Kept:
    """Something captured that lies in a folder already: what a restored stage has captured, or a stage of this run."""

    def __init__(self, folder: str, stem: str) -> None:
        self.folder, self.stem = Path(folder), stem

    def link(self, folder: str) -> None:
        """Give its files a second name in `folder`; a copy where the system has no links."""
        files = list(self.folder.glob(self.stem + ".*"))
        if not files:
            raise FileNotFoundError(f"{self.folder} has no {self.stem} any more")
        for path in files:
            try:
                os.link(path, Path(folder, path.name))
            except OSError:
                shutil.copyfile(path, Path(folder, path.name))


class Recorder:
    """What the run has handed over so far; its methods are called by the cells and return what they are given."""

    def __init__(self) -> None:
        self.raw_frames: dict[str, Any] = {}
        self.raw_random: dict[str, Any] | None = None
        self.pending: dict[str, dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.stems: list[str] = []
        self.notes: list[str] = []

    def raw(self, key: str, value: Any) -> Any:
        if key not in self.raw_frames:
            self.raw_frames[key] = snapshot(value)
            if self.raw_random is None:
                self.raw_random = random_state()
        return value

    def receiver(self, key: str, value: Any) -> Any:
        self.pending[key] = {"key": key, "receiver": value, "arguments": {}}
        return value

    def argument(self, key: str, slot: str, value: Any, last: bool) -> Any:
        """`slot` is `0`, `1`… or the keyword. The last argument copies them all, just before the call."""
        if slot == "*":
            value = tuple(value)
        elif slot == "**":
            value = dict(value)
        call = self.pending.setdefault(key, {"key": key, "receiver": None, "arguments": {}})
        call["arguments"][slot] = value
        if last:
            self._keep(self.pending.pop(key))
        return value

    def result(self, key: str, value: Any) -> Any:
        for call in reversed(self.calls):
            if call["key"] == key:
                call["result"] = snapshot(value)
                break
        return value

    def _keep(self, call: dict[str, Any]) -> None:
        arguments: dict[str, Any] = {}
        for slot, value in call["arguments"].items():
            if slot == "*":
                start = sum(1 for s in arguments if s.isdigit())
                arguments.update({str(start + i): snapshot(v) for i, v in enumerate(value)})
            elif slot == "**":
                arguments.update({str(k): snapshot(v) for k, v in value.items()})
            else:
                arguments[slot] = snapshot(value)
        call["arguments"] = arguments
        call["random"] = random_state()
        call["config"] = sklearn_config()
        same = [c for c in self.calls if c["key"] == call["key"]]
        if len(same) >= KEPT_CALLS:
            self.calls.remove(same[0])
        self.calls.append(call)


class Points(ast.NodeTransformer):
    """IPython's hook: adds the calls to the tree of the cell that is about to run.

    A place is found by what it says and how often the same text stood before it in the cell, and not by its line:
    IPython drops leading blank lines, dedents, and joins continued magics before it parses.
    """

    def __init__(self, places: list[dict[str, Any]], recorder: Recorder) -> None:
        self.places = places
        self.recorder = recorder
        self.cell: int | None = None

    def visit(self, node: ast.AST) -> ast.AST:
        wanted = [place for place in self.places if place["cell"] == self.cell]
        if not wanted or not isinstance(node, ast.Module):
            return node
        try:
            changed = copy.deepcopy(node)
            found = [(place, target) for place in wanted for target in [find(changed, place)] if target is not None]
            for place, target in found:
                wrap_call(changed, target, place)
            return ast.fix_missing_locations(changed)
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong here, the notebook must run as it is
            self.recorder.notes.append(f"the cell's syntax tree could not be extended: {fault!r}")
            return node


def parse_place(place: dict[str, Any]) -> ast.AST:
    """The call that a place speaks of, as this Python parses it."""
    call: ast.expr = ast.parse("(" + place["text"] + "\n)", mode="eval").body
    return call


def preorder(node: ast.AST) -> list[ast.AST]:
    """The node and all below it, parents first."""
    nodes = [node]
    for child in ast.iter_child_nodes(node):
        nodes.extend(preorder(child))
    return nodes


def find(tree: ast.AST, place: dict[str, Any]) -> ast.AST | None:
    """The place's node in `tree`, None where another cell or a magic's own text is running."""
    wanted = ast.dump(parse_place(place))
    equal = [node for node in preorder(tree) if isinstance(node, ast.Call) and ast.dump(node) == wanted]
    return equal[place["occurrence"]] if len(equal) > place["occurrence"] else None


def method(name: str, at: ast.AST, *arguments: ast.expr) -> ast.expr:
    """A call of the recorder that stands at the position of `at`."""
    function = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
    call = ast.Call(function, list(arguments), [])
    for node in (function.value, function, call):
        ast.copy_location(node, at)
    return call


def constant(value: Any, at: ast.AST) -> ast.expr:
    """A literal at the position of `at`."""
    return ast.copy_location(ast.Constant(value), at)


def wrap_call(tree: ast.AST, target: ast.AST, place: dict[str, Any]) -> None:
    """The call's receiver, arguments and result each pass through the recorder; the frames of a traceback stay.

    Of a call that reads rows the result counts alone.
    """
    assert isinstance(target, ast.Call)
    key = place["key"]
    if place["kind"] == "raw":
        replace(tree, target, method("raw", target, constant(key, target), target))
        return
    if isinstance(target.func, ast.Attribute):
        receiver = target.func.value
        target.func.value = method("receiver", receiver, constant(key, receiver), receiver)
    slots: list[tuple[str, ast.AST]] = []
    for position, argument in enumerate(target.args):
        slots.append(("*" if isinstance(argument, ast.Starred) else str(position), argument))
    slots.extend((keyword.arg or "**", keyword) for keyword in target.keywords)
    for slot, node in slots:
        last = constant(node is slots[-1][1], target)
        if isinstance(node, (ast.Starred, ast.keyword)):
            value = node.value
            node.value = method("argument", value, constant(key, value), constant(slot, value), value, last)
        else:
            assert isinstance(node, ast.expr)
            target.args[target.args.index(node)] = method(
                "argument", node, constant(key, node), constant(slot, node), node, last
            )
    if place["kind"] == "predict":
        replace(tree, target, method("result", target, constant(key, target), target))


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put `new`, which holds `old`, where `old` stood."""
    inside = set(map(id, ast.walk(new)))
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        for field, value in ast.iter_fields(node):
            if value is old:
                setattr(node, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]


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


LOOKS = frozenset({"os.listdir", "os.scandir"})
MOVES = frozenset({"os.rename", "os.remove", "shutil.move", "shutil.copyfile"})
LEAVES = frozenset(
    {"sqlite3.connect", "urllib.Request", "socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn"}
)  # fmt: skip


def by_library() -> bool:
    """Whether an installed library, and not the notebook or a module beside it, starts a program just now."""
    frame = sys._getframe(2)
    standard = str(Path(os.__file__).parent)
    while frame is not None:
        file = frame.f_code.co_filename
        if "site-packages" in file or "dist-packages" in file:
            return True
        if not file.startswith((standard, "<frozen", "<nbprod")):
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return False


def local_modules() -> list[str]:
    """The source files of modules that are installed nowhere, as those beside the notebook."""
    roots = tuple(root.rstrip(os.sep) + os.sep for root in program_folders() if len(root) > 1)
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
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


class Session:
    """The capture of one run: what the engine calls between cells."""

    def __init__(self, plan: dict[str, Any], codec: str) -> None:
        self.plan = plan
        self.codec = codec
        self.recorder = Recorder()
        self.points = Points(plan["places"], self.recorder)
        self.opened = Opened()
        self.not_of_notebook: set[str] = set()
        setattr(builtins, NAME, self.recorder)
        sys.addaudithook(self.opened)
        shell = self._shell()
        if plan["places"]:
            shell.ast_transformers.append(self.points)
        self._add_role_magics(shell)
        self.opened.active = True

    def at_cell(self, index: int | None) -> None:
        self.points.cell = index

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """What is opened in here is none of the notebook's doing."""
        before, self.opened.active = self.opened.active, False
        try:
            yield
        finally:
            self.opened.active = before

    def finish(self, folder: str) -> None:
        """Write what there is, also after a failure."""
        self.opened.active = False
        self.points.cell = None
        notes = list(self.recorder.notes)
        fit, predicts = self._served_calls()
        index: dict[str, Any] = {
            "schema": 1,
            "python": sys.executable,
            "versions": versions(self.not_of_notebook),
            **self.files_so_far((folder,)),
            "memory": peak_memory(),
            "metrics": metrics_in(self._shell().user_ns, self.plan.get("measured", ())),
            "raw": [],
            "fit": None,
            "predicts": [],
        }
        for key, value in self.recorder.raw_frames.items():
            if isinstance(value, Kept):
                value.link(folder)
                index["raw"].append({"stem": key})
            elif self._write({"frame": as_table(value), "random": self.recorder.raw_random}, folder, key, notes):
                index["raw"].append({"stem": key})
        if fit is not None and self._write_call(fit, folder, "fit", notes):
            index["fit"] = self._describe(fit, "fit")
        for number, call in enumerate(predicts):
            if self._write_call(call, folder, f"predict_{number}", notes):
                index["predicts"].append(self._describe(call, f"predict_{number}"))
        index["notes"] = notes
        (Path(folder) / "index.json").write_text(json.dumps(index, indent=2, sort_keys=True), encoding="utf-8")

    def files_so_far(self, left_out: tuple[str, ...]) -> dict[str, list[str]]:
        """The files that were opened, written and looked for, the notebook's own modules, and what is no file."""
        opened = self.opened
        return {
            "opened": opened.data_files(left_out),
            "written": opened.of_notebook(opened.written, left_out),
            "listed": opened.of_notebook(opened.listed, left_out),
            "modules_read": local_modules(),
            "outside": list(opened.outside),
        }

    def captures_so_far(self, folder: str, space: dict[str, Any]) -> dict[str, Any]:
        """Write what was captured up to here into `folder`, where it is not in one already; what lies there."""
        recorder = self.recorder
        notes: list[str] = []
        raws = []
        for key, value in recorder.raw_frames.items():
            if not isinstance(value, Kept):
                self._write({"frame": as_table(value), "random": recorder.raw_random}, folder, key, notes)
                recorder.raw_frames[key] = Kept(folder, key)
            else:
                value.link(folder)
            raws.append(key)
        fit, predicts = self._served_calls()
        receivers: list[Any] = []
        calls = []
        for call in [*([] if fit is None else [fit]), *predicts]:
            if "kept" in call:
                call["kept"].link(folder)
            else:
                stem = f"kept_{len(recorder.stems)}"
                recorder.stems.append(stem)
                self._write(self._call(call), folder, stem, notes)
                call["kept"] = Kept(folder, stem)
            receiver = call["receiver"]
            number = next((n for n, one in enumerate(receivers) if one is receiver), len(receivers))
            if number == len(receivers):
                receivers.append(receiver)
            named = next((name for name, value in space.items() if value is receiver and name[:1] != "_"), None)
            calls.append(
                {
                    "key": call["key"],
                    "stem": call["kept"].stem,
                    "receiver": number,
                    "named": named,
                    "estimator": self._estimator(call),
                    "has_result": "result" in call,
                }
            )
        if notes:
            raise ValueError("; ".join(notes))
        return {"raws": raws, "calls": calls}

    def take_captures(self, folder: str, told: dict[str, Any], space: dict[str, Any]) -> None:
        """What a restored stage has captured counts as captured in this run."""
        recorder = self.recorder
        for key in told["raws"]:
            recorder.raw_frames[key] = Kept(folder, key)
        stand_ins: dict[int, Any] = {}
        for one in told["calls"]:
            receiver = stand_ins.setdefault(one["receiver"], space.get(one["named"], object()))
            call = {"key": one["key"], "receiver": receiver, "kept": Kept(folder, one["stem"])}
            call["estimator"] = one["estimator"]
            if one["has_result"]:
                call["result"] = None
            recorder.stems.append(one["stem"])
            recorder.calls.append(call)

    def _served_calls(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The last training, and the predictions made after it by the object that was trained."""
        kinds = {place["key"]: place["kind"] for place in self.plan["places"]}
        fits = [n for n, call in enumerate(self.recorder.calls) if kinds[call["key"]] == "fit"]
        last = fits[-1] if fits else -1
        fit = self.recorder.calls[last] if fits else None
        later = [
            call for call in self.recorder.calls[last + 1 :] if kinds[call["key"]] == "predict" and "result" in call
        ]
        own = [call for call in later if fit is not None and call["receiver"] is fit["receiver"]]
        return fit, own or later

    def _place(self, key: str) -> dict[str, Any]:
        return next(place for place in self.plan["places"] if place["key"] == key)

    def _describe(self, call: dict[str, Any], stem: str) -> dict[str, Any]:
        place = self._place(call["key"])
        return {
            "stem": call["kept"].stem if "kept" in call else stem,
            "cell": place["cell"],
            "line": place["line"],
            "method": place["method"],
            "estimator": self._estimator(call),
        }

    @staticmethod
    def _estimator(call: dict[str, Any]) -> str:
        kind = type(call["receiver"])
        return str(call.get("estimator", kind.__module__ + "." + kind.__qualname__))

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        kept = {slot: storable(value) for slot, value in call["arguments"].items()}
        record = {"random": call["random"], "config": call["config"], "result": storable(call.get("result"))}
        place = self._place(call["key"])
        if place["kind"] == "fit" or place["method"] == "score":
            record["y"] = kept.get("1", kept.get("y", kept.get("Y")))
        if place["kind"] == "fit":
            record["others"] = sorted(set(kept) - {"0", "1", "X", "y", "Y"})
        record["X"] = kept.get("0", kept.get("X"))
        return record

    def _write_call(self, call: dict[str, Any], folder: str, stem: str, notes: list[str]) -> bool:
        if "kept" in call:
            call["kept"].link(folder)
            return True
        return self._write(self._call(call), folder, stem, notes)

    def _write(self, value: Any, folder: str, stem: str, notes: list[str]) -> bool:
        try:
            self._codec().dump(value, folder, stem)
        except Exception as fault:  # noqa: BLE001 - values of any class stand in notebooks; the note tells which
            notes.append(f"{stem} could not be kept: {type(fault).__name__}: {fault}")
            return False
        return True

    def _codec(self) -> Any:
        """The codec as a module, made when the cells have run: it imports pandas, which is for them to do first."""
        name = "nbprod_codec"
        if name not in sys.modules:
            module = sys.modules[name] = types.ModuleType(name)
            exec(compile(self.codec, f"<{name}>", "exec"), module.__dict__)
        return sys.modules[name]

    @staticmethod
    def _shell() -> Any:
        from IPython import get_ipython

        return get_ipython()

    @staticmethod
    def _add_role_magics(shell: Any) -> None:
        """`%%features` and the like run their cell also where nbprod is not installed in the kernel."""

        def run_body(_line: str, body: str) -> None:
            result = shell.run_cell(body, store_history=False)
            result.raise_error()

        for name in ROLE_MAGICS:
            if shell.find_cell_magic(name) is None:
                shell.register_magic_function(run_body, magic_kind="cell", magic_name=name)


MOST_METRICS = 200
DEEPEST = 3


def metrics_in(space: dict[str, Any], names: Iterable[str]) -> dict[str, float]:
    """The numbers under these names of the notebook, those of a dict as `name.key`."""
    found: dict[str, float] = {}
    for name in names:
        if name in space:
            add_metrics(found, name, space[name], 0)
    return dict(list(found.items())[:MOST_METRICS])


def add_metrics(found: dict[str, float], name: str, value: Any, depth: int) -> None:
    """Add a number, or those within a dict."""
    if isinstance(value, dict) and depth < DEEPEST:
        for key, held in value.items():
            add_metrics(found, f"{name}.{key}", held, depth + 1)
    elif is_number(value) and float(value) - float(value) == 0:
        found[name] = float(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python's or NumPy's, and no truth value."""
    if type(value).__module__ == "numpy":
        return getattr(value, "ndim", None) == 0 and value.dtype.kind in "fiu"
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def peak_memory() -> int | None:
    """The most memory that this process has had, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kibibytes, but bytes on macOS (getrusage(2)).
    return int(most) if sys.platform == "darwin" else int(most) * 1024


def as_table(value: Any) -> Any:
    """One of scikit-learn's own tables (a bunch, or features and target) as a DataFrame; other values as they are."""
    import pandas as pd

    if isinstance(value, tuple) and len(value) == 2:
        data, target, names = value[0], value[1], None
    elif isinstance(value, dict) and "data" in value and "target" in value:
        data, target, names = value["data"], value["target"], value.get("feature_names")
    else:
        return value
    if isinstance(data, pd.DataFrame):
        table = data.copy()
    elif getattr(data, "ndim", 0) == 2:
        table = pd.DataFrame(data, columns=[f"x{n}" for n in range(data.shape[1])] if names is None else list(names))
    else:
        return value
    table["target"] = target
    return table


def storable(value: Any) -> Any:
    """A sparse matrix in one of the formats that the codec keeps; other values as they are."""
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(value) and value.format not in ("csr", "csc", "coo"):
        return value.tocsr()
    return value
