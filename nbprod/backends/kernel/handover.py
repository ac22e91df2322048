"""Writes the values that one stage hands to the next, and puts them back in a later run.

Values are kept as the package keeps its learned state: as JSON with NumPy files, and fitted estimators through skops,
audited before they are loaded. Nothing is pickled: a value that would need it keeps the stages together, and the reason
says which it was.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import types
from pathlib import Path
from typing import Any

from .session import OWN_LIBRARIES, Session

VALUES = "values"
TOLD = "handover.json"
MOST_PARTS = 200_000
PLAIN = (str, int, float, bool, type(None))


class NotKeptError(Exception):
    """Why a stage can't hand over what it has made."""


class Keeper:
    """Writes and reads handovers; `session` is the capture of this run."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep(self, folder: str, request: dict[str, Any]) -> None:
        """Write what the cells so far hand on into `folder`; what can't be written is a reason there, and no error."""
        told: dict[str, Any]
        with self.session.unwatched():
            try:
                told = self._kept(Path(folder), request)
            except NotKeptError as fault:
                told = {"reason": str(fault)}
            except Exception as fault:  # noqa: BLE001 - values of any class stand in notebooks; the reason tells which
                told = {"reason": f"{type(fault).__name__}: {fault}"}
            told.update(self.session.files_so_far((folder,)))
            self._tell(folder, told)

    @staticmethod
    def _tell(folder: str, told: dict[str, Any]) -> None:
        Path(folder, TOLD).write_text(json.dumps(told), encoding="utf-8")

    def _kept(self, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
        space = namespace()
        values: dict[str, Any] = {}
        told: dict[str, Any] = {"modules": {}, "references": {}, "absent": [], "same": {}}
        for name in request["names"]:
            if name not in space:
                told["absent"].append(name)
            elif name in request["defined"]:
                continue
            elif isinstance(space[name], types.ModuleType):
                told["modules"][name] = space[name].__name__
            elif reference(space[name]) is not None:
                told["references"][name] = reference(space[name])
            else:
                twin = next((other for other, value in values.items() if value is space[name]), None)
                if twin is None:
                    values[name] = space[name]
                else:
                    told["same"][name] = twin
        changed = set(request["changed"])
        changed |= {twin for name, twin in told["same"].items() if name in changed}
        hold_apart(values, changed)
        codec, estimators = self._modules()
        writer = codec.Writer(folder, VALUES, other=estimators.encoder(OWN_LIBRARIES))
        tree = {name: encoded(writer, name, value) for name, value in values.items()}
        (folder / (VALUES + ".json")).write_bytes(codec.to_text(tree).encode("utf-8", "surrogatepass"))
        told["random"] = json.loads(codec.to_text(codec.Writer(folder, "random").encode(generators())))
        told["folder"] = str(Path.cwd())
        told["plots"] = plot_settings()
        told["captures"] = self.session.captures_so_far(str(folder), space)
        return told

    def restore(self, folder: str, request: dict[str, Any]) -> None:
        """Put the handover in `folder` into the notebook's namespace, as the cells that made it would have left it."""
        with self.session.unwatched():
            self._restored(folder, request)

    def _restored(self, folder: str, request: dict[str, Any]) -> None:
        told = json.loads(Path(folder, TOLD).read_text(encoding="utf-8"))
        space = namespace()
        for cell, text in request["prepared"]:
            run(text, cell, space)
        codec, estimators = self._modules()
        reader = codec.Reader(folder, other=estimators.decoder(OWN_LIBRARIES))
        tree = json.loads(Path(folder, VALUES + ".json").read_bytes())
        for name, kept in tree.items():
            space[name] = reader.decode(kept)
        for name, twin in told["same"].items():
            space[name] = space[twin]
        for name, module in told["modules"].items():
            space[name] = importlib.import_module(module)
        for name, (module, path) in told["references"].items():
            space[name] = attribute(module, path)
        for cell, text in request["definitions"]:
            run(text, cell, space)
        os.chdir(told["folder"])
        set_plots(told["plots"])
        set_generators(codec.Reader(folder).decode(told["random"]))
        self.session.take_captures(folder, told["captures"], space)

    def _modules(self) -> tuple[Any, Any]:
        """The codec and the keeper of estimators."""
        estimators = self.session.estimators()
        return importlib.import_module("nbprod_kept.codec"), estimators


def shell() -> Any:
    """The IPython shell of this kernel."""
    from IPython import get_ipython

    return get_ipython()


def namespace() -> dict[str, Any]:
    """The notebook's names."""
    return shell().user_ns  # type: ignore[no-any-return]


def run(text: str, cell: int, space: dict[str, Any]) -> None:
    """Run a statement or a line magic of a cell in the notebook's namespace, so that a traceback shows its text."""
    ip = shell()
    if text.startswith("%"):
        name, _, rest = text.lstrip("%").partition(" ")
        ip.run_line_magic(name, rest.strip())
        return
    exec(compile(text, ip.compile.cache(text, cell), "exec"), space)


def reference(value: Any) -> list[str] | None:
    """Module and path of a function or class of a library; None for all else."""
    module, path = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not (callable(value) and isinstance(module, str) and isinstance(path, str)) or module == "__main__":
        return None
    try:
        return [module, path] if attribute(module, path) is value else None
    except (ImportError, AttributeError):
        return None


def attribute(module: str, path: str) -> Any:
    """What a library has under a dotted path."""
    value: Any = importlib.import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return value


def encoded(writer: Any, name: str, value: Any) -> Any:
    """The JSON of a value of the notebook."""
    if getattr(value, "attrs", None) and type(value).__module__.split(".")[0] == "pandas":
        raise NotKeptError(f"{name} has attrs, which are not kept")
    try:
        return writer.encode(value, name)
    except TypeError as fault:
        raise NotKeptError(str(fault)) from fault


# ---------------------------------------------------------------------- what values share


def hold_apart(values: dict[str, Any], changed: set[str]) -> None:
    """Raise NotKeptError where two names lead to one thing, and a later cell changes it through one of them.

    Apart from that it makes no difference that each name is given a copy of its own.
    """
    owners: dict[int, str] = {}
    keep: list[Any] = []
    for name, value in values.items():
        own: set[int] = set()
        for part in parts_of(value, keep):
            other = owners.get(part)
            if other is not None and (name in changed or other in changed):
                raise NotKeptError(f"{name} and {other} share what a later cell changes")
            if part in own and name in changed:
                raise NotKeptError(f"{name} holds one thing twice, and a later cell changes it")
            own.add(part)
        for part in own:
            owners.setdefault(part, name)


def parts_of(value: Any, keep: list[Any]) -> list[int]:
    """The identities of what can be changed within a value: containers, objects, and the memory of arrays."""
    found: list[int] = []
    waiting: list[Any] = [value]
    through: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, (*PLAIN, bytes, complex, types.ModuleType, type, types.FunctionType)):
            continue
        if len(found) > MOST_PARTS:
            raise NotKeptError("a value has more parts than are looked at")
        library = type(one).__module__.split(".")[0]
        if library == "pandas" or library == "numpy":
            for buffer in buffers(one):
                found.append(id(buffer))
                keep.append(buffer)
            continue
        found.append(id(one))
        keep.append(one)
        if id(one) in through:
            continue
        through.add(id(one))
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            if isinstance(one, tuple):
                found.pop()
            waiting.extend(one)
        else:
            waiting.extend(getattr(one, "__dict__", {}).values())
    return found


