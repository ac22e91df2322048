"""The runtime of an exported package, on a small package written by hand."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbprod.codegen.runtime import estimators

SAMPLE = Path(__file__).with_name("sample.py")


def load_sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("runtime_sample", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sample = load_sample()


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package, fitted on 300 rows, saved, and loaded again."""
    root = tmp_path_factory.mktemp("pipelines")
    sample.assemble(root)
    with sample.imported(root, "houses") as package:
        package.train(sample.frame()).save(frame=sample.frame())
        yield package


@pytest.fixture(scope="module")
def pipeline(houses: Any) -> Any:
    return houses.load()


def record() -> dict[str, Any]:
    row = sample.frame().drop(columns="price").iloc[0]
    return {key: value.item() if hasattr(value, "item") else value for key, value in row.items()}


def test_a_loaded_pipeline_gives_what_the_fitted_one_gave(houses: Any, pipeline: Any) -> None:
    fitted = houses.train(sample.frame())
    rows = sample.frame(seed=1)

    pd.testing.assert_frame_equal(pipeline.transform(rows), fitted.transform(rows), check_exact=True)
    assert np.array_equal(pipeline.predict(rows), fitted.predict(rows))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d.iloc[::-1], id="another order of rows"),
        pytest.param(lambda d: d[d.columns[::-1]], id="another order of columns"),
        pytest.param(lambda d: d.assign(more=1), id="one column more"),
        pytest.param(lambda d: d.drop(columns=["price", "note"]), id="columns that no feature needs left out"),
        pytest.param(lambda d: d.set_axis(range(1000, 1000 + len(d))), id="another index"),
        pytest.param(lambda d: d.astype({"age": float}), id="floats for integers"),
        pytest.param(lambda d: d.astype({"age": "Int64"}), id="integers that know NA"),
        pytest.param(lambda d: d.astype({"kind": "category", "heating": "category"}), id="categories for text"),
        pytest.param(lambda d: d.astype({"kind": object, "street": object}), id="objects for text"),
    ],
)
def test_rows_mean_the_same_in_another_form(pipeline: Any, change: Any) -> None:
    rows = sample.frame(seed=2)
    changed = change(rows)
    back = pipeline.transform(changed).to_numpy()
    order = np.argsort(changed.index.to_numpy()) if len(changed) == len(rows) else slice(None)

    assert np.array_equal(back[order], pipeline.transform(rows).to_numpy())


def test_one_row_is_the_row_of_the_batch(pipeline: Any) -> None:
    rows = sample.frame(seed=3)
    whole = pipeline.transform(rows)

    for position in range(0, len(rows), 11):
        one = pipeline.transform(rows.iloc[[position]])
        pd.testing.assert_frame_equal(one, whole.iloc[[position]], check_exact=True)


def test_no_rows_give_no_rows_with_the_same_columns(pipeline: Any) -> None:
    empty = pipeline.transform(sample.frame().iloc[:0])

    assert empty.shape == (0, 9)
    assert pipeline.predict(sample.frame().iloc[:0]).shape == (0,)


def test_the_features_are_a_citizen_of_scikit_learn(houses: Any) -> None:
    features = importlib.import_module("houses.v0001.features").Features()
    frame = sample.frame()

    model = make_pipeline(clone(features), LinearRegression()).fit(frame, frame["price"])
    assert model.predict(frame.iloc[:3]).shape == (3,)
    assert features.get_params() == {}
    assert list(clone(features).fit(frame).get_feature_names_out()) == list(features.output_names)


def test_threads_do_not_share_a_cursor(pipeline: Any) -> None:
    rows = sample.frame(seed=4)
    expected = pipeline.predict(rows)
    wrong: list[int] = []

    def work() -> None:
        for _ in range(5):
            if not np.array_equal(pipeline.predict(rows), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_fresh_interpreter_without_nbprod_predicts_the_same(houses: Any, pipeline: Any) -> None:
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); sys.modules['nbprod'] = None; import houses\n"
        "print(json.dumps(float(houses.load().predict_one(json.loads(sys.argv[2])))))"
    )
    root = str(Path(houses.__file__).parent.parent)
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code, root, json.dumps(record())], capture_output=True, text=True, check=True
    )

    assert json.loads(answer.stdout) == pipeline.predict_one(record())


