"""The forms in which clients ask: this service's own, MLflow's `/invocations`, and the Open Inference Protocol v2.

Sources: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally (Inference Server Specification) and
https://github.com/kserve/open-inference-protocol (REST, version 2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from .bodies import Problem
from .contract import Contract
from .faults import Fault

OUTPUT = "predict"
_DATATYPES = {
    "BOOL": (bool,),
    **{f"{sign}INT{bits}": (int,) for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": (int, float) for bits in (16, 32, 64)},
    "BYTES": (str,),
}
_OF_KIND = {"integer": "INT64", "number": "FP64", "boolean": "BOOL"}


class Answered(NamedTuple):
    """What a form makes its answer of."""

    identity: dict[str, str]
    request_id: str
    predictions: list[Any]
    flags: list[Fault]
    asked: Any = None


class Own:
    """One record, a list of records, or `{"records": [...]}`."""

    @staticmethod
    def records(payload: Any, contract: Contract) -> list[Any]:
        """The records of a request."""
        if isinstance(payload, dict):
            wrapped = payload.get("records")
            if isinstance(wrapped, list) and contract.column("records") is None:
                return wrapped
            return [payload]
        if isinstance(payload, list):
            return payload
        fault = Fault(0, "", "type", 'send one record, a list of records or {"records": [...]}')
        raise Problem(422, fault.message, [fault])

    @staticmethod
    def answer(given: Answered) -> Any:
        """The body of the answer."""
        return {
            **given.identity,
            "request_id": given.request_id,
            "predictions": given.predictions,
            "flags": [vars(flag) for flag in given.flags],
        }

    @staticmethod
    def problem(problem: Problem) -> tuple[int, Any]:
        """The status and the body of a refusal."""
        return problem.status, problem.body()


class Mlflow:
    """MLflow's scoring protocol: `dataframe_split`, `dataframe_records`, `instances` or `inputs`."""

    @staticmethod
    def records(payload: Any, contract: Contract) -> list[Any]:
        """The records of a request."""
        forms = {"dataframe_split": _of_split, "dataframe_records": _of_list, "instances": _of_list, "inputs": _of_any}
        named = [form for form in forms if isinstance(payload, dict) and form in payload]
        if len(named) != 1:
            raise Problem(400, f"send one of {', '.join(forms)}", title="No rows")
        return forms[named[0]](payload[named[0]], named[0], contract)

    @staticmethod
    def answer(given: Answered) -> Any:
        """The body of the answer; flags stand beside the predictions where there are any."""
        body: dict[str, Any] = {"predictions": given.predictions}
        return {**body, "flags": [vars(flag) for flag in given.flags]} if given.flags else body

    @staticmethod
    def problem(problem: Problem) -> tuple[int, Any]:
        """The status and the body of a refusal, as MLflow's clients read them."""
        status = 400 if problem.status == 422 else problem.status
        code = "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST"
        told = {"error_code": code, "message": _with_faults(problem)}
        return status, {**told, "faults": [vars(fault) for fault in problem.faults]} if problem.faults else told


