"""The service of a version: the forms in which it is asked, what it takes as a body, and what it refuses how."""

from __future__ import annotations

import importlib
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbprod.codegen.runtime.bodies import ARROW_FILE, ARROW_STREAM, CSV, MOST_EXPANDED, PARQUET, is_safe
from nbprod.codegen.runtime.contract import Column, Contract
from nbprod.codegen.runtime.faults import MOST_FAULTS
from nbprod.codegen.runtime.serve import AT_ONCE_ROWS, Application
from tests.codegen.runtime.asking import Response, ask
from tests.codegen.runtime.sample import assemble, frame, imported


@pytest.fixture(scope="module")
def barns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("pipelines")
    assemble(root, "barns")
    with imported(root, "barns") as package:
        package.train(frame()).save(frame=frame())
        yield package


@pytest.fixture(scope="module")
def pipeline(barns: Any) -> Any:
    return barns.load()


@pytest.fixture
def app(barns: Any, pipeline: Any) -> Any:
    return importlib.import_module("barns.v0001.runtime.serve").Application(lambda: pipeline, limit=100_000)


def rows(count: int = 3) -> pd.DataFrame:
    return frame(count, seed=5).drop(columns="price")


def records(count: int = 3) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(rows(count).to_json(orient="records"))
    return made


def columns_of(count: int = 3) -> dict[str, list[Any]]:
    return {name: [record[name] for record in records(count)] for name in records(count)[0]}


def tensors(count: int = 3, shape: list[int] | None = None) -> list[dict[str, Any]]:
    kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}
    return [
        {
            "name": name,
            "shape": shape or [count],
            "datatype": next(kinds[type(value)] for value in values if value is not None),
            "data": values,
        }
        for name, values in columns_of(count).items()
    ]


def split(count: int = 3) -> dict[str, Any]:
    return {"columns": list(rows(1).columns), "data": [list(record.values()) for record in records(count)]}


def expected(pipeline: Any, count: int = 3) -> list[float]:
    answers: list[float] = pipeline.predict(rows(count)).tolist()
    return answers


@pytest.mark.parametrize(
    "path, body",
    [
        pytest.param("/predict", records(), id="a list of records"),
        pytest.param("/predict", {"records": records()}, id="records in an object"),
        pytest.param("/invocations", {"dataframe_split": split()}, id="columns and data"),
        pytest.param("/invocations", {"dataframe_records": records()}, id="dataframe_records"),
        pytest.param("/invocations", {"instances": records()}, id="instances"),
        pytest.param("/invocations", {"inputs": records()}, id="inputs as rows"),
        pytest.param("/invocations", {"inputs": columns_of(), "params": {}}, id="inputs as columns"),
        pytest.param("/v2/models/barns/infer", {"inputs": tensors()}, id="tensors"),
        pytest.param("/v2/models/barns/infer", {"inputs": tensors(shape=[3, 1])}, id="tensors of one column"),
        pytest.param("/v2/models/barns/versions/1/infer", {"inputs": tensors()}, id="of the version's number"),
        pytest.param("/v2/models/barns/versions/v0001/infer", {"inputs": tensors()}, id="of the version's name"),
    ],
)
def test_each_form_gets_the_same_predictions(path: str, body: Any, app: Any, pipeline: Any) -> None:
    answer = ask(app, path, body)

    assert answer.status == 200, answer.body
    told = answer.json["outputs"][0]["data"] if path.startswith("/v2") else answer.json["predictions"]
    assert told == expected(pipeline)


def test_one_row_may_stand_alone(app: Any, pipeline: Any) -> None:
    alone = [ask(app, "/predict", records(1)[0]), ask(app, "/invocations", {"inputs": records(1)[0]})]

    assert [answer.json["predictions"] for answer in alone] == [expected(pipeline, 1)] * 2


