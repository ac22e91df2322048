import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.model.run import Version
from nbprod.versions import (
    hand_edits,
    is_stale,
    is_state_recorded,
    latest,
    latest_fitted,
    ledger,
    promote,
    prune,
    publish,
    state_digest,
    store,
)

Export = Callable[..., Version]
Files = Callable[..., dict[str, bytes]]


def numbers(root: Path) -> list[int]:
    return [version.number for version in ledger(root, "churn")]


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_an_export_writes_a_version_and_lists_it(export: Export, tmp_path: Path) -> None:
    version = export(commit="c0ffee", why="first export")
    assert version == Version(1, "d1", "2026-01-02T03:04:05Z", "nb.ipynb", "c0ffee", "first export")
    assert ledger(tmp_path, "churn") == (version,)
    assert files(tmp_path / "churn") == {
        "__init__.py",
        "versions.json",
        "v0001/__init__.py",
        "v0001/features.py",
        "v0001/manifest.json",
        "v0001/tests/test_parity.py",
    }


def test_nothing_is_there_before_the_first_export(tmp_path: Path) -> None:
    assert ledger(tmp_path, "churn") == ()
    assert latest(tmp_path, "churn") is None


def test_the_same_files_again_are_the_same_version(export: Export, tmp_path: Path, fitted: Export) -> None:
    export()
    before = fitted(1)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert export(why="again") == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stamps


def test_caches_of_python_do_not_make_a_new_version(export: Export, tmp_path: Path) -> None:
    export()
    (tmp_path / "churn/v0001/__pycache__").mkdir()
    (tmp_path / "churn/v0001/__pycache__/features.cpython-311.pyc").write_bytes(b"1")
    assert export().number == 1


def test_exports_before_a_fit_replace_each_other(export: Export, tmp_path: Path) -> None:
    for text in ("x = 1\n", "x = 2\n", "x = 3\n"):
        export(text)
    assert numbers(tmp_path) == [1]
    assert (tmp_path / "churn/v0001/features.py").read_text() == "x = 3\n"


def test_exports_before_a_fit_pile_up_when_asked(export: Export, tmp_path: Path) -> None:
    export("x = 1\n")
    export("x = 2\n", replace_unfitted=False)
    assert numbers(tmp_path) == [1, 2]


@pytest.mark.parametrize(
    "guard", ["learned state on disk", "an alias", "an edit by hand", "an added module"], ids=lambda guard: guard
)
def test_an_unfitted_version_that_someone_relies_on_is_kept(guard: str, export: Export, tmp_path: Path) -> None:
    export("x = 1\n")
    folder = tmp_path / "churn/v0001"
    match guard:
        case "learned state on disk":
            (folder / "state").mkdir()
        case "an alias":
            text = (tmp_path / "churn/versions.json").read_text()
            (tmp_path / "churn/versions.json").write_text(text.replace('"aliases": []', '"aliases": ["staging"]'))
        case "an edit by hand":
            (folder / "features.py").write_text("x = 1  # mine\n")
        case _:
            (folder / "extra.py").write_text("")
    assert export("x = 2\n").number == 2
    assert (folder / "features.py").read_text().startswith("x = 1")


def test_a_fitted_version_is_never_replaced(export: Export, tmp_path: Path, fitted: Export) -> None:
    export("x = 1\n")
    fitted(1)
    assert export("x = 2\n").number == 2
    assert (tmp_path / "churn/v0001/features.py").read_text() == "x = 1\n"
    assert latest_fitted(tmp_path, "churn").number == 1


def test_going_back_to_what_was_fitted_gives_that_version(export: Export, tmp_path: Path, fitted: Export) -> None:
    export("x = 1\n")
    fitted(1)
    export("x = 2\n")
    assert export("x = 1\n").number == 1
    assert numbers(tmp_path) == [1]
    assert not (tmp_path / "churn/v0002").exists()


def test_a_refit_on_other_data_is_a_new_version_of_the_same_code(
    export: Export, tmp_path: Path, fitted: Export
) -> None:
    export()
    first = fitted(1, "1.0", run_id="r1")
    second = fitted(1, "2.0", run_id="r2")
    assert (first.number, second.number) == (1, 2)
    assert first.state != second.state
    assert (tmp_path / "churn/v0001/state/learned.json").read_text() == "1.0"
    assert (tmp_path / "churn/v0002/state/learned.json").read_text() == "2.0"
    assert (tmp_path / "churn/v0002/tests/golden.json").read_text() == "2.0"
    assert (tmp_path / "churn/v0002/features.py").read_bytes() == (tmp_path / "churn/v0001/features.py").read_bytes()
    assert hand_edits(tmp_path, "churn", 2) == ()