@pytest.mark.parametrize(
    "change, field, kind",
    [
        pytest.param({"area": "wide"}, "area", "type", id="text for a number"),
        pytest.param({"sold": None}, "sold", "null", id="null that the code leaves missing"),
        pytest.param({"heating": None}, "heating", "null", id="null on which the code raises"),
        pytest.param({"heating": 3}, "heating", "type", id="a number for text"),
        pytest.param({"rooms": True}, "rooms", "type", id="a truth value for a number"),
        pytest.param({"sold": ...}, "sold", "missing", id="a field left out"),
    ],
)
def test_what_the_contract_refuses(pipeline: Any, change: dict[str, Any], field: str, kind: str) -> None:
    given = {**record(), **change}
    given = {key: value for key, value in given.items() if value is not ...}

    faults = [fault for fault in pipeline.contract.validate([given]) if fault.severity == "error"]
    assert [(fault.field, fault.kind) for fault in faults] == [(field, kind)]


@pytest.mark.parametrize(
    "change, kind",
    [
        pytest.param({"area": 10_000.0}, "range", id="a value beyond training's"),
        pytest.param({"heating": "oil"}, "unseen", id="a category training did not see"),
        pytest.param({"rooms": None}, "null", id="null that training did not have and the code fills"),
    ],
)
def test_what_the_contract_flags(pipeline: Any, change: dict[str, Any], kind: str) -> None:
    assert [fault.kind for fault in pipeline.contract.validate([{**record(), **change}])] == [kind]


def test_a_state_that_was_changed_is_not_loaded(houses: Any, tmp_path: Path) -> None:
    folder = Path(houses.__file__).parent / "v0001"
    path = folder / "state/learned.json"
    text = path.read_text()
    module = importlib.import_module("houses.v0001.runtime.pipeline")
    try:
        path.write_text(text.replace("area_median", "area_medium"))
        with pytest.raises(module.StateError, match=r"learned\.json"):
            module.Pipeline.load()
    finally:
        path.write_text(text)


@contextlib.contextmanager
def fitted_with(houses: Any, **versions: str) -> Iterator[None]:
    """The state as if other versions of libraries had fitted it."""
    path = Path(houses.__file__).parent / "v0001/state/fitted.json"
    text = path.read_text()
    fitted = json.loads(text)
    try:
        path.write_text(json.dumps({**fitted, "versions": {**fitted["versions"], **versions}}))
        yield
    finally:
        path.write_text(text)


