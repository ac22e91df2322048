"""scikit-learn's own tables, made again of their rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from nbprod.backends.kernel.session import as_table
from nbprod.codegen.runtime.sites import Learned

LOADERS = ("load_iris", "load_wine", "load_breast_cancer", "load_diabetes", "load_digits")


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("name", LOADERS)
def test_a_bunch_is_made_of_its_rows(name: str, as_frame: bool, serving: SimpleNamespace) -> None:
    loader = getattr(datasets, name)
    wanted = loader(as_frame=as_frame)
    made = serving.dataset(Learned(), name, loader, as_table(wanted), as_frame=as_frame)

    for part in ("data", "target", "feature_names", "target_names"):
        assert (part in made) == (part in wanted)
        assert np.array_equal(np.asarray(made.get(part)), np.asarray(wanted.get(part)))
        assert type(made.get(part)) is type(wanted.get(part))


@pytest.mark.parametrize("name", LOADERS)
def test_features_and_target_are_made_of_their_rows(name: str, serving: SimpleNamespace) -> None:
    loader = getattr(datasets, name)
    wanted = loader(return_X_y=True)
    made = serving.dataset(Learned(), name, loader, as_table(wanted), return_X_y=True)

    assert all(np.array_equal(one, other) for one, other in zip(made, wanted, strict=True))
    assert made[0].std(axis=0).tolist() == wanted[0].std(axis=0).tolist()


def test_a_table_that_is_made_up_needs_no_loader(serving: SimpleNamespace) -> None:
    wanted = datasets.make_moons(20, noise=0.1, random_state=1)
    made = serving.dataset(Learned(), "make_moons", None, as_table(wanted), return_X_y=True)

    assert all(np.array_equal(one, other) for one, other in zip(made, wanted, strict=True))


def test_a_row_without_target_has_the_names_that_training_had(serving: SimpleNamespace) -> None:
    rows = as_table(datasets.load_iris())
    learned = Learned()
    serving.dataset(learned, "load_iris", datasets.load_iris, rows)
    served = serving.dataset(learned.replay(), "load_iris", _not_called, rows.drop(columns="target").iloc[:1])

    assert served.data.tolist() == [[5.1, 3.5, 1.4, 0.2]]
    assert np.isnan(served.target).all()
    assert list(served.target_names) == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pd.DataFrame({"a": [1]}), id="a frame"),
        pytest.param({"data": np.zeros((2, 3, 3)), "target": np.zeros(2)}, id="pictures"),
        pytest.param((1, 2, 3), id="three parts"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_is_no_such_table_stays_as_it_is(value: Any) -> None:
    assert as_table(value) is value


def _not_called() -> None:
    raise AssertionError("serving has no need of the loader")
