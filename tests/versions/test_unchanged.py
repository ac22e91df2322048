"""Files that are read again only where they have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nbprod.versions.unchanged import Unchanged, read_object


class _Counted:
    """A reading that counts how often it was done."""

    def __init__(self, most: int = 8) -> None:
        self.times = 0
        self.text = Unchanged(self._read, most=most)

    def _read(self, path: Path) -> str:
        self.times += 1
        return path.read_text("utf-8")


def _rest(path: Path) -> Path:
    """Wait until the clock of the file system has left the file's last change behind."""
    while path.stat().st_ctime_ns + 60_000_000 > _now(path.parent):
        pass
    return path


def _now(folder: Path) -> int:
    """What the file system's clock says."""
    (folder / "clock").write_bytes(b"")
    return (folder / "clock").stat().st_ctime_ns


def _written(path: Path, text: str = "one") -> Path:
    path.write_text(text, "utf-8")
    return path


def _with_the_old_time(path: Path) -> None:
    before = path.stat()
    path.write_text("two", "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(path: Path) -> None:
    _written(path.with_suffix(".new"), "two").replace(path)


@pytest.mark.parametrize(
    "change, expected, times",
    [
        pytest.param(Path.stat, "one", 1, id="nothing happened"),
        pytest.param(lambda path: path.write_text("two", "utf-8"), "two", 2, id="another text of the same length"),
        pytest.param(_with_the_old_time, "two", 2, id="another text with the time of the first"),
        pytest.param(_replaced, "two", 2, id="another file in its place"),
    ],
)
def test_a_file_is_read_again_where_it_changed(
    change: Callable[[Path], object], expected: str, times: int, tmp_path: Path
) -> None:
    known, path = _Counted(), _rest(_written(tmp_path / "a.txt"))
    assert known.text(path) == "one"
    change(path)
    assert (known.text(path), known.times) == (expected, times)


def test_a_file_that_changed_just_now_is_not_trusted_to_show_the_next_change(tmp_path: Path) -> None:
    known, path = _Counted(), _written(tmp_path / "a.txt")
    for text in ("two", "six", "ten"):
        known.text(path)
        path.write_text(text, "utf-8")
        assert known.text(path) == text


def test_only_the_files_that_were_asked_for_last_are_remembered(tmp_path: Path) -> None:
    known = _Counted(most=2)
    paths = [_written(tmp_path / f"{number}.txt") for number in range(3)]
    _rest(paths[-1])
    for number in (0, 1, 0, 2, 0, 1):
        known.text(paths[number])
    assert known.times == 4


@pytest.mark.parametrize(
    "content, expected",
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="an object"),
        pytest.param(b"[1]", None, id="a list"),
        pytest.param(b"{", None, id="no JSON"),
        pytest.param(b'{"a": "\xff"}', None, id="no UTF-8"),
        pytest.param(None, None, id="no file"),
    ],
)
def test_a_json_object_is_read_and_all_else_is_none(content: bytes | None, expected: object, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    assert read_object(tmp_path / "a.json") == expected