@pytest.mark.parametrize(
    "meanwhile, numbers_then",
    [
        pytest.param(["x = 2\n"], [1, 2, 3], id="another export in its place"),
        pytest.param(["x = 0\n"], [1, 2], id="an export that goes back to what was fitted"),
        pytest.param(["x = 2\n", "x = 1\n"], [1, 2], id="another export, and the first one again"),
        pytest.param([], [1, 2], id="nothing"),
    ],
)
def test_learned_state_stays_with_the_code_that_was_fitted(
    meanwhile: list[str], numbers_then: list[int], export: Export, tmp_path: Path, fitted: Export, version_files: Files
) -> None:
    root = tmp_path / "root"
    export("x = 0\n", root)
    fitted(1, "learned of 0", root)
    version = export("x = 1\n", root)
    for text in meanwhile:
        export(text, root)

    given = fitted(version.number, "learned of 1", root, code=version_files("x = 1\n"), commit="c0ffee")

    assert numbers(root) == numbers_then
    folder = root / f"churn/v{given.number:04}"
    assert (folder / "features.py").read_text() == "x = 1\n"
    assert (folder / "state/learned.json").read_text() == "learned of 1"
    assert hand_edits(root, "churn", given.number) == ()
    assert is_state_recorded(root, "churn", given.number)
    if len(numbers_then) == 3:
        assert given.number == 3
        assert (given.why, given.commit) == ("fitted while another export took the number 2", "c0ffee")
        assert not (root / "churn/v0002/state").exists()


def test_a_version_that_a_hand_has_edited_before_the_fit_is_fitted_as_it_is(
    export: Export, tmp_path: Path, fitted: Export, version_files: Files
) -> None:
    export()
    manifest = tmp_path / "churn/v0001/manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")

    given = fitted(1, code=version_files() | {"manifest.json": manifest.read_bytes()})

    assert (given.number, numbers(tmp_path)) == (1, [1])
    assert (tmp_path / "churn/v0001/state").is_dir()


@pytest.mark.parametrize(
    "name, number, why",
    [
        pytest.param("notes.txt", 1, "first", id="a file of one's own"),
        pytest.param("features.py", 2, "fitted while files of 1 were changed", id="a file of the code"),
    ],
)
def test_a_hand_that_writes_during_a_fit(
    name: str, number: int, why: str, export: Export, tmp_path: Path, fitted: Export, version_files: Files
) -> None:
    export()
    (tmp_path / "churn/v0001" / name).write_text("y = 1\n")

    given = fitted(1, code=version_files())

    assert (given.number, given.why) == (number, why)
    assert (tmp_path / f"churn/v000{number}/state").is_dir()


def test_the_same_state_again_only_notes_the_run(export: Export, tmp_path: Path, fitted: Export) -> None:
    export()
    fitted(1, "1.0")
    fitted(1, "2.0")
    assert fitted(1, "1.0", run_id="r3").number == 1
    assert fitted(1, "2.0", run_id="r4").number == 2
    assert [version.run for version in ledger(tmp_path, "churn")] == ["r3", "r4"]


def test_code_that_comes_back_is_fitted_under_its_new_number(export: Export, tmp_path: Path, fitted: Export) -> None:
    for number, text in enumerate(("x = 0\n", "x = 1\n", "x = 0\n"), 1):
        export(text)
        assert fitted(number, f"learned of {text}").number == number
    assert [version.run for version in ledger(tmp_path, "churn")] == ["r1", "r1", "r1"]


def test_only_a_listed_version_is_fitted(export: Export, fitted: Export) -> None:
    export()
    with pytest.raises(NbprodError, match="no version 9"):
        fitted(9)


def test_state_that_others_wrote_is_told_from_what_the_ledger_has(
    export: Export, tmp_path: Path, fitted: Export
) -> None:
    export()
    assert is_state_recorded(tmp_path, "churn", 1)
    fitted(1)
    assert is_state_recorded(tmp_path, "churn", 1)
    (tmp_path / "churn/v0001/state/learned.json").write_text("other")
    assert not is_state_recorded(tmp_path, "churn", 1)


