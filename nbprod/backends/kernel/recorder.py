"""Copies of the raw frames and of what the model is given, as the cells hand them over; nothing is changed."""

from __future__ import annotations

import copy
import random
import sys
from pathlib import Path
from typing import Any

from .files import linked

KEPT_CALLS = 16


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
            linked(path, Path(folder, path.name))


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

    def fitted(self, key: str, value: Any) -> Any:
        """Keep the estimator as its training leaves it: of the last training alone, since forests are large."""
        own: dict[str, Any] | None = None
        for call in self.calls:
            call.pop("fitted", None)
            own = call if call["key"] == key else own
        if own is not None and hasattr(own["receiver"], "get_params"):
            try:
                own["fitted"] = copy.deepcopy(own["receiver"])
            except Exception as fault:  # noqa: BLE001 - any class may refuse to be copied, and the notebook must go on
                own["not_taken"] = f"a {type(own['receiver']).__name__} can't be copied: {fault}"
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
