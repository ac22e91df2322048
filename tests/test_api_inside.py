"""Paths as the browser names them, in the texts that it is shown."""

from __future__ import annotations

import pytest

from nbprod.api.inside import shown_paths


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("{root}/pipelines/rooms/v0001", "pipelines/rooms/v0001", id="a path"),
        pytest.param(
            "rooms was never run: running {root}/rooms.ipynb", "rooms was never run: running rooms.ipynb", id="last"
        ),
        pytest.param("'{root}/a.csv' and ({root}/b.csv)", "'a.csv' and (b.csv)", id="two, quoted"),
        pytest.param("name it: --output={root}/x", "name it: --output=x", id="after an option"),
        pytest.param("nothing in {root}, or below", "nothing in ., or below", id="the folder itself"),
    ],
)
def test_what_lies_below_the_root_is_told_from_there(tmp_path, text, expected):
    assert shown_paths(tmp_path, text.format(root=tmp_path)) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{root}2/rooms.ipynb", id="a folder whose name begins alike"),
        pytest.param("/mnt{root}/rooms.ipynb", id="the end of another path"),
        pytest.param("fitting on 40 rows", id="no path"),
    ],
)
def test_what_lies_elsewhere_stays(tmp_path, text):
    assert shown_paths(tmp_path, text.format(root=tmp_path)) == text.format(root=tmp_path)


def test_the_root_of_a_disk_hides_nothing(tmp_path):
    assert shown_paths(tmp_path.parents[-1], f"running {tmp_path}") == f"running {tmp_path}"