def test_a_fit_that_ends_while_it_is_looked_at_has_changed_nothing_by_hand(
    export: Export, tmp_path: Path, fitted: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    export()
    before = store.read_ledger(tmp_path / "churn")
    looked = []

    def ends_meanwhile(folder: Path) -> object:
        looked.append(folder)
        if len(looked) == 1:
            monkeypatch.undo()
            fitted(1)
        return before

    monkeypatch.setattr(store, "read_ledger", ends_meanwhile)
    assert is_state_recorded(tmp_path, "churn", 1)


def test_the_digest_of_state_goes_by_content_and_name(tmp_path: Path) -> None:
    for folder, name, text in (("a", "m.json", "1"), ("b", "m.json", "1"), ("c", "m.json", "2"), ("d", "n.json", "1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    (tmp_path / "b/fitted.json").write_text('{"when": "today"}')
    a, b, c, d = (state_digest(tmp_path / folder) for folder in "abcd")
    assert a == b
    assert len({a, c, d}) == 3


def test_the_digest_of_a_fitted_object_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = """
import sys, numpy as np, skops.io
from sklearn.preprocessing import StandardScaler
frame = np.arange(20.0).reshape(10, 2) * float(sys.argv[2])
junk = [object() for _ in range(int(sys.argv[3]))]
skops.io.dump(StandardScaler().fit(frame), sys.argv[1])
"""
    digests = []
    for folder, factor, junk in (("a", "1", "1"), ("b", "1", "1000"), ("c", "2", "1")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "scaler.skops"
        subprocess.run([sys.executable, "-c", script, str(path), factor, junk], check=True)
        digests.append(state_digest(tmp_path / folder))
    assert digests[0] == digests[1] != digests[2]


def test_pruning_keeps_the_newest_and_what_has_a_name(export: Export, tmp_path: Path, fitted: Export) -> None:
    for number in range(1, 8):
        export(f"x = {number}\n")
        fitted(number)
    promote(tmp_path, "churn", 1)
    promote(tmp_path, "churn", 3)
    assert [version.number for version in prune(tmp_path, "churn", keep=2, dry_run=True)] == [2, 4, 5]
    assert numbers(tmp_path) == [1, 2, 3, 4, 5, 6, 7]
    prune(tmp_path, "churn", keep=2)
    assert numbers(tmp_path) == [1, 3, 6, 7]
    assert {path.name for path in (tmp_path / "churn").glob("v0*")} == {"v0001", "v0003", "v0006", "v0007"}
    assert export("x = 8\n").number == 8


def test_the_folder_of_a_version_that_no_ledger_lists_is_left_alone(export: Export, tmp_path: Path) -> None:
    export()
    (tmp_path / "churn/v0002").mkdir()
    (tmp_path / "churn/v0002/features.py").write_text("another branch's\n")
    assert export("x = 2\n", replace_unfitted=False).number == 3
    assert (tmp_path / "churn/v0002/features.py").read_text() == "another branch's\n"


@pytest.mark.parametrize(
    "edit, expected",
    [
        pytest.param(lambda folder: folder.stat(), (), id="nothing"),
        pytest.param(lambda folder: (folder / "features.py").write_text("x = 9\n"), ("features.py",), id="a change"),
        pytest.param(lambda folder: (folder / "features.py").unlink(), ("features.py",), id="a missing file"),
        pytest.param(lambda folder: (folder / "more.py").write_text(""), ("more.py",), id="an added module"),
        pytest.param(lambda folder: (folder / "notes.txt").write_text(""), (), id="an added note is no edit"),
        pytest.param(lambda folder: (folder / "manifest.json").unlink(), ("manifest.json",), id="no manifest"),
        pytest.param(
            lambda folder: (folder / "manifest.json").write_text('{"files": {}}'),
            ("__init__.py", "features.py", "manifest.json", "tests/test_parity.py"),
            id="a manifest made to fit",
        ),
        pytest.param(
            lambda folder: (
                (folder / "features.py").rename(folder / "f.txt") and (folder / "features.py").symlink_to("f.txt")
            ),
            ("features.py",),
            id="a link to the same bytes",
        ),
    ],
)
def test_edits_by_hand_are_found(
    edit: Callable[[Path], object], expected: tuple[str, ...], export: Export, tmp_path: Path
) -> None:
    export()
    edit(tmp_path / "churn/v0001")
    assert hand_edits(tmp_path, "churn", 1) == expected


def test_what_a_fit_adds_is_no_edit_by_hand(export: Export, tmp_path: Path, fitted: Export) -> None:
    export()
    fitted(1)
    assert hand_edits(tmp_path, "churn", 1) == ()


def test_looking_for_edits_reads_no_learned_state(
    export: Export, tmp_path: Path, fitted: Export, version_files: Callable[..., dict[str, bytes]]
) -> None:
    export()
    fitted(1)
    with (tmp_path / "churn/v0001/state/forest.skops").open("wb") as state:
        state.truncate(64 << 20)
    tracemalloc.start()
    assert hand_edits(tmp_path, "churn", 1) == ()
    assert is_stale(tmp_path, "churn", version_files()) == ()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


@pytest.mark.parametrize("name", ["../up.py", "/etc/x", "a/../../b", "C:/x", "a\\b", "", "state/learned.json"])
def test_files_outside_of_the_version_are_refused(name: str, tmp_path: Path, export: Export) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(NbprodError) as caught:
        publish(tmp_path, "churn", {name: b""}, {}, digest="", notebook="", commit=None, why="", now=now)
    assert caught.value.code == "bad-path"
    assert list(tmp_path.iterdir()) == []
