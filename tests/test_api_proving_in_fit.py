"""The proof of a run, which goes on beside the rest of the fit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from nbprod import versions
from nbprod.api.proving_in_fit import ProofInFit
from nbprod.api.running import run_notebook
from nbprod.errors import NbprodError

NOTEBOOK = """
# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['a'] = df['a'] - df['a'].mean()

# %% tags=["train"]
model = LinearRegression()
model.fit(df[['a', 'b']], df['c'])
predicted = model.predict(df[['a', 'b']])
"""
IMPORTS = "import pandas as pd\nfrom sklearn.random_projection import GaussianRandomProjection"
PROJECTED = "df['a'] = GaussianRandomProjection(1, random_state=0).fit_transform(df[['a']])[:, 0]"
CENTRED = "df['a'] = df['a'] - df['a'].mean()"
PANDAS_ALONE = NOTEBOOK.replace("import pandas as pd", IMPORTS).replace(CENTRED, PROJECTED)
"""What is not compiled."""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{n},{n % 7},{n % 3}.75\n" for n in range(60)))
    return tmp_path / "work.py"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What becomes of the proof of a run, and whether there is a compiled form then."""
    heard: list[tuple[str, bool]] = []
    for name in ("begin", "end_of_fit"):
        original = getattr(ProofInFit, name)

        def spied(proof: ProofInFit, *given: Path, name: str = name, original: Any = original) -> None:
            heard.append((name, ((given or (proof.state,))[0] / "row.py").exists()))
            original(proof, *given)

        monkeypatch.setattr(ProofInFit, name, spied)
    return heard


@pytest.mark.parametrize(
    "text, steps, in_the_fit",
    [
        pytest.param(NOTEBOOK, [("begin", False), ("end_of_fit", True)], ["60 rows, in the fit"], id="in the fit"),
        pytest.param(PANDAS_ALONE, [("begin", False), ("end_of_fit", False)], [], id="where nothing is compiled"),
    ],
)
def test_a_proof_begins(text: str, steps: list[Any], in_the_fit: list[str], work: Path, seen: list[Any]) -> None:
    work.write_text(text)

    report = run_notebook(str(work), output=str(work.parent / "out"))

    assert seen == steps
    assert report["verify"]["status"] == "proven"
    checks = {each["name"]: each["detail"] for each in report["verify"]["checks"]}
    assert [checks[name] for name in ("one row without pandas",) if name in checks] == in_the_fit
    assert checks["one row at a time"] == "60 rows"


def commands_below() -> Iterator[str]:
    """The commands of the processes below this one that are at work."""
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended, though nobody may have asked for its status yet
            yield " ".join(each.cmdline())


def test_a_fit_that_fails_behind_it_ends_it_and_leaves_nothing(
    work: Path, seen: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work.write_text(NOTEBOOK)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)

    def refused(*_: Any, **__: Any) -> None:
        raise NbprodError("the ledger is broken", code="broken")

    monkeypatch.setattr(versions, "put_state", refused)

    with pytest.raises(NbprodError, match="the ledger is broken"):
        run_notebook(str(work), output=str(work.parent / "out"))

    assert seen == [("begin", False), ("end_of_fit", True)]
    assert [line for line in commands_below() if "nbprod_replay" in line] == []
    assert [str(path) for path in (tmp_path / "temporary").rglob("*")] == []