def buffers(value: Any) -> list[Any]:
    """The arrays whose memory a table or array is: those of pandas where writing does not copy first."""
    import numpy

    pandas = sys.modules.get("pandas")
    if isinstance(value, numpy.ndarray):
        return [root(value)]
    if pandas is None or copies_on_write(pandas):
        return [value] if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)) else []
    if isinstance(value, pandas.Series):
        held = value.to_numpy(copy=False) if isinstance(value.dtype, numpy.dtype) else value
        return [value, root(held)]
    if isinstance(value, pandas.DataFrame):
        columns = (value.iloc[:, at] for at in range(value.shape[1]))
        plain = [each.to_numpy(copy=False) for each in columns if isinstance(each.dtype, numpy.dtype)]
        return [value, *{id(base): base for base in map(root, plain)}.values()]
    return []


def root(array: Any) -> Any:
    """The array that owns the memory of a view."""
    while getattr(array, "base", None) is not None and type(array.base).__module__.split(".")[0] == "numpy":
        array = array.base
    return array


def copies_on_write(pandas: Any) -> bool:
    """Whether a write to one table never shows in another."""
    if int(str(pandas.__version__).split(".")[0]) >= 3:
        return True
    try:
        return pandas.get_option("mode.copy_on_write") is True
    except (KeyError, AttributeError):
        return False


# ---------------------------------------------------------------------- what is not in a name


def generators() -> dict[str, Any]:
    """The states of the global generators of random numbers."""
    state: dict[str, Any] = {"python": random.getstate()}
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        state["numpy"] = numpy.random.get_state(legacy=True)
    if torch is not None:
        state["torch"] = torch.get_rng_state().numpy()
    if "tensorflow" in sys.modules:
        raise NotKeptError("the state of TensorFlow's random numbers can't be kept")
    return state


def set_generators(state: dict[str, Any]) -> None:
    """Put the global generators where they were."""
    random.setstate(state["python"])
    if "numpy" in state:
        importlib.import_module("numpy").random.set_state(state["numpy"])
    if "torch" in state:
        torch = importlib.import_module("torch")
        torch.set_rng_state(torch.from_numpy(state["torch"]))


def plot_settings() -> dict[str, Any]:
    """matplotlib's settings that are not its defaults, as far as they are plain values."""
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return {}
    given, default = matplotlib.rcParams, matplotlib.rcParamsDefault
    found = {key: given[key] for key in given if not key.startswith("backend") and given[key] != default.get(key)}
    cycle = found.pop("axes.prop_cycle", None)
    plain = {key: value for key, value in found.items() if is_plain(value)}
    return plain if cycle is None else {**plain, "axes.prop_cycle": cycle.by_key()}


def is_plain(value: Any) -> bool:
    """Whether JSON can say it."""
    return isinstance(value, PLAIN) or (isinstance(value, list) and all(map(is_plain, value)))


def set_plots(settings: dict[str, Any]) -> None:
    """Give matplotlib its settings back."""
    if not settings:
        return
    matplotlib = importlib.import_module("matplotlib")
    cycle = settings.pop("axes.prop_cycle", None)
    matplotlib.rcParams.update(settings)
    if cycle is not None:
        matplotlib.rcParams["axes.prop_cycle"] = matplotlib.cycler(**cycle)