class OpenInference:
    """The Open Inference Protocol: one input tensor for each raw column, with one element for each row."""

    @staticmethod
    def records(payload: Any, contract: Contract) -> list[Any]:
        """The records of a request."""
        inputs = payload.get("inputs") if isinstance(payload, dict) else None
        if not isinstance(inputs, list) or not inputs:
            raise Problem(400, "`inputs` is a list of tensors, one for each raw column", title="No inputs")
        names = [tensor.get("name") if isinstance(tensor, dict) else None for tensor in inputs]
        for name in names:
            if not isinstance(name, str) or names.count(name) > 1:
                raise Problem(400, f"each input has a name of its own, which {name!r} is not", title="No inputs")
        wanted = payload.get("outputs") or [{"name": OUTPUT}]
        if not isinstance(wanted, list) or any(not isinstance(w, dict) or w.get("name") != OUTPUT for w in wanted):
            raise Problem(400, f"there is one output, {OUTPUT!r}", title="No such output")
        columns = [_elements(tensor, contract) for tensor in inputs]
        if len({len(column) for column in columns}) > 1:
            told = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns))
            raise Problem(400, f"the inputs are of different length: {told}", title="Inputs of different length")
        return [dict(zip(names, row)) for row in zip(*columns)]

    @staticmethod
    def answer(given: Answered) -> Any:
        """The body of the answer."""
        asked = given.asked if isinstance(given.asked, dict) else {}
        data = list(chain(*given.predictions)) if _is_nested(given.predictions) else given.predictions
        shape = [len(given.predictions)]
        if data is not given.predictions:
            shape.append(len(data) // max(1, len(given.predictions)))
        datatype = _datatype(data)
        if datatype == "BYTES":
            data = [value if value is None else str(value) for value in data]
        parameters = {"digest": given.identity["digest"]}
        if given.flags:
            parameters["flags"] = json.dumps([vars(flag) for flag in given.flags])
        return {
            "model_name": given.identity["name"],
            "model_version": given.identity["version"],
            "id": asked["id"] if isinstance(asked.get("id"), str) else given.request_id,
            "parameters": parameters,
            "outputs": [{"name": OUTPUT, "datatype": datatype, "shape": shape, "data": data}],
        }

    @staticmethod
    def problem(problem: Problem) -> tuple[int, Any]:
        """The status and the body of a refusal."""
        return 400 if problem.status == 422 else problem.status, {"error": _with_faults(problem)}

    @staticmethod
    def metadata(identity: dict[str, str], versions: Sequence[str], contract: Contract) -> dict[str, Any]:
        """What is taken and given, as tensors."""
        inputs = [
            {"name": column.name, "datatype": _OF_KIND.get(column.kind, "BYTES"), "shape": [-1]}
            for column in contract.columns
            if column.required
        ]
        classes = list(contract.classes or ())
        datatype = "FP64" if contract.task == "regression" else _datatype(classes)
        return {
            "name": identity["name"],
            "versions": list(versions),
            "platform": "python",
            "inputs": inputs,
            "outputs": [{"name": OUTPUT, "datatype": datatype, "shape": [-1]}],
        }


def _of_split(table: Any, form: str, _: Contract) -> list[Any]:
    columns = table.get("columns") if isinstance(table, dict) else None
    data = table.get("data") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise Problem(400, f"{form} has `columns` and `data`", title="No rows")
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise Problem(400, f"the columns of {form} are names, each of which stands once", title="No rows")
    for row, values in enumerate(data):
        if not isinstance(values, list) or len(values) != len(columns):
            raise Problem(400, f"row {row} of {form} does not have {len(columns)} values", title="No rows")
    return [dict(zip(columns, values)) for values in data]


def _of_list(rows: Any, form: str, _: Contract) -> list[Any]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Problem(400, f"{form} is a list of objects, one for each row", title="No rows")
    return rows


def _of_any(given: Any, form: str, contract: Contract) -> list[Any]:
    """`inputs`: an object of columns, one row as an object of values, or a list of rows."""
    if not isinstance(given, dict):
        return _of_list(given, form, contract)
    lists = [value for value in given.values() if isinstance(value, list)]
    if not lists:
        return [given]
    if len(lists) < len(given) or len({len(values) for values in lists}) > 1:
        raise Problem(400, f"the columns of {form} are lists of the same length", title="No rows")
    return [dict(zip(given, row)) for row in zip(*given.values())]


def _elements(tensor: dict[str, Any], contract: Contract) -> list[Any]:
    """The elements of an input, one for each row."""
    name, shape, datatype, data = (tensor.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(datatype, str) or datatype not in _DATATYPES:
        told = f"the datatype of input {name!r} is one of {', '.join(_DATATYPES)}, not {datatype!r}"
        raise Problem(400, told, title="No such datatype")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise Problem(400, f"the shape of input {name!r} is a list of whole numbers", title="No shape")
    if not isinstance(data, list):
        raise Problem(400, f"the data of input {name!r} is a list", title="No data")
    if len(shape) == 2 and shape[1] == 1 and _is_nested(data):
        data = list(chain(*data))
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
        raise Problem(
            400, f"input {name!r} has shape {shape}; send [rows], one input for each column", title="No shape"
        )
    if len(data) != shape[0]:
        raise Problem(400, f"input {name!r} has {len(data)} elements, not {shape[0]}", title="No data")
    kinds = _DATATYPES[datatype]
    wrong = next((v for v in data if v is not None and (type(v) not in kinds)), None)
    if wrong is not None:
        raise Problem(400, f"input {name!r} has an element that is no {datatype}: {str(wrong)[:80]!r}", title="No data")
    column = contract.column(str(name))
    if datatype.startswith("FP") and column is not None and column.kind == "integer":
        return [int(value) if isinstance(value, float) and value == value // 1 else value for value in data]
    return data


def _is_nested(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, list) for value in values)


def _datatype(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {bool}:
        return "BOOL"
    if kinds and kinds <= {int}:
        return "INT64"
    return "FP64" if kinds and kinds <= {int, float} else "BYTES"


def _with_faults(problem: Problem) -> str:
    """A problem in one text, with its first faults."""
    told = [f"{fault.field or 'record'} (row {fault.row}): {fault.message}" for fault in problem.faults[:5]]
    if len(problem.faults) > len(told):
        told.append(f"and {len(problem.faults) - len(told)} more")
    return f"{problem.detail}: {'; '.join(told)}" if told else problem.detail
