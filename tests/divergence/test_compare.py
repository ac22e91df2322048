import ast
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from nbprod.divergence import compare, describe, diff_versions
from nbprod.model.finding import Verdict


@dataclass(frozen=True)
class Notebook:
    """A notebook as its manifest: cells of statements, the features that they make, and the model."""

    steps: tuple[tuple[int, int, str], ...]
    features: dict[str, tuple[int, ...]]
    training: tuple[tuple[int, int, str], ...] = ()
    model: str = "model = LogisticRegression(C=1.0).fit(X, y)"
    model_steps: tuple[tuple[int, int, str], ...] = ()
    estimator: str = "sklearn.linear_model.LogisticRegression"
    target: str = "Survived"
    answer: str | None = None
    raw: str = 'pd.read_csv("titanic.csv")'
    open_steps: dict[int, str] = field(default_factory=dict)
    frame: str = "df"
    nbprod: str = "0.1.0"
    note: str = ""

    def manifest(self) -> dict[str, Any]:
        steps = [self._step(place, "row") for place in self.steps]
        steps += [self._step(place, "train-only") for place in self.training]
        for index, status in self.open_steps.items():
            steps[index]["status"] = status
        features = [
            {
                "name": name,
                "digest": digest(self.raw, *(self.steps[i][2] for i in own)),
                "steps": list(own),
                "inputs": [],
            }
            for name, own in self.features.items()
        ]
        place = {"cell": 9, "cell_id": "c9", "line": 1}
        built = [
            {"cell": cell, "cell_id": f"c{cell}", "line": line, "source": source}
            for cell, line, source in self.model_steps or ((9, 1, self.model),)
        ]
        model = "\n".join(each["source"] for each in built)
        return {
            "schema": 1,
            "nbprod": self.nbprod,
            "name": "titanic",
            "notebook": "titanic.ipynb",
            "digest": digest(*(feature["digest"] for feature in features), self.target, self.note),
            "training_digest": digest(model, *(source for _, _, source in self.training)),
            "target": self.target,
            "answer": self.answer,
            "inputs": ["Age", "Fare"],
            "raw": {"cell": 0, "cell_id": "c0", "line": 2, "name": self.frame, "call": self.raw},
            "features": features,
            "steps": steps,
            "model": {"name": "model", "estimator": self.estimator, "text": "", "source": model, "steps": built}
            | place,
        }

    def _step(self, place: tuple[int, int, str], binding: str) -> dict[str, Any]:
        cell, line, source = place
        return {
            "cell": cell,
            "cell_id": f"c{cell}",
            "line": line,
            "end_line": line + source.count("\n"),
            "binding": binding,
            "status": "proven",
            "source": source,
        }

    def edit(self, index: int, source: str) -> "Notebook":
        cell, line, _ = self.steps[index]
        return replace(self, steps=(*self.steps[:index], (cell, line, source), *self.steps[index + 1 :]))


def digest(*texts: str) -> str:
    """Equal for equal syntax, with a column's two spellings and the frame's names taken as one."""
    normal = []
    for text in texts:
        with suppress(SyntaxError):
            text = ast.unparse(ast.parse(text))
        normal.append(text.replace("data", "df").replace("df['Age']", "df.Age"))
    return hashlib.blake2b("\0".join(normal).encode(), digest_size=16).hexdigest()


FILL_AGE = 'df["Age"] = df["Age"].fillna(df["Age"].median())'
FILL_FARE = 'df["Fare"] = df["Fare"].fillna(0)'
LOOP = """for c in ["SibSp", "Parch"]:
    # both are counts
    df[c] = df[c].fillna(0)
    df[c] = df[c].clip(0, 5)"""
SELECT = 'X = df[["Age", "Fare", "SibSp", "Parch"]]'

TITANIC = Notebook(
    steps=((2, 1, FILL_AGE), (2, 2, FILL_FARE), (3, 4, LOOP), (4, 1, SELECT)),
    features={"Age": (0, 3), "Fare": (1, 3), "SibSp": (2, 3), "Parch": (2, 3)},
    training=((8, 1, "X, _, y, _ = train_test_split(X, y, random_state=0)"),),
)


def places(comparison: Any) -> set[tuple[Any, ...]]:
    return {(each.feature, each.kind, each.cell, each.line, each.before, each.after) for each in comparison.divergences}


def against(new: Notebook, old: Notebook = TITANIC, **options: Any) -> Any:
    return compare(new.manifest(), old.manifest(), **options)


