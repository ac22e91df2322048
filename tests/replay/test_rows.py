"""The compiled form of a fitted package: kept where it answers as the package does, and held to that by the proof."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from nbprod.codegen.runtime.observing import records_of
from nbprod.replay.process import CODEC
from nbprod.replay.runner import rows
from nbprod.replay.runner.compiler.compiling import Compiled, compiled
from nbprod.replay.runner.edges import BASES, MIXED, at_edges
from nbprod.replay.runner.rows import write_rows
from nbprod.replay.runner.subject import Subject, read_captures
from tests.replay.test_replay import NOTEBOOK, Ran, run_in, table


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("churn"), NOTEBOOK)


@pytest.fixture
def subject(ran: Ran, tmp_path: Path) -> Iterator[Subject]:
    """A copy of the fitted package, imported here, and forgotten."""
    path = list(sys.path)
    shutil.copytree(ran.root, tmp_path / "pipelines")
    subject = Subject(tmp_path / "pipelines", "churn", "v0001", read_captures(ran.captures, CODEC))
    subject.open_served()
    yield subject
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] == "churn"]:
        del sys.modules[name]


def silent(*_: object) -> None:
    """Nobody watches."""


def test_a_fit_writes_it_and_tells_what_it_was_held_against(ran: Ran) -> None:
    state = ran.root / "churn/v0001/state"
    fitted = json.loads((state / "fitted.json").read_text())

    assert ran.told["one_row"] == fitted["one_row"]
    assert (fitted["one_row"]["compiled"], fitted["one_row"]["left"]) == (fitted["one_row"]["features"], [])
    assert fitted["one_row"]["rows"] == len(table())
    assert fitted["one_row"]["edges"] > MIXED
    assert fitted["one_row"]["differs"] is None
    assert fitted["files"]["row.py"] == hashlib.sha256((state / "row.py").read_bytes()).hexdigest()
    assert "state/row.py" in ran.told["files"]


def test_a_loaded_pipeline_answers_with_it(subject: Subject) -> None:
    pipeline = subject.served
    records = records_of(subject.raw.head(20))
    expected = pipeline.predict_together(records)
    pipeline.features = pipeline.model = None

    assert [pipeline.predict_one(record) for record in records] == expected


@pytest.mark.parametrize(
    "old, new, told",
    [
        pytest.param("'pro': 2", "'pro': 3", "plan of row", id="a feature of a training row"),
        pytest.param("return 1 if z > 0", "return 1 if z < 0", "(prediction) of row", id="an answer for one"),
        pytest.param("PLAN_MAP[plan]", "PLAN_MAP.get(plan, 0)", "a row with {'plan': ''}", id="a text never met"),
        pytest.param("log1p(spend)", "log1p(abs(spend))", "a row with {'spend': -1", id="a number without a logarithm"),
    ],
)
def test_one_that_answers_otherwise_is_not_kept(
    old: str, new: str, told: str, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = subject.folder / "state"
    subject.served.save(subject.folder)

    def broken(pipeline: Any) -> Compiled:
        found = compiled(pipeline)
        assert found.text.count(old) == 1, found.text
        return replace(found, text=found.text.replace(old, new))

    monkeypatch.setattr(rows, "compiled", broken)

    differs = write_rows(subject, subject.served, silent)["differs"]

    assert differs.startswith(told)
    assert not (state / "row.py").exists()
    assert "row.py" not in json.loads((state / "fitted.json").read_text())["files"]
    assert type(subject.served).load(subject.folder).rows is None


def test_one_that_leaves_most_rows_is_not_kept(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def features(record):\n    raise OddRowError\n\npredict = features\n"
    monkeypatch.setattr(
        rows, "compiled", lambda _: Compiled(text, features=list(subject.served.features.output_names_))
    )

    assert write_rows(subject, subject.served, silent)["differs"] == "160 of 160 rows are left (OddRowError)"


def tampered(ran: Ran, folder: Path, old: str, new: str, count: int = 1) -> Path:
    """A copy of the fitted package whose compiled form has `new` for `old`, listed as if the fit had written it."""
    root = folder / "pipelines"
    shutil.copytree(ran.root, root)
    state = root / "churn/v0001/state"
    text = (state / "row.py").read_text()
    assert text.count(old) == count, text
    (state / "row.py").write_text(text.replace(old, new))
    fitted = json.loads((state / "fitted.json").read_text())
    fitted["files"]["row.py"] = hashlib.sha256((state / "row.py").read_bytes()).hexdigest()
    (state / "fitted.json").write_text(json.dumps(fitted))
    return root


PRO = int(table().query("visits >= 0 and plan == 'pro'").shape[0])


@pytest.mark.parametrize(
    "old, new, feature, wrong",
    [
        pytest.param("'pro': 2", "'pro': 3", "plan", PRO, id="a feature"),
        pytest.param("return 1 if z > 0", "return 1 if z < 0", "(prediction)", 0, id="the model"),
    ],
)
def test_the_proof_holds_it_to_the_package(
    ran: Ran, old: str, new: str, feature: str, wrong: int, tmp_path: Path
) -> None:
    found = ran.replay(tampered(ran, tmp_path, old, new))

    assert found.status == "failed"
    assert found.mismatch.feature == feature
    assert found.rows - found.rows_equal == wrong
    assert next(name for name, passed, _ in found.checks if not passed).endswith("one row without pandas")


@pytest.mark.parametrize(
    "old, new, feature",
    [
        pytest.param("PLAN_MAP[plan]", "PLAN_MAP.get(plan, 0)", "(prediction)", id="a text never met"),
        pytest.param("log1p(spend)", "log1p(abs(spend))", "(prediction)", id="a number without a logarithm"),
        pytest.param("return logistic(z)", "return logistic(-z)", "(probabilities)", id="probabilities nobody asked"),
    ],
)
def test_the_proof_holds_it_to_the_package_at_the_edges(
    ran: Ran, old: str, new: str, feature: str, tmp_path: Path
) -> None:
    found = ran.replay(tampered(ran, tmp_path, old, new))

    assert found.status == "failed"
    assert found.mismatch.feature == feature
    assert found.rows == found.rows_equal


def ended(folder: Path) -> Path:
    """The sign of a fit that has ended."""
    (folder / "fit-ended").touch()
    return folder / "fit-ended"


def test_while_the_fit_holds_it_to_all_rows_the_proof_does_the_rest_and_then_waits(ran: Ran, tmp_path: Path) -> None:
    shutil.copytree(ran.root, tmp_path / "pipelines")
    state, whole = tmp_path / "pipelines/churn/v0001/state", ran.root / "churn/v0001/state"
    (state / "row.py").unlink()
    fitted = json.loads((whole / "fitted.json").read_text())
    (state / "fitted.json").write_text(
        json.dumps({**fitted, "files": {name: each for name, each in fitted["files"].items() if name != "row.py"}})
    )
    heard: list[str] = []

    def tell(what: str, _done: int, _total: int) -> None:
        heard.append(what)
        if what == "predictions":  # nothing is told behind it, but for the variants
            shutil.copytree(whole, state, dirs_exist_ok=True)
            ended(tmp_path)

    found = ran.replay(tmp_path / "pipelines", fit_ended=tmp_path / "fit-ended", on_progress=tell)

    checks = {name: detail for name, _, detail in found.checks}
    assert found.status == "proven"
    assert heard.count("training matrix") == heard.count("predictions") == 1
    assert checks[rows.NAME] == "160 rows, in the fit"
    assert "one JSON record" in checks


@pytest.mark.parametrize(
    "noted, told",
    [
        pytest.param({}, ["160 rows, in the fit", "EDGES rows, in the fit"], id="what the fit has shown counts"),
        pytest.param({"rows": 159}, ["147 rows", "EDGES rows"], id="the fit left a row"),
        pytest.param({"rows": 159, "of_rows": 159}, ["147 rows", "EDGES rows"], id="the fit did not come to a row"),
    ],
)
def test_right_after_the_fit_it_is_not_held_to_the_same_once_more(
    ran: Ran, noted: dict[str, int], told: list[str], tmp_path: Path
) -> None:
    root = tampered(ran, tmp_path, "    city = record['city']\n", "    city = record['city']\n")
    path = root / "churn/v0001/state/fitted.json"
    fitted = json.loads(path.read_text())
    fitted["one_row"].update(noted)
    path.write_text(json.dumps(fitted))

    found = ran.replay(root, fit_ended=ended(tmp_path))

    checks = {name: detail for name, _, detail in found.checks}
    assert found.status == "proven"
    assert [checks[rows.NAME], checks[rows.AT_EDGES]] == [
        each.replace("EDGES", str(fitted["one_row"]["edges"])) for each in told
    ]
    assert all("in the fit" not in detail for _, _, detail in ran.replay(root).checks)


def test_the_proof_holds_a_linear_model_where_rounding_decides(ran: Ran, tmp_path: Path) -> None:
    text = (ran.root / "churn/v0001/state/row.py").read_text()
    (bound,) = re.findall(r"decided\(z, .*\)\n", text)

    found = ran.replay(tampered(ran, tmp_path, bound, "decided(z)\n"))

    assert found.status == "failed"
    assert next(name for name, passed, _ in found.checks if not passed) == rows.AT_EDGES


TREE = NOTEBOOK.replace(
    "from sklearn.linear_model import LogisticRegression", "from sklearn.ensemble import RandomForestClassifier"
).replace("LogisticRegression(max_iter=500)", "RandomForestClassifier(3, max_depth=4, random_state=0)")


def test_the_proof_holds_a_tree_to_the_model_at_its_thresholds(tmp_path: Path) -> None:
    ran = run_in(tmp_path, TREE)
    text = (ran.root / "churn/v0001/state/row.py").read_text()
    threshold = re.findall(r"f\d+ <= -?[\d.]+", text)[0]
    assert ran.replay().status == "proven"

    old = f"if {threshold} else"
    root = tampered(ran, tmp_path / "changed", old, old.replace("<=", "<"), count=text.count(old))
    found = ran.replay(root)

    assert found.status == "failed"
    assert next(name for name, passed, _ in found.checks if not passed) == rows.AT_EDGES


def test_the_proof_serves_with_pandas_what_it_leaves(ran: Ran, tmp_path: Path) -> None:
    root = tampered(ran, tmp_path, "    city = record['city']\n", "    city = record['city']\n    {'Bern': 1}[city]\n")

    checks = {name: detail for name, passed, detail in ran.replay(root).checks if passed}

    answered = int((table().query("visits >= 0")["city"] == "Bern").sum())
    assert checks["one row without pandas"] == f"{answered} rows"


@dataclass(frozen=True)
class Field:
    """A column of a contract."""

    name: str
    kind: str = "number"
    required: bool = True
    min: Any = None
    max: Any = None
    categories: tuple[str, ...] | None = None


def test_rows_at_the_edges_change_one_field_then_several() -> None:
    columns = [Field("a", min=0.25, max=7.5), Field("b", "text", categories=("one", "two")), Field("c", required=False)]
    records = [{"a": float(number), "b": "one", "c": number} for number in range(BASES)]

    made = at_edges(columns, records)

    single, mixed = made[:-MIXED], made[-MIXED:]
    assert {len(each.changed) for each in single} == {1}
    assert {tuple(sorted(each.changed)) for each in mixed} == {("a", "b")}
    assert {0.25, 7.5, 0.0, 1e300} <= {each.changed["a"] for each in single if _is(float, each.changed.get("a"))}
    assert {"one", "two", "", "never seen"} <= {each.changed["b"] for each in single if _is(str, each.changed.get("b"))}
    assert all(each.record == {**each.ordinary, **each.changed} for each in made)
    assert at_edges(columns, records) == made


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)


@dataclass
class Own:
    """A pipeline that takes no batch with a negative number in it; `asked` are the sizes of those it was asked."""

    asked: list[int] = field(default_factory=list)

    def predict_together(self, records: list[dict[str, Any]]) -> list[Any]:
        self.asked.append(len(records))
        if any(record["a"] < 0 for record in records):
            raise ValueError("negative")
        return [record["a"] * 2 for record in records]


def test_rows_that_the_package_refuses_are_found_half_by_half() -> None:
    own = Own()
    records = [{"a": number if number != 40 else -1} for number in range(64)]

    answers = list(rows._own_answers(own.predict_together, records))

    assert answers == [number * 2 if number != 40 else rows.REFUSED for number in range(64)]
    assert len(own.asked) == 13


def test_rows_that_training_drops_are_no_hindrance_to_hold_it_against_the_others(tmp_path: Path) -> None:
    """The model takes no gaps, and training drops the rows that have some."""
    text = NOTEBOOK.replace('df["age"] = df["age"].fillna(df["age"].median())', 'df = df.dropna(subset=["age"])')
    whole = table()
    kept = int(whole["age"].notna().sum())

    told = run_in(tmp_path, text.replace('df["band"] = pd.qcut(df["age"], 4, labels=False)\n', "")).told["one_row"]

    assert (told["written"], told["differs"]) == (True, None)
    assert (told["rows"], told["of_rows"]) == (kept, kept)
    assert kept < len(whole)