def as_table(made: pd.DataFrame, kind: str) -> bytes:
    if kind == CSV:
        return made.to_csv(index=False).encode()
    sink = io.BytesIO()
    if kind == PARQUET:
        made.to_parquet(sink)
        return sink.getvalue()
    table = pa.Table.from_pandas(made)
    new = pa.ipc.new_file if kind == ARROW_FILE else pa.ipc.new_stream
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize("kind", [CSV, PARQUET, ARROW_FILE, ARROW_STREAM])
@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_a_table_gets_the_predictions_of_its_rows(kind: str, path: str, app: Any, pipeline: Any) -> None:
    answer = ask(app, path, as_table(rows(40), kind), kind=kind)

    assert answer.status == 200, answer.body
    assert answer.json["predictions"] == expected(pipeline, 40)


def test_what_was_text_in_training_is_text_in_csv(app: Any, pipeline: Any) -> None:
    made = rows().assign(street="7")

    assert ask(app, "/predict", as_table(made, CSV), kind=CSV).json["predictions"] == pipeline.predict(made).tolist()


def test_what_the_notebook_reads_as_missing_is_missing_in_csv(app: Any, pipeline: Any) -> None:
    told = rows().assign(area=["?", 90.5, 70])

    answer = ask(app, "/predict", as_table(told, CSV), kind=CSV)

    assert answer.json["predictions"] == pipeline.predict(told.assign(area=[None, 90.5, 70.0])).tolist()


def test_an_arrow_stream_is_given_where_it_is_wanted(app: Any, pipeline: Any) -> None:
    answer = ask(app, "/predict", records(), accept=ARROW_STREAM, x_request_id="r-1")
    table = pa.ipc.open_stream(answer.body).read_all()

    assert answer.headers["content-type"] == ARROW_STREAM
    assert table["prediction"].to_pylist() == expected(pipeline)
    notes = {key.decode(): json.loads(value) for key, value in table.schema.metadata.items()}
    assert (notes["version"], notes["request_id"]) == ("v0001", "r-1")


@pytest.mark.parametrize("kind", [PARQUET, ARROW_FILE, ARROW_STREAM])
def test_a_pyarrow_that_runs_code_of_files_reads_none(kind: str, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pa, "__version__", "14.0.0")
    answer = ask(app, "/predict", as_table(rows(), kind), kind=kind)

    assert (answer.status, "14.0.1 or later, not 14.0.0" in answer.json["detail"]) == (415, True)


@pytest.mark.parametrize(
    "version, expected",
    [("14.0.1", True), ("14.0.0", False), ("9.0.0", False), ("14.0", False), ("25.0.1", True), ("15.0.0.dev3", True)],
)
def test_versions_that_read_without_running(version: str, expected: bool) -> None:
    assert is_safe(version) is expected