def test_the_same_notebook_is_the_same() -> None:
    comparison = against(TITANIC)
    assert (comparison.verdict, comparison.divergences) == (Verdict.SAME, ())
    assert (comparison.notebook, comparison.package) == ("titanic.ipynb", "titanic")


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(TITANIC.edit(1, 'df["Fare"]  =  df["Fare"].fillna( 0 )  # none'), id="layout and a comment"),
        pytest.param(TITANIC.edit(0, "df.Age = df.Age.fillna(df.Age.median())"), id="another spelling of a column"),
        pytest.param(
            replace(TITANIC, model="model = LogisticRegression(\n    C=1.0,\n).fit(X, y)"), id="layout of the model"
        ),
    ],
)
def test_another_wording_is_cosmetic(new: Notebook) -> None:
    assert (against(new).verdict, against(new).divergences) == (Verdict.COSMETIC, ())


def test_statements_that_moved_to_other_cells_are_the_same() -> None:
    moved = replace(TITANIC, steps=tuple((cell + 3, line + 1, source) for cell, line, source in TITANIC.steps))
    assert against(moved).verdict == Verdict.SAME


@pytest.mark.parametrize(
    "new, expected",
    [
        pytest.param(
            replace(TITANIC, model="model = LogisticRegression(C=0.5).fit(X, y)"),
            ("(model)", "training", 9, 1, TITANIC.model, "model = LogisticRegression(C=0.5).fit(X, y)"),
            id="a hyperparameter",
        ),
        pytest.param(
            replace(TITANIC, training=((8, 1, "X, _, y, _ = train_test_split(X, y, random_state=1)"),)),
            (
                "(training)",
                "training",
                8,
                1,
                "X, _, y, _ = train_test_split(X, y, random_state=0)",
                "X, _, y, _ = train_test_split(X, y, random_state=1)",
            ),
            id="the seed of the split",
        ),
        pytest.param(
            replace(TITANIC, training=(*TITANIC.training, (8, 2, "X = X[X.Fare < 500]"))),
            ("(training)", "training", 8, 2, "", "X = X[X.Fare < 500]"),
            id="an outlier cut of the training rows",
        ),
        pytest.param(
            replace(TITANIC, training=()),
            ("(training)", "training", 9, 1, "X, _, y, _ = train_test_split(X, y, random_state=0)", ""),
            id="a step less",
        ),
    ],
)
def test_what_only_training_does_leaves_serving_as_it_is(new: Notebook, expected: tuple[Any, ...]) -> None:
    comparison = against(new)
    assert comparison.verdict == Verdict.TRAINING_ONLY
    assert places(comparison) == {expected}


def built(penalty: str, **options: Any) -> Notebook:
    """A model that one cell builds and that a later one trains."""
    return replace(
        TITANIC,
        model_steps=((6, 21, f"model = LogisticRegression({penalty})"), (9, 1, "model.fit(X, y)")),
        **options,
    )


@pytest.mark.parametrize(
    "statuses", [pytest.param({}, id="all proven"), pytest.param({0: "assumed"}, id="beside an open step")]
)
def test_a_model_is_told_where_it_is_built(statuses: dict[int, str]) -> None:
    new, old = (built(penalty, open_steps=statuses) for penalty in ("C=0.5", "C=1.0"))
    comparison = against(new, old)
    assert comparison.verdict == Verdict.TRAINING_ONLY
    texts = ("model = LogisticRegression(C=1.0)", "model = LogisticRegression(C=0.5)")
    assert places(comparison) == {("(model)", "training", 6, 21, *texts)}


def test_a_version_without_the_places_of_its_model_is_compared_by_text() -> None:
    new, old = (built(penalty).manifest() for penalty in ("C=0.5", "C=1.0"))
    for manifest in (new, old):
        del manifest["model"]["steps"]
    (found,) = compare(new, old).divergences
    assert (found.feature, found.cell, found.after) == ("(model)", 9, "model = LogisticRegression(C=0.5)")