def test_other_versions_of_libraries_are_one_warning(houses: Any) -> None:
    with (
        fitted_with(houses, **{"scikit-learn": "1.2.0", "numpy": "1.20.0"}),
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        houses.load()

    (warning,) = said
    assert "numpy 1.20.0 (now " in str(warning.message)
    assert "scikit-learn 1.2.0 (now " in str(warning.message)


def test_the_same_versions_of_libraries_are_no_warning(houses: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        houses.load()


def test_estimators_of_another_scikit_learn_warn_of_nothing_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.base.__version__", "1.2.0")
        estimators.save_estimator(LinearRegression().fit([[0.0], [0.0]], [1.0, 1.0]), tmp_path / "model.skops")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert estimators.load_estimator(tmp_path / "model.skops").intercept_ == 1.0


class OfAnother:
    """No class of the package."""


def test_an_instance_of_a_class_of_the_package_is_kept_by_its_attributes(houses: Any, tmp_path: Path) -> None:
    codec, kept, features = (
        importlib.import_module(f"houses.v0001.{name}") for name in ("runtime.codec", "runtime.estimators", "features")
    )

    class Filled:
        def __init__(self, needed: object) -> None:
            self.needed = needed

    class Sized(Filled):
        __slots__ = ("size",)

    class Counted(deque):
        pass

    for each in (Filled, Sized, Counted):
        each.__module__, each.__qualname__ = features.__name__, each.__name__
        setattr(features, each.__name__, each)
    filled, sized = Filled(1), Sized(2)
    filled.medians = pd.Series({"a": 1.5, "b": np.nan})
    filled.scale = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    tree = codec.Writer(tmp_path, "x", other=kept.encoder()).encode(filled)

    def raising(*_args: object) -> None:
        raise AssertionError("code of the class runs")

    for method in ("__new__", "__init__", "__setstate__", "__setattr__"):
        setattr(Filled, method, raising)
    made = codec.Reader(tmp_path, other=kept.decoder()).decode(json.loads(json.dumps(tree)))

    assert type(made) is Filled
    pd.testing.assert_series_equal(made.medians, filled.medians)
    assert made.scale.predict([[3.0]]) == filled.scale.predict([[3.0]])
    for name in ("os.system", "pd", "LearnedTransformer", "nothing", f"{__name__}.OfAnother", "__class__"):
        with pytest.raises(kept.UntrustedTypeError):
            codec.Reader(tmp_path, other=kept.decoder()).decode({**tree, "class": name})
    vars(filled)["itself"] = filled
    for value, why in ((Counted(), "more than"), (sized, "more than"), (filled, "holds itself")):
        with pytest.raises(TypeError, match=f"a {type(value).__name__} (is )?{why}"):
            codec.Writer(tmp_path, "x", other=kept.encoder()).encode(value)


def outside() -> None:
    """No function of the package."""


def test_functions_that_an_instance_holds_are_kept_by_their_names(
    houses: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec, kept, features = (
        importlib.import_module(f"houses.v0001.{name}") for name in ("runtime.codec", "runtime.estimators", "features")
    )

    class Scored:
        pass

    def halved(values: object) -> object:
        return values

    for each in (Scored, halved):
        each.__module__, each.__qualname__ = features.__name__, each.__name__
        monkeypatch.setattr(features, each.__name__, each, raising=False)
    scored = Scored()
    held = {"scoring": accuracy_score, "change": np.log1p, "own": halved, "middle": np.median}
    vars(scored).update(held)
    tree = json.loads(json.dumps(codec.Writer(tmp_path, "x", other=kept.encoder()).encode(scored)))

    made = codec.Reader(tmp_path, other=kept.decoder()).decode(tree)

    assert vars(made) == held
    assert tree["attributes"]["own"] == {"$": "function", "name": "halved"}
    for name in (
        "os.system",
        "numpy.load",
        "sklearn.metrics.nothing",
        "prepare.inner",
        f"{__name__}.outside",
        "Scored",
    ):
        with pytest.raises(kept.UntrustedTypeError):
            codec.Reader(tmp_path, other=kept.decoder()).decode({"$": "function", "name": name})
    for function in (outside, lambda: None, np.load, len, json.loads):
        scored.scoring = function
        with pytest.raises(TypeError, match=r"Scored\.scoring is a .*function"):
            codec.Writer(tmp_path, "x", other=kept.encoder()).encode(scored)
    with pytest.raises(TypeError, match="function"):
        codec.Writer(tmp_path, "x", other=kept.encoder()).encode([accuracy_score])


def test_an_estimator_of_a_trusted_library_is_kept_by_its_attributes_where_skops_keeps_it_not(
    houses: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec, kept = (importlib.import_module(f"houses.v0001.runtime.{name}") for name in ("codec", "estimators"))
    (tmp_path / "encoders_of_somebody.py").write_text(
        "from sklearn.base import BaseEstimator\n\n\n"
        "class Encoder(BaseEstimator):\n"
        "    def fit(self, X):\n        self.mapping_ = X.iloc[:, 0].value_counts()\n        return self\n\n\n"
        "class Helper:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    library = importlib.import_module("encoders_of_somebody")
    encoder = library.Encoder().fit(pd.DataFrame({"a": ["x", "x", "y"]}))

    tree = codec.Writer(tmp_path, "x", other=kept.encoder(["encoders_of_somebody"])).encode(encoder)
    made = codec.Reader(tmp_path, other=kept.decoder(["encoders_of_somebody"])).decode(json.loads(json.dumps(tree)))

    pd.testing.assert_series_equal(made.mapping_, encoder.mapping_)
    with pytest.raises(TypeError, match="mapping_ is a Series"):
        codec.Writer(tmp_path, "x", other=kept.encoder()).encode(encoder)
    for name, trusted in ((tree["class"], ()), ("encoders_of_somebody.Helper", ("encoders_of_somebody",))):
        with pytest.raises(kept.UntrustedTypeError):
            codec.Reader(tmp_path, other=kept.decoder(trusted)).decode({**tree, "class": name})


def test_what_lies_in_the_state_is_never_imported(houses: Any) -> None:
    kept = importlib.import_module("houses.v0001.runtime.estimators")
    planted = Path(kept.__file__).parents[1] / "state" / "planted.py"
    planted.write_text("raise SystemExit('code of the state runs')\nclass Evil: ...\n")
    try:
        for name in ("houses.v0001.state.planted.Evil", "houses.v0001.tests.conftest.Evil"):
            assert not kept.is_trusted(name)
    finally:
        planted.unlink()


def test_what_skops_cannot_keep_within_another_is_named_with_a_way_out(houses: Any, tmp_path: Path) -> None:
    scaler = StandardScaler()
    scaler.medians = pd.Series({"a": 1.0})
    with pytest.raises(TypeError, match=r"Pipeline\.steps\[0\]\[1\]\.medians is a Series: let .*\.to_dict\(\)"):
        estimators.save_estimator(make_pipeline(scaler, LinearRegression()), tmp_path / "model.skops")


def test_the_command_line_warns_in_one_line(houses: Any) -> None:
    root = Path(houses.__file__).parent.parent
    with fitted_with(houses, numpy="1.20.0"):
        done = subprocess.run([sys.executable, "-m", "houses", "info"], cwd=root, capture_output=True, text=True)

    assert done.returncode == 0
    assert re.fullmatch(r"warning: this pipeline was fitted with numpy 1\.20\.0 \(now [\d.]+\)\n", done.stderr)


def test_a_warning_is_one_line_and_comes_once(houses: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module("houses.__main__")
    with warnings.catch_warnings():
        warnings.showwarning = main._warner()
        for _ in range(3):
            warnings.simplefilter("always")
            warnings.warn("the copy\n\nis a copy", stacklevel=1)
            warnings.warn("another", stacklevel=1)

    assert capsys.readouterr().err == "warning: the copy is a copy\nwarning: another\n"


@pytest.fixture(scope="module", params=["uvicorn", "stdlib"])
def service(request: pytest.FixtureRequest, houses: Any) -> Iterator[str]:
    """The package's own server, as a process."""
    root = str(Path(houses.__file__).parent.parent)
    command = [sys.executable, "-m", "houses", "serve", "--port", "0", "--server", request.param]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    while "http://" not in line:
        line = process.stderr.readline()
        assert line, "the server ended"
    threading.Thread(target=process.stderr.read, daemon=True).start()
    url = "http://" + line.partition("http://")[2].split()[0]
    until = time.monotonic() + 60
    while ask(url + "/ready")[0] != 200 and time.monotonic() < until:
        time.sleep(0.1)
    yield url
    process.terminate()
    assert process.wait(20) in (0, -15)


def ask(url: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(url, data=body, headers={"content-type": kind})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def test_the_server_answers(service: str, pipeline: Any) -> None:
    assert [ask(service + path)[0] for path in ("/health", "/ready", "/contract", "/openapi.json", "/nowhere")] == [
        200, 200, 200, 200, 404,
    ]  # fmt: skip
    status, answer = ask(service + "/predict", json.dumps(record()).encode())
    assert (status, answer["predictions"]) == (200, [pipeline.predict_one(record())])
    status, answer = ask(service + "/predict", json.dumps([record(), record()]).encode())
    assert len(answer["predictions"]) == 2


def test_the_server_tells_no_versions(service: str) -> None:
    with urllib.request.urlopen(service + "/health", timeout=20) as answer:
        assert not re.search(r"\d", answer.headers["server"])


def test_a_bad_record_gets_every_fault_by_field(service: str) -> None:
    given = {**record(), "area": "wide", "heating": None}
    del given["sold"]
    status, answer = ask(service + "/predict", json.dumps(given).encode())

    assert status == 422
    assert {(fault["field"], fault["kind"]) for fault in answer["faults"]} == {
        ("area", "type"), ("heating", "null"), ("sold", "missing"),
    }  # fmt: skip


def test_no_body_makes_the_server_fail(service: str) -> None:
    rng = np.random.default_rng(0)
    good = json.dumps(record()).encode()
    bodies = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[[]]",
        b'"text"',
        b"1e999",
        b"NaN",
        b"[" * 5000,
        b"\xff\xfe",
        b'{"records": 3}',
    ]
    for _ in range(60):
        body = bytearray(good)
        for place in rng.integers(0, len(body), rng.integers(1, 6)):
            body[place] = rng.integers(0, 256)
        bodies.append(bytes(body))
    statuses = {ask(service + "/predict", body)[0] for body in bodies}

    assert statuses <= {200, 400, 413, 415, 422}
    assert ask(service + "/health")[0] == 200
