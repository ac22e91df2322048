"""Which raw rows a package can take: training may have dropped the others, and the feature code raises on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.replay.runner.captured import _servable


class Raises:
    """Takes no row that `bad` tells."""

    def __init__(self, bad: Any) -> None:
        self.bad = bad

    def serve(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.bad(frame).any():
            raise AttributeError("'float' object has no attribute 'split'")
        return frame


def rows() -> pd.DataFrame:
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"a": random.normal(size=4000), "b": random.normal(size=4000)})
    frame.loc[random.random(4000) < 0.1, "a"] = np.nan
    frame.loc[random.random(4000) < 0.1, "b"] = np.nan
    return frame


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda frame: frame["a"].isna(), id="hundreds that lack a value"),
        pytest.param(lambda frame: frame["b"] > 3.2, id="a few with a value that is too large"),
        pytest.param(lambda frame: frame["a"].isna() | (frame["b"] > 3.2), id="both"),
        pytest.param(lambda frame: frame["a"] < -9, id="none"),
        pytest.param(lambda frame: frame["a"].isna() | frame["a"].notna(), id="all"),
    ],
)
def test_the_rows_that_do_not_raise_are_found(bad: Any) -> None:
    frame = rows()
    found = _servable(Raises(bad), frame, np.zeros(len(frame), dtype=bool))  # type: ignore[arg-type]
    expected = np.flatnonzero(~bad(frame))
    if len(expected):
        assert found.tolist() == expected.tolist()
    else:
        assert len(found) == 0


def test_rows_that_reached_the_model_are_found_among_hundreds_that_raise() -> None:
    frame = rows()
    bad = np.random.default_rng(4).random(len(frame)) < 0.15
    raises = Raises(lambda part: np.isin(part.index, np.flatnonzero(bad)))
    found = _servable(raises, frame, ~bad & (frame.index < 3000))  # type: ignore[arg-type]
    assert not bad[found].any()
    assert set(np.flatnonzero(~bad & (frame.index < 3000))) <= set(found.tolist())