@pytest.mark.parametrize(
    "new, expected",
    [
        pytest.param(
            TITANIC.edit(0, FILL_AGE.replace("median", "mean")),
            {("Age", "changed", 2, 1, FILL_AGE, FILL_AGE.replace("median", "mean"))},
            id="another statistic",
        ),
        pytest.param(
            TITANIC.edit(0, FILL_AGE.replace("median", "mean")).edit(1, FILL_FARE.replace("0", "1")),
            {
                ("Age", "changed", 2, 1, FILL_AGE, FILL_AGE.replace("median", "mean")),
                ("Fare", "changed", 2, 2, FILL_FARE, FILL_FARE.replace("0", "1")),
            },
            id="two features in adjacent lines",
        ),
        pytest.param(
            TITANIC.edit(2, LOOP.replace("clip(0, 5)", "clip(0, 9)")),
            {
                (name, "changed", 3, 7, "df[c] = df[c].clip(0, 5)", "df[c] = df[c].clip(0, 9)")
                for name in ("SibSp", "Parch")
            },
            id="a line inside of a loop",
        ),
        pytest.param(
            TITANIC.edit(2, LOOP.replace("\n    df[c] = df[c].clip(0, 5)", "")),
            {(name, "changed", 4, 1, "df[c] = df[c].clip(0, 5)", "") for name in ("SibSp", "Parch")},
            id="a removed line points at what follows",
        ),
        pytest.param(
            TITANIC.edit(2, LOOP.replace("    # both are counts\n", "    df[c] = df[c].abs()\n")),
            {(name, "changed", 3, 5, "", "df[c] = df[c].abs()") for name in ("SibSp", "Parch")},
            id="an added line inside of a loop",
        ),
        pytest.param(
            replace(TITANIC, raw='pd.read_csv("titanic.csv", na_values="?")'),
            {
                (name, "changed", 0, 2, TITANIC.raw, 'pd.read_csv("titanic.csv", na_values="?")')
                for name in TITANIC.features
            },
            id="another way of reading the rows",
        ),
        pytest.param(
            Notebook(
                steps=(*TITANIC.steps[:3], (3, 9, 'df["Kin"] = df.SibSp + df.Parch'), TITANIC.steps[3]),
                features={
                    **{n: tuple(4 if i == 3 else i for i in own) for n, own in TITANIC.features.items()},
                    "Kin": (2, 3, 4),
                },
                training=TITANIC.training,
            ),
            {("Kin", "added", 3, 9, "", 'df["Kin"] = df.SibSp + df.Parch')},
            id="an added feature",
        ),
        pytest.param(
            Notebook(
                steps=(TITANIC.steps[0], *TITANIC.steps[2:]),
                features={"Age": (0, 2), "SibSp": (1, 2), "Parch": (1, 2)},
                training=TITANIC.training,
            ),
            {("Fare", "removed", 3, 4, FILL_FARE, "")},
            id="a removed feature",
        ),
        pytest.param(
            replace(TITANIC, target="Age"),
            {("Age", "target", 9, 1, "Survived", "Age")},
            id="another target",
        ),
        pytest.param(
            replace(TITANIC, answer="np.expm1(predicted)", note="turned back"),
            {("(prediction)", "answer", 9, 1, "", "np.expm1(predicted)")},
            id="predictions that are turned back",
        ),
        pytest.param(
            replace(
                TITANIC,
                model="model = RandomForestClassifier().fit(X, y)",
                estimator="sklearn.ensemble.RandomForestClassifier",
            ),
            {
                (
                    "(model)",
                    "model",
                    9,
                    1,
                    "sklearn.linear_model.LogisticRegression",
                    "sklearn.ensemble.RandomForestClassifier",
                )
            },
            id="another kind of model",
        ),
        pytest.param(
            replace(TITANIC, features=dict(reversed(TITANIC.features.items()))),
            {("(order)", "order", 9, 1, "Age, Fare, SibSp, Parch", "Parch, SibSp, Fare, Age")},
            id="another order of the columns",
        ),
    ],
)
def test_what_serving_does_in_another_way_diverges(new: Notebook, expected: set[tuple[Any, ...]]) -> None:
    comparison = against(new)
    assert comparison.verdict == Verdict.DIVERGES
    assert places(comparison) == expected


def test_a_digest_that_no_feature_explains_still_diverges() -> None:
    (found,) = against(replace(TITANIC, note="a module constant")).divergences
    assert (found.feature, found.kind, found.cell) == ("(all)", "changed", 9)


def test_a_renamed_frame_does_not_hide_the_one_statement_that_changed() -> None:
    renamed = replace(
        TITANIC,
        frame="data",
        steps=tuple((cell, line, source.replace("df", "data")) for cell, line, source in TITANIC.steps),
    )
    assert against(renamed).verdict == Verdict.COSMETIC
    changed = renamed.edit(1, 'data["Fare"] = data["Fare"].fillna(1)')
    assert places(against(changed)) == {("Fare", "changed", 2, 2, FILL_FARE, 'data["Fare"] = data["Fare"].fillna(1)')}


