"""What keeps a notebook from being exported although it can be analysed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.api.exporting import drafted, export_notebook, planned
from nbprod.api.running import run_notebook
from nbprod.api.soundness import modules_of
from nbprod.errors import NbprodError

LOAD = "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\ndf = pd.read_csv('rows.csv')"
FEATURES = "df['a'] = df['a'].fillna(df['a'].median())"
TRAIN = "X = df[['a', 'b']]\ny = df['c']\nmodel = LinearRegression()\nmodel.fit(X, y)"
GONE = TRAIN.replace("'c'", "'gone'")
MADE = LOAD.replace("pd.read_csv", "table_of")


def notebook(folder: Path, *cells: str) -> str:
    (folder / "rows.csv").write_text("a,b,c\n1,2,3\n,3,4\n2,2,5\n")
    path = folder / "work.py"
    path.write_text(
        "".join(f'# %% tags=["{role}"]\n{text}\n\n' for role, text in (each.split("|", 1) for each in cells))
    )
    return str(path)


@pytest.mark.parametrize(
    "cells, code, told",
    [
        pytest.param(
            [f"data|{LOAD}", f"features|{FEATURES}", f"train|{GONE}"],
            "no-target",
            "the labels are taken from no column that rows.csv has",
            id="labels from a column that is not there",
        ),
        pytest.param(
            [f"data|{MADE}", f"train|{TRAIN}"],
            "no-raw-data",
            "the rows that the model is trained on go through table_of, which no cell defines",
            id="rows from a function that no cell defines",
        ),
        pytest.param(
            [f"data|{LOAD}", f"features|#| nbprod: train\n{FEATURES}", f"train|{TRAIN}"],
            "conflicting-role",
            "cell 1 has two roles",
            id="two roles on one cell",
        ),
        pytest.param(
            [f"data|{LOAD}", f"features|#| nbprod: feature\n{FEATURES}", f"train|{TRAIN}"],
            "unknown-role",
            'cell 1 is marked "feature"',
            id="a mark that is no role",
        ),
    ],
)
def test_what_is_an_error(cells: list[str], code: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(NbprodError) as caught:
        export_notebook(notebook(tmp_path, *cells), output=str(tmp_path / "out"))

    assert caught.value.code == code
    assert told in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.cell is not None
    assert not (tmp_path / "out").exists()


def test_columns_are_listed_so_that_blanks_are_seen(tmp_path: Path) -> None:
    path = notebook(tmp_path, f"data|{LOAD}", f"features|{FEATURES}", f"train|{GONE}")
    (tmp_path / "rows.csv").write_text("a,b,gone ," + ",".join(f"c{n}" for n in range(40)) + "\n" + "1," * 42 + "1\n")
    with pytest.raises(NbprodError) as caught:
        export_notebook(path, output=str(tmp_path / "out"))

    assert caught.value.code == "no-target"
    assert (caught.value.hint or "").startswith("its columns: 'a', 'b', 'gone ', 'c0', ")
    assert (caught.value.hint or "").endswith(", 'c36' and 3 more")


SHIFT = "from own.shifts import shifted"
SHIFTED = "df['a'] = shifted(df['a'])"
OF_MODULE = "df['a'] = own.shifted(df['a'])"


@pytest.mark.parametrize(
    "lies, cells, own",
    [
        pytest.param("own/shifts.py", [SHIFT, SHIFTED], {"own": "own"}, id="a folder beside the notebook"),
        pytest.param("src/own/shifts.py", [SHIFT, SHIFTED], {"own": "src/own"}, id="in a folder of its own"),
        pytest.param(
            "own.py", ["import own", SHIFTED.replace("shifted", "own.shifted")], {"own": "own.py"}, id="a file"
        ),
        pytest.param("own/shifts.py", [SHIFT, "print(shifted)"], {}, id="one that only the notebook needs"),
        pytest.param("own/shifts.py", [f"!pip install -q ./own\n{SHIFT}", SHIFTED], {}, id="one that a cell installs"),
        pytest.param(".own/own.py", [SHIFT, SHIFTED], {}, id="nothing of that name"),
        pytest.param("pandas/x.py", [SHIFT, SHIFTED], {"pandas": "pandas"}, id="a folder named as a library"),
    ],
)
def test_modules_of_the_project_that_a_package_needs(
    lies: str, cells: list[str], own: dict[str, str], tmp_path: Path
) -> None:
    module = tmp_path / lies
    module.parent.mkdir(parents=True, exist_ok=True)
    module.touch()
    imports, feature = cells
    path = notebook(tmp_path, f"data|{LOAD}\n{imports}", f"features|{feature}", f"train|{TRAIN}")
    found = planned(path, auto=True)

    assert modules_of(tmp_path, found.notebook, drafted(found.plan, found.notebook, found.target).files) == own


def test_a_module_that_is_found_where_it_lies_alone_is_named_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "shifts.py").write_text("def shifted(column):\n    return column + 1\n")
    note = tmp_path / "ran.txt"
    path = notebook(
        tmp_path, f"data|open({str(note)!r}, 'w').close()\n{LOAD}\n{SHIFT}", f"features|{SHIFTED}", f"train|{TRAIN}"
    )
    with pytest.raises(NbprodError) as caught:
        run_notebook(path)

    assert caught.value.code == "own-module"
    assert "lies in own and is not installed" in caught.value.message
    assert caught.value.where is not None
    assert (caught.value.where.cell, caught.value.where.line) == (0, 5)
    assert not note.exists()


@pytest.mark.parametrize(
    "cells, refused",
    [
        pytest.param(
            [f"data|{LOAD}", "features|df['b'] = df['b'.abs()", f"train|{TRAIN}"], [(1, 1)], id="before the training"
        ),
        pytest.param(
            [f"data|{LOAD}", "explore|df['b'] = df['b'.abs()", f"train|{TRAIN}"], [], id="left out by its role"
        ),
        pytest.param(
            [f"data|{LOAD}", f"train|{TRAIN}", "evaluate|print(model.score(X, y)"], [], id="after the training"
        ),
    ],
)
def test_a_cell_that_does_not_parse_is_refused(
    cells: list[str], refused: list[tuple[int, int]], tmp_path: Path
) -> None:
    report = export_notebook(notebook(tmp_path, *cells), output=str(tmp_path / "out"))

    assert [(each["cell"], each["line"]) for each in report["refusals"]] == refused
    assert (report["status"] == "written") == (not refused)


@pytest.mark.parametrize(
    "train",
    [
        pytest.param("df['e'] = df['b'] > 2\nmodel = LinearRegression().fit(df[['a']], df['e'])", id="made by a cell"),
        pytest.param("model = LinearRegression().fit(df[['a']], df['b'] * 2)", id="computed"),
        pytest.param(
            "e = pd.read_csv('rows.csv')\nmodel = LinearRegression().fit(df[['a']], e['c'])", id="of another table"
        ),
    ],
)
def test_labels_that_are_there_are_fine(train: str, tmp_path: Path) -> None:
    report = export_notebook(
        notebook(tmp_path, f"data|{LOAD}", f"features|{FEATURES}", f"train|{train}"),
        output=str(tmp_path / "out"),
        allow_assumed=True,
    )

    assert report["status"] == "written"
