"""Folders that git leaves out."""

from __future__ import annotations

from pathlib import Path

from nbprod.ignored import keep_out_of_git


def test_git_leaves_out_all_of_the_folder_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    keep_out_of_git(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (tmp_path / "a" / "b" / ".gitignore").write_text("*.csv\n", encoding="utf-8")
    keep_out_of_git(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / ".gitignore").read_text(encoding="utf-8") == "*.csv\n"