def test_a_statement_that_also_moved_is_not_blamed() -> None:
    steps = (TITANIC.steps[1], (2, 9, FILL_AGE.replace("median", "mean")), *TITANIC.steps[2:])
    features = TITANIC.features | {"Age": (1, 3), "Fare": (0, 3)}
    (found,) = against(replace(TITANIC, steps=steps, features=features)).divergences
    assert (found.feature, found.cell, found.line, found.after) == ("Age", 2, 9, FILL_AGE.replace("median", "mean"))


@pytest.mark.parametrize("status", ["assumed", "refused"])
@pytest.mark.parametrize("side", ["the notebook", "the version"])
def test_a_change_in_a_step_that_is_not_known_is_left_to_the_replay(status: str, side: str) -> None:
    new, old = TITANIC.edit(0, "df = odd(df, 2)"), TITANIC.edit(0, "df = odd(df, 1)")
    if side == "the notebook":
        new = replace(new, open_steps={0: status})
    else:
        old = replace(old, open_steps={0: status})
    comparison = against(new, old)
    assert comparison.verdict == Verdict.UNKNOWN
    assert places(comparison) == {("Age", "unknown", 2, 1, "df = odd(df, 1)", "df = odd(df, 2)")}


def test_a_step_that_is_not_known_does_not_hide_what_is() -> None:
    new = replace(TITANIC.edit(0, "df = odd(df)").edit(1, FILL_FARE.replace("0", "1")), open_steps={0: "assumed"})
    comparison = against(new)
    assert comparison.verdict == Verdict.DIVERGES
    assert {(each.feature, each.kind) for each in comparison.divergences} == {("Age", "unknown"), ("Fare", "changed")}


def test_a_step_that_is_not_known_and_did_not_change_is_no_matter() -> None:
    both = replace(TITANIC, open_steps={0: "assumed"})
    assert against(both, both).verdict == Verdict.SAME
    assert against(both.edit(1, FILL_FARE.replace("0", "1")), both).verdict == Verdict.DIVERGES


def test_another_wording_of_a_step_that_is_not_known_is_left_to_the_replay() -> None:
    old = replace(TITANIC, open_steps={0: "assumed"})
    assert against(old.edit(0, FILL_AGE + "  # the same"), old).verdict == Verdict.COSMETIC
    other = old.edit(0, "df = odd(df)").manifest()
    same_digests = {key: old.manifest()[key] for key in ("digest", "features")}
    comparison = compare(other | same_digests, old.manifest())
    assert comparison.verdict == Verdict.UNKNOWN
    assert places(comparison) == {("(all)", "unknown", 2, 1, FILL_AGE, "df = odd(df)")}


def test_another_digest_of_the_same_text_by_another_nbprod_is_unknown() -> None:
    other = TITANIC.manifest() | {"nbprod": "0.2.0", "digest": "other"}
    assert compare(other, TITANIC.manifest()).verdict == Verdict.UNKNOWN


def test_an_edited_package_file_diverges_whatever_the_notebook_says() -> None:
    comparison = against(TITANIC, hand_edits=("features.py",), package="pipelines/titanic/v0001")
    assert (comparison.verdict, comparison.package) == (Verdict.DIVERGES, "pipelines/titanic/v0001")
    assert places(comparison) == {("features.py", "hand-edited", -1, 0, "as exported", "edited by hand")}


@pytest.mark.parametrize("source", ["%matplotlib inline", "df = ", "x = 'unterminated"])
def test_a_step_that_does_not_parse_is_compared_as_text(source: str) -> None:
    old = TITANIC.edit(0, source)
    assert against(old, old).verdict == Verdict.SAME
    assert against(TITANIC.edit(0, source + "  2"), old).verdict == Verdict.DIVERGES


def test_two_versions_are_told_apart_for_people() -> None:
    new = TITANIC.edit(0, FILL_AGE.replace("median", "mean")).edit(1, FILL_FARE.replace("df", "df "))
    new = replace(new, model="model = LogisticRegression(C=2).fit(X, y)")
    manifest = new.manifest() | {"inputs": ["Age", "Cabin"]}
    lines = [describe(each) for each in diff_versions(TITANIC.manifest(), manifest)]
    assert lines == [
        'raw column "Cabin" is read at cell 0, line 2',
        'raw column "Fare" is no longer read at cell 0, line 2',
        'feature "Age" changed at cell 2, line 1',
        "training of the model changed at cell 9, line 1",
    ]


def test_versions_without_a_difference_have_none() -> None:
    assert diff_versions(TITANIC.manifest(), TITANIC.manifest()) == []
