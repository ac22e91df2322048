"""The cache of stages on disk: what is found again, what is not, and what goes when there is too much."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from nbprod.backend import CellOutput
from nbprod.backends.stage_cache import StageCache, entries_in, trim
from nbprod.model.notebook import Notebook, Role
from nbprod.model.run import CellTime
from nbprod.plan.stages import Handover, Stage

SHOWN = {0: CellOutput([{"output_type": "stream", "name": "stdout", "text": "8"}], 1)}
TIMES = (CellTime(0, 2.5), CellTime(1, 1.0))


def handover(digest: str = "a", after: int = 0, reason: str | None = None) -> Handover:
    return Handover(Stage(Role.DATA, 0, after), after, digest=digest, reason=reason)


class Kept:
    """A cache in a project with one data file, and the handover of a stage that read it."""

    def __init__(self, notebook: Notebook, folder: Path) -> None:
        self.notebook, self.project = notebook, folder
        self.home = Path(notebook.path).parent
        self.rows = self.home / "data" / "rows.csv"
        self.told: dict[str, Any] = {"opened": [str(self.rows)], "written": [], "listed": [], "modules_read": []}
        self.told["outside"] = []

    def cache(self, environment: str = "e", limit: int = 10**9) -> StageCache:
        return StageCache(self.project, self.notebook, environment, limit=limit)

    def keep(self, digest: str = "a", *, text: str = "values", **told: Any) -> StageCache:
        folder = self.project / "handed"
        folder.mkdir(exist_ok=True)
        (folder / "values.json").unlink(missing_ok=True)
        (folder / "values.json").write_text(text, encoding="utf-8")
        (folder / "handover.json").write_text(json.dumps({**self.told, **told}), encoding="utf-8")
        cache = self.cache()
        cache.keep(handover(digest), folder, TIMES, SHOWN)
        return cache


@pytest.fixture
def kept(notebook: Any, tmp_path: Path) -> Kept:
    return Kept(notebook(("import pandas as pd\ndf = pd.read_csv('data/rows.csv')", ["data"])), tmp_path)


def test_what_was_kept_is_found_with_what_its_cells_took_and_showed(kept: Kept) -> None:
    kept.keep()
    cache = kept.cache()
    found = cache.find(handover())
    assert found is not None
    restored = cache.restored(found, handover())
    assert (restored.folder / "values.json").read_text(encoding="utf-8") == "values"
    assert restored.outputs == SHOWN
    assert restored.cells == TIMES[:1]
    assert [path for path, _, _ in found.entry.inputs] == [str(kept.rows)]


def rewrite(kept: Kept) -> None:
    kept.rows.write_text(kept.rows.read_text(encoding="utf-8").replace("22", "23"), encoding="utf-8")


def same_content(kept: Kept) -> None:
    text = kept.rows.read_bytes()
    kept.rows.unlink()
    kept.rows.write_bytes(text)
    os.utime(kept.rows, (1, 1))


def remove(kept: Kept) -> None:
    kept.rows.unlink()


@pytest.mark.parametrize(
    "change, is_found",
    [
        pytest.param(same_content, True, id="the same content at another time"),
        pytest.param(rewrite, False, id="another content of the same size"),
        pytest.param(remove, False, id="the file is gone"),
    ],
)
def test_content_of_what_was_read_decides(kept: Kept, change: Any, *, is_found: bool) -> None:
    kept.keep()
    change(kept)
    assert (kept.cache().find(handover()) is not None) is is_found


def test_another_environment_and_another_code_find_nothing(kept: Kept) -> None:
    kept.keep()
    assert kept.cache("other").find(handover()) is None
    assert kept.cache().find(handover("b")) is None
    assert kept.cache().find(handover(reason="it can't be kept")) is None


def test_files_that_were_written_and_folders_that_were_listed_count(kept: Kept) -> None:
    out = kept.home / "out.csv"
    out.write_text("1", encoding="utf-8")
    kept.keep(written=[str(out)], listed=[str(kept.home / "data")])
    assert kept.cache().find(handover()) is not None
    (kept.home / "data" / "more.csv").write_text("1", encoding="utf-8")
    assert kept.cache().find(handover()) is None
    (kept.home / "data" / "more.csv").unlink()
    assert kept.cache().find(handover()) is not None
    out.write_text("2", encoding="utf-8")
    assert kept.cache().find(handover()) is None


@pytest.mark.parametrize(
    "told, reason",
    [
        pytest.param({"reason": "f is a file"}, "f is a file", id="a value that can't be written"),
        pytest.param({"outside": ["https://example.org/a.csv"]}, "https://example.org/a.csv", id="an address"),
        pytest.param({"written": ["ROWS"]}, "reads and writes rows.csv", id="a file that is read and written"),
    ],
)
def test_what_is_not_kept_is_told(kept: Kept, told: dict[str, Any], reason: str) -> None:
    told = {key: [str(kept.rows)] if value == ["ROWS"] else value for key, value in told.items()}
    cache = kept.keep(**told)
    assert reason in cache.reasons[0]
    assert cache.find(handover()) is None


def test_a_file_that_the_text_names_counts_though_nobody_saw_it_opened(kept: Kept) -> None:
    kept.keep(opened=[])
    rewrite(kept)
    assert kept.cache().find(handover()) is None


def test_the_outputs_of_a_cell_whose_text_has_changed_are_left_out(kept: Kept, notebook: Any) -> None:
    kept.keep()
    kept.notebook = notebook(("import pandas as pd\n# read\ndf = pd.read_csv('data/rows.csv')", ["data"]))
    cache = kept.cache()
    found = cache.find(handover())
    assert found is not None
    assert cache.outputs(found, handover()) == {}
    assert cache.edited(found, handover()) == (0,)


def test_outputs_follow_their_cells_when_others_are_added_and_what_is_new_is_told(kept: Kept, notebook: Any) -> None:
    kept.keep()
    plot = ("df.hist()", ["explore"])
    kept.notebook = notebook(plot, ("", []), ("import pandas as pd\ndf = pd.read_csv('data/rows.csv')", ["data"]), plot)
    cache = kept.cache()
    found = cache.find(handover(after=2))
    assert found is not None
    assert cache.outputs(found, handover(after=2)) == {2: SHOWN[0]}
    assert cache.edited(found, handover(after=2)) == (0,)


def test_the_newest_of_a_stage_stay(kept: Kept) -> None:
    for number in range(6):
        kept.keep(str(number))
        found = kept.cache().find(handover(str(number)))
        assert found is not None
        os.utime(found.folder, (number, number))
    assert [kept.cache().find(handover(str(number))) is not None for number in range(6)] == [False] * 2 + [True] * 4


def test_what_was_used_longest_ago_goes_when_there_is_too_much(kept: Kept) -> None:
    for number in range(3):
        kept.keep(str(number), text="x" * 10_000)
        found = kept.cache().find(handover(str(number)))
        assert found is not None
        os.utime(found.folder, (number, number))
    root = kept.cache().root
    trim(root, 25_000)
    assert len(list(entries_in(kept.cache().folder))) == 2
    assert kept.cache().find(handover("0")) is None


def test_a_damaged_entry_is_none_and_is_written_anew(kept: Kept) -> None:
    kept.keep()
    found = kept.cache().find(handover())
    assert found is not None
    (found.folder / "entry.json").write_text("{", encoding="utf-8")
    assert kept.cache().find(handover()) is None
    kept.keep()
    assert kept.cache().find(handover()) is not None


def test_a_disk_that_takes_nothing_leaves_the_run_alone(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    cache = kept.keep()
    assert cache.reasons == {0: "it can't be written: No space left on device"}
    assert list(cache.folder.glob(".new-*")) == []


def test_what_a_killed_run_has_left_goes_after_a_day(kept: Kept) -> None:
    folder = kept.cache().folder
    for name, age in ((".new-old", 2 * 24 * 60 * 60), (".new-young", 60)):
        (folder / name).mkdir(parents=True)
        os.utime(folder / name, (time.time() - age, time.time() - age))
    kept.keep()
    assert [path.name for path in folder.glob(".new-*")] == [".new-young"]


def test_the_cache_stays_out_of_git(kept: Kept) -> None:
    kept.keep()
    assert (kept.cache().root / ".gitignore").read_text(encoding="utf-8") == "*\n"
