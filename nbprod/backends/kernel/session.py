"""The capture of one run: what the engine calls before, between and behind the cells."""

from __future__ import annotations

import builtins
import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .files import Opened, local_modules
from .measured import metrics_in, peak_memory, versions
from .points import NAME, Points
from .recorder import Kept, Recorder

KEEPING = "nbprod_kept.estimators"
MODEL = ".model.skops"
OWN_LIBRARIES = ("xgboost", "lightgbm", "catboost", "imblearn", "category_encoders")
ROLE_MAGICS = ("parameters", "data", "features", "train", "evaluate", "explore")


class Session:
    """The capture of one run: what the engine calls between cells."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
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
                self._write_model(call, folder, stem)
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
                    **self._not_taken(call),
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
            call.update(estimator=one["estimator"], **self._not_taken(one))
            if one["has_result"]:
                call["result"] = None
            recorder.stems.append(one["stem"])
            recorder.calls.append(call)

    def _served_calls(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The last training, and the predictions made after it by the object that was trained, or by one that it holds.

        The same call may predict with others, as in a loop over several models.
        """
        kinds = {place["key"]: place["kind"] for place in self.plan["places"]}
        fits = [n for n, call in enumerate(self.recorder.calls) if kinds[call["key"]] == "fit"]
        last = fits[-1] if fits else -1
        fit = self.recorder.calls[last] if fits else None
        later = [
            call for call in self.recorder.calls[last + 1 :] if kinds[call["key"]] == "predict" and "result" in call
        ]
        own = [call for call in later if fit is not None and _is_of(call["receiver"], fit["receiver"])]
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
            **self._not_taken(call),
        }

    @staticmethod
    def _not_taken(call: dict[str, Any]) -> dict[str, Any]:
        """Why the trained model of a call could not be kept, where that is so."""
        return {"not_taken": call["not_taken"]} if "not_taken" in call else {}

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
        self._write_model(call, folder, stem)
        return self._write(self._call(call), folder, stem, notes)

    def _write_model(self, call: dict[str, Any], folder: str, stem: str) -> None:
        """Keep the estimator as its training left it; where that can't be done, the package trains one of its own."""
        if "fitted" not in call:
            return
        fitted = call.pop("fitted")
        try:
            estimators = self.estimators()
            estimators.save_estimator(fitted, Path(folder, stem + MODEL), OWN_LIBRARIES)
        except Exception as fault:  # noqa: BLE001 - estimators of any class stand in notebooks; the reason is told
            call["not_taken"] = str(fault)

    def estimators(self) -> Any:
        """The module that keeps fitted estimators, loaded when something is to be kept."""
        if KEEPING not in sys.modules:
            # What the notebook itself has not imported is none of its libraries.
            self.not_of_notebook = {"skops"} - sys.modules.keys()
        return importlib.import_module(KEEPING)

    def _write(self, value: Any, folder: str, stem: str, notes: list[str]) -> bool:
        try:
            # Only now: the codec imports pandas, which is for the cells to do first.
            importlib.import_module("nbprod_kept.codec").dump(value, folder, stem)
        except Exception as fault:  # noqa: BLE001 - values of any class stand in notebooks; the note tells which
            notes.append(f"{stem} could not be kept: {type(fault).__name__}: {fault}")
            return False
        return True

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


def _is_of(model: Any, trained: Any) -> bool:
    """Whether a model is what was trained, or what that has made, as a search its best estimator."""
    held = getattr(trained, "__dict__", {})
    return model is trained or any(value is model for value in held.values())


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