@pytest.mark.parametrize(
    "path, body, status, said",
    [
        pytest.param("/invocations", {}, 400, "send one of dataframe_split", id="no rows"),
        pytest.param("/invocations", {"inputs": [], "instances": []}, 400, "send one of", id="two forms"),
        pytest.param("/invocations", {"instances": [[1, 2]]}, 400, "a list of objects", id="values without names"),
        pytest.param(
            "/invocations", {"inputs": {"a": [1], "b": [1, 2]}}, 400, "same length", id="columns of two lengths"
        ),
        pytest.param(
            "/invocations", {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, 400, "row 0", id="a row too long"
        ),
        pytest.param(
            "/invocations", {"dataframe_split": {"columns": ["a", "a"], "data": []}}, 400, "once", id="a name twice"
        ),
        pytest.param(
            "/invocations", {"inputs": {"area": 1.0}}, 400, "age (row 0): this field is required", id="a field"
        ),
        pytest.param("/v2/models/barns/infer", {}, 400, "a list of tensors", id="no tensors"),
        pytest.param(
            "/v2/models/barns/infer", {"inputs": [{}]}, 400, "a name of its own", id="a tensor without a name"
        ),
        pytest.param("/v2/models/shed/infer", {"inputs": tensors()}, 404, "no model 'shed'", id="another model"),
        pytest.param("/v2/models/barns/versions/2/infer", {"inputs": []}, 404, "version '2'", id="another version"),
        pytest.param(
            "/v2/models/barns/infer", {"inputs": tensors(shape=[1, 3])}, 400, "one input for each", id="a matrix"
        ),
        pytest.param("/v2/models/barns/infer", {"inputs": tensors(shape=[4])}, 400, "not 4", id="too few elements"),
        pytest.param(
            "/v2/models/barns/infer",
            {"inputs": [{"name": "area", "shape": [1], "datatype": "FP64", "data": ["wide"]}]},
            400,
            "an element that is no FP64",
            id="an element of another type",
        ),
        pytest.param(
            "/v2/models/barns/infer",
            {"inputs": tensors(), "outputs": [{"name": "p"}]},
            400,
            "one output",
            id="an output",
        ),
    ],
)
def test_a_refusal_is_told_in_the_form_of_the_request(path: str, body: Any, status: int, said: str, app: Any) -> None:
    answer = ask(app, path, body)

    assert answer.status == status
    assert said in answer.json["message" if path == "/invocations" else "error"]


@pytest.mark.parametrize("kind", [CSV, PARQUET, ARROW_FILE, ARROW_STREAM])
def test_bytes_that_are_no_table_are_the_clients_fault(kind: str, app: Any) -> None:
    good, random = as_table(rows(20), kind), np.random.default_rng(0)
    bodies = [b"", b"\x00" * 50, good[:-7], good[7:], good[: len(good) // 2]]
    for _ in range(40):
        body = bytearray(good)
        for place in random.integers(0, len(body), random.integers(1, 6)):
            body[place] = random.integers(0, 256)
        bodies.append(bytes(body))

    assert {ask(app, "/predict", body, kind=kind).status for body in bodies} <= {200, 400, 413, 422}


@pytest.mark.parametrize(
    "kind, value, count",
    [
        pytest.param(PARQUET, 0.0, 100_000 * MOST_EXPANDED + 1, id="parquet, the same number in each row"),
        pytest.param(PARQUET, "x" * 1_000_000, 50, id="parquet, the same long text in each row"),
        pytest.param(ARROW_STREAM, 0.0, 100_000 * MOST_EXPANDED // 8 + 1, id="a compressed stream"),
    ],
)
def test_a_table_that_grows_too_large_is_refused(kind: str, value: Any, count: int, app: Any) -> None:
    made = pd.DataFrame({"area": pd.Series([value]).repeat(count)})
    body = as_table(made, kind) if kind == PARQUET else _compressed(made)

    answer = ask(app, "/predict", body, kind=kind)

    assert len(body) < 100_000
    assert (answer.status, "bytes" in answer.json["detail"]) == (413, True)


def test_a_number_that_pandas_cannot_read_is_the_clients_fault(app: Any) -> None:
    told = as_table(rows().astype(object).assign(age=["9" * 400, 3, 4]), CSV)

    assert ask(app, "/predict", told, kind=CSV).status == 400


@pytest.mark.parametrize("path, key", [("/predict", None), ("/invocations", "instances")])
def test_of_many_faults_the_first_are_told(path: str, key: str | None, app: Any) -> None:
    many: Any = [{}] * 20_000
    answer = ask(app, path, many if key is None else {key: many})

    assert answer.status == (422 if key is None else 400)
    assert len(answer.json["faults"]) == MOST_FAULTS
    assert f"the first {MOST_FAULTS}" in answer.json["detail" if key is None else "message"]


def test_faults_in_a_table_are_bounded_as_well(app: Any) -> None:
    made = pd.concat([rows(1)] * 2_000).assign(heating=None)

    assert len(ask(app, "/predict", as_table(made, PARQUET), kind=PARQUET).json["faults"]) == MOST_FAULTS


@pytest.mark.parametrize("count, most", [(AT_ONCE_ROWS + 1, 10**6), (300, 1)])
def test_what_is_large_is_answered_as_what_is_small(
    count: int, most: int, barns: Any, pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = importlib.import_module("barns.v0001.runtime.serve")
    monkeypatch.setattr(serve, "AT_ONCE_BYTES", most)
    app = serve.Application(lambda: pipeline)
    many = [record | {"new": 1} for record in records(count)]
    answer = ask(app, "/predict", many)

    assert answer.json["predictions"] == expected(pipeline, count)
    assert [flag["row"] for flag in answer.json["flags"] if flag["field"] == "new"] == list(range(count))
    assert ask(app, "/predict", b"[" + b" " * 5).status == 400


def _compressed(made: pd.DataFrame) -> bytes:
    table, sink = pa.Table.from_pandas(made), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(
    "options, status",
    [
        pytest.param({"kind": "text/plain"}, 415, id="a media type that is not known"),
        pytest.param({"kind": "application/json; charset=latin-1"}, 415, id="another encoding"),
        pytest.param({"method": "PUT"}, 405, id="another method"),
        pytest.param({"content_encoding": "gzip"}, 415, id="a body that is packed"),
        pytest.param({"content_encoding": "identity"}, 200, id="a body that says it is not packed"),
        pytest.param({"content_length": "100001"}, 413, id="a length that is too large"),
        pytest.param({"pieces": [(0, b"[")] + [(0, b" " * 50_000)] * 3}, 413, id="a body that grows too large"),
        pytest.param({"pieces": [(0, b"["), (0, b"]")]}, 200, id="a body in pieces"),
    ],
)
def test_the_request_itself_is_held_to_limits(options: dict[str, Any], status: int, app: Any) -> None:
    assert ask(app, "/predict", b"[]", **options).status == status


def test_a_body_that_does_not_come_is_not_waited_for(barns: Any, pipeline: Any) -> None:
    app = importlib.import_module("barns.v0001.runtime.serve").Application(lambda: pipeline, seconds=0.3)

    answer = ask(app, "/predict", pieces=[(0, b"["), (60, b"]")])

    assert (answer.status, answer.headers["connection"]) == (408, "close")


class Slow:
    """A pipeline that takes its time."""

    version, digest = "v0001", ""
    contract = Contract(name="slow", columns=(Column("x", kind="number"),))

    def hold(self) -> None:
        """Nothing to hold."""

    def answer(self, _: Any) -> Any:
        time.sleep(1.0)
        return [1.0], []


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    answer = ask(Application(Slow, seconds=0.2), "/predict", {"x": 1.0})

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "given, is_kept",
    [("abc-1", True), ("a b", False), ("x" * 129, False), ('"', False), ("ä", False)],
)
def test_a_request_has_an_id(given: str, is_kept: bool, app: Any) -> None:
    answer = ask(app, "/predict", records(1), x_request_id=given)

    assert (answer.json["request_id"] == given) is is_kept
    assert answer.headers["x-request-id"] == answer.json["request_id"]
    assert answer.json["request_id"]


@pytest.mark.parametrize(
    "path, told",
    [
        ("/health", {"status": "alive"}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/barns/ready", {"name": "barns", "ready": True}),
        ("/version", {"name": "barns", "version": "v0001", "digest": "0123456789abcdef" * 2}),
    ],
)
def test_what_clients_of_other_servers_ask_is_there(path: str, told: Any, app: Any) -> None:
    assert ask(app, path).json == told


def test_the_models_tensors_are_described(app: Any) -> None:
    told = ask(app, "/v2/models/barns").json

    assert {"name": "age", "datatype": "INT64", "shape": [-1]} in told["inputs"]
    assert {"name": "kind", "datatype": "BYTES", "shape": [-1]} in told["inputs"]
    assert told["outputs"] == [{"name": "predict", "datatype": "FP64", "shape": [-1]}]


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v2/models/barns/infer"])
def test_the_examples_of_the_description_are_answered(path: str, app: Any) -> None:
    described = ask(app, "/openapi.json").json["paths"][path]["post"]
    example = described["requestBody"]["content"]["application/json"]["example"]

    assert ask(app, path, example).status == 200


def test_each_path_is_described(app: Any) -> None:
    served = set(ask(app, "/").json["paths"])
    described = set(ask(app, "/openapi.json").json["paths"])

    assert served - {"/openapi.json"} <= described


@pytest.mark.parametrize(
    "error, status",
    [pytest.param(RuntimeError("no file"), 503, id="a pipeline that cannot be loaded")],
)
def test_a_service_without_its_pipeline_is_not_ready(error: Exception, status: int) -> None:
    def load() -> Any:
        raise error

    app = Application(load)
    told: list[Response] = [ask(app, path) for path in ("/ready",)]

    assert [answer.status for answer in told] == [status]
    assert "no file" in told[0].json["detail"]


def test_a_fault_of_the_pipeline_shows_no_trace_to_clients(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(Slow):
        def answer(self, _: Any) -> Any:
            raise ZeroDivisionError("a secret of the code")

    answer = ask(Application(Broken), "/predict", {"x": 1.0})

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "ZeroDivisionError: a secret of the code" in capsys.readouterr().err


def test_a_report_tells_a_gateway_what_was_answered(app: Any) -> None:
    told: list[Any] = []
    given = SimpleNamespace(report=lambda *each: told.append(each))

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "pipeline": {"id": "i", "report": given.report}}, receive, send)

    ask(asked, "/predict", records(2))
    ask(asked, "/predict", [{}])
    ask(asked, "/predict", as_table(rows(2), PARQUET), kind=PARQUET)

    (first, answers, flags), (refused, none, faults), (table, others, _) = told
    assert (first, len(answers), flags) == (records(2), 2, [])
    assert (refused, none) == ([{}], None)
    assert {fault.kind for fault in faults} == {"missing"}
    assert (len(table), others) == (2, answers)


@pytest.mark.parametrize("value", [3, [], {"a": 1}, True], ids=repr)
def test_a_field_of_which_no_feature_is_made_may_hold_anything(value: Any, app: Any, pipeline: Any) -> None:
    answer = ask(app, "/predict", [{**record, "note": value} for record in records()])

    assert answer.json["predictions"] == expected(pipeline)


def test_what_is_unusual_about_a_refused_record_is_told_too(app: Any) -> None:
    first, second = records(2)

    answer = ask(app, "/predict", [first | {"area": 1e6}, second | {"heating": "oil"}])

    told = {(fault["row"], fault["field"], fault["kind"], fault["severity"]) for fault in answer.json["faults"]}
    assert (answer.status, told) == (422, {(1, "", "refused", "error"), (1, "heating", "unseen", "flag")})


class Sure(Slow):
    """A pipeline of two classes."""

    contract = Contract(name="sure", columns=(Column("x", kind="number"),), classes=("no", "yes"))

    def answer(self, records: Any) -> Any:
        return ["yes"] * len(records), []

    def probabilities(self, records: Any) -> Any:
        return [[0.25, 0.75]] * len(records)


@pytest.mark.parametrize(
    "query, status, told",
    [
        pytest.param("", 200, None, id="not asked for"),
        pytest.param("probabilities=false", 200, None, id="not wanted"),
        pytest.param("probabilities=true", 200, [[0.25, 0.75]], id="wanted"),
        pytest.param("a=b&probabilities=1", 200, [[0.25, 0.75]], id="beside others"),
        pytest.param("probabilities=maybe", 400, None, id="neither"),
    ],
)
def test_probabilities_are_given_where_they_are_asked_for(query: str, status: int, told: Any) -> None:
    answer = ask(Application(Sure), "/predict", {"x": 1.0}, query=query)

    assert (answer.status, answer.json.get("probabilities")) == (status, told)
    assert answer.json.get("classes") == (["no", "yes"] if told else None)


def test_a_model_of_numbers_gives_no_probabilities(app: Any) -> None:
    answer = ask(app, "/predict", records(1), query="probabilities=true")

    assert (answer.status, answer.json["detail"]) == (400, "this pipeline's model gives no probabilities")


def test_a_range_of_doubt_takes_probabilities(barns: Any, tmp_path: Path) -> None:
    pipeline = barns.load()
    pipeline.contract = replace(pipeline.contract, unsure=(0.4, 0.6))

    with pytest.raises(TypeError, match="which a RandomForestRegressor does not give"):
        pipeline.save(tmp_path)
