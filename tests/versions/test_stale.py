from collections.abc import Callable
from pathlib import Path

from nbprod.model.run import Version
from nbprod.versions import is_stale

Export = Callable[..., Version]
Files = Callable[..., dict[str, bytes]]


def test_what_was_just_exported_is_not_stale(export: Export, version_files: Files, tmp_path: Path) -> None:
    export()
    assert is_stale(tmp_path, "churn", version_files()) == ()


def test_everything_is_new_before_the_first_export(version_files: Files, tmp_path: Path) -> None:
    stale = is_stale(tmp_path, "churn", version_files())
    assert {(file.path, file.kind) for file in stale} == {(path, "added") for path in version_files()}
    assert list(tmp_path.iterdir()) == []


def test_a_moved_line_is_shown_with_the_cell_that_moved_it(
    export: Export, version_files: Files, tmp_path: Path
) -> None:
    export("a = 1\nb = 2\nc = 3\n")
    first, manifest = is_stale(tmp_path, "churn", version_files("a = 1\nb = 22\nc = 3\n"))
    assert (first.path, first.kind, first.cell, first.cell_id, first.line) == ("features.py", "changed", 4, "abcd", 11)
    assert "-b = 2\n+b = 22\n" in first.diff
    assert first.diff.startswith("--- v0001/features.py\n+++ notebook/features.py\n")
    assert (manifest.path, manifest.line) == ("manifest.json", 11)


def test_a_removed_line_points_at_what_follows_it(export: Export, version_files: Files, tmp_path: Path) -> None:
    export("a = 1\nb = 2\nc = 3\n")
    first, _ = is_stale(tmp_path, "churn", version_files("a = 1\nc = 3\n"))
    assert (first.cell, first.line) == (4, 11)


def test_added_and_removed_files_are_named(export: Export, version_files: Files, tmp_path: Path) -> None:
    export()
    files = version_files()
    del files["__init__.py"]
    kinds = {file.path: file.kind for file in is_stale(tmp_path, "churn", files | {"new.py": b"1\n"})}
    assert kinds == {"__init__.py": "removed", "new.py": "added"}


def test_an_edit_by_hand_is_told_from_an_edit_of_the_notebook(
    export: Export, version_files: Files, tmp_path: Path
) -> None:
    export()
    (tmp_path / "churn/v0001/features.py").write_text("x = 5\n")
    (stale,) = is_stale(tmp_path, "churn", version_files())
    assert (stale.path, stale.edited) == ("features.py", True)
    assert "-x = 5\n+x = 1\n" in stale.diff


def test_the_files_beside_the_versions_count_when_given(export: Export, version_files: Files, tmp_path: Path) -> None:
    export()
    (stale,) = is_stale(tmp_path, "churn", version_files(), {"__init__.py": b"# new\n"})
    assert (stale.path, stale.kind) == ("__init__.py", "changed")
