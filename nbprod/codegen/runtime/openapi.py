"""The OpenAPI 3.1 description of a service, with the contract's record and a training row as example."""

from __future__ import annotations

from typing import Any

from .bodies import ARROW_STREAM, PARQUET, TITLES
from .protocols import OUTPUT, OpenInference

SUMMARIES = {
    "/": "What is here",
    "/contract": "Raw columns, ranges, categories and features",
    "/health": "Whether the process lives",
    "/ready": "Whether the pipeline is loaded and answers as when it was fitted",
    "/version": "Name, version and digest of what answers",
    "/ping": "Whether the pipeline is loaded, as clients of MLflow ask",
    "/v2": "The server, as the Open Inference Protocol has it",
    "/v2/health/live": "Whether the process lives",
    "/v2/health/ready": "Whether the pipeline is loaded",
}
REFUSALS = (400, 408, 413, 415, 422, 500, 503)


def openapi(pipeline: Any) -> dict[str, Any]:
    """The description of the service of a pipeline."""
    contract = pipeline.contract
    example = {
        name: value
        for name, value in pipeline.example().items()
        if name in contract.required or (value is not None and name != contract.target)
    }
    paths: dict[str, Any] = {path: {"get": _get(path, summary)} for path, summary in SUMMARIES.items()}
    for path in ("/ready", "/ping", "/v2/health/ready", "/version", "/contract", "/"):
        paths[path]["get"]["responses"]["503"] = _problem(503)
    paths["/predict"] = {"post": _predict(contract, example)}
    paths["/invocations"] = {"post": _invocations(example)}
    model = f"/v2/models/{contract.name}"
    paths[model] = {"get": _get("/v2/models", "The model's inputs and outputs")}
    paths[f"{model}/ready"] = {"get": _get("/v2/models/ready", "Whether the model is loaded")}
    paths[f"{model}/infer"] = {"post": _infer(contract, example)}
    for operation in (paths[model]["get"], paths[f"{model}/ready"]["get"]):
        operation["responses"]["503"] = _problem(503)
    return {
        "openapi": "3.1.0",
        "info": {"title": contract.name, "version": f"{pipeline.version}+{contract.digest[:12]}".rstrip("+")},
        "paths": paths,
        "components": {"schemas": _schemas(contract, example)},
    }


def _get(path: str, summary: str) -> dict[str, Any]:
    name = path.strip("/").replace(".json", "").replace("/", "_") or "index"
    return {
        "summary": summary,
        "operationId": name,
        "responses": {"200": {"description": "OK", **_content({"type": "object"})}},
    }


def _predict(contract: Any, example: dict[str, Any]) -> dict[str, Any]:
    record = {"$ref": "#/components/schemas/Record"}
    many = {"type": "array", "items": record}
    wrapped = {
        "type": "object",
        "required": ["records"],
        "properties": {"records": many},
        "additionalProperties": False,
    }
    forms = [record, many, wrapped]
    # an empty object is a record as well where nothing is required
    body = {"oneOf": forms} if contract.required else {"anyOf": forms}
    table = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "Predict for one record or many",
        "operationId": "predict",
        **({} if contract.classes is None else {"parameters": [_CHANCES]}),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": body, "example": {"records": [example]}},
                ARROW_STREAM: table,
                PARQUET: table,
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {
                "description": "One prediction for each record",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
                    ARROW_STREAM: table,
                },
            },
            **{str(status): _problem(status) for status in REFUSALS},
        },
    }


def _invocations(example: dict[str, Any]) -> dict[str, Any]:
    split = {"columns": list(example), "data": [list(example.values())]}
    schema = {
        "type": "object",
        "properties": {
            "dataframe_split": {
                "type": "object",
                "required": ["columns", "data"],
                "properties": {
                    "columns": {"type": "array", "items": {"type": "string"}},
                    "data": {"type": "array", "items": {"type": "array", "items": {}}},
                },
            },
            "dataframe_records": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
            "instances": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
            "inputs": {},
        },
    }
    told = {"type": "object", "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}}}
    return {
        "summary": "Predict as clients of MLflow ask",
        "operationId": "invocations",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": {"dataframe_split": split}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {
                "description": "One prediction for each row",
                **_content({"type": "object", "required": ["predictions"], "properties": {"predictions": _LIST}}),
            },
            **{str(each): {"description": TITLES[each], **_content(told)} for each in REFUSALS if each != 422},
        },
    }


def _infer(contract: Any, example: dict[str, Any]) -> dict[str, Any]:
    kinds = {each["name"]: each["datatype"] for each in OpenInference.metadata(_NOBODY, (), contract)["inputs"]}
    inputs = [
        {"name": name, "shape": [1], "datatype": kinds[name], "data": [value]}
        for name, value in example.items()
        if name in kinds
    ]
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": _LIST,
        },
    }
    tensors = {"type": "array", "items": tensor}
    asked = {"type": "object", "required": ["inputs"], "properties": {"id": {"type": "string"}, "inputs": tensors}}
    given = {
        "type": "object",
        "required": ["model_name", "outputs"],
        "properties": {
            **{name: {"type": "string"} for name in ("model_name", "model_version", "id")},
            "outputs": tensors,
        },
    }
    told = {"type": "object", "properties": {"error": {"type": "string"}}}
    return {
        "summary": f"Predict by the Open Inference Protocol; the output is {OUTPUT!r}",
        "operationId": "infer",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": asked, "example": {"inputs": inputs}}},
        },
        "responses": {
            "200": {"description": "One prediction for each row", **_content(given)},
            **{str(each): {"description": TITLES[each], **_content(told)} for each in REFUSALS if each != 422},
        },
    }


def _schemas(contract: Any, example: dict[str, Any]) -> dict[str, Any]:
    fault = {name: {"type": "string"} for name in ("field", "kind", "message", "severity")}
    faults = {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}
    return {
        "Record": {**contract.json_schema(), "examples": [example]},
        "Answer": {
            "type": "object",
            "required": ["predictions", "version", "digest", "flags", "request_id"],
            "properties": {
                **{name: {"type": "string"} for name in ("name", "version", "digest", "request_id")},
                "predictions": _LIST,
                "flags": faults,
                "classes": _LIST,
                "probabilities": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            },
        },
        "Fault": {"type": "object", "properties": {"row": {"type": "integer"}, **fault}},
        "Problem": {
            "type": "object",
            "properties": {
                **{name: {"type": "string"} for name in ("type", "title", "detail")},
                "status": {"type": "integer"},
                "faults": faults,
            },
        },
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": TITLES[status], "content": {"application/problem+json": {"schema": schema}}}


_CHANCES = {
    "name": "probabilities",
    "in": "query",
    "description": "Whether the probabilities of the classes are given as well, where the model has them",
    "schema": {"type": "boolean", "default": False},
}
_LIST: dict[str, Any] = {"type": "array", "items": {}}
_NOBODY = {"name": "", "version": "", "digest": ""}
