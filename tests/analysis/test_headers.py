"""Column names from the first line of files beside the notebook."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from nbprod.analysis import analyse
from nbprod.analysis.headers import is_fetched, likely_headers, open_text, read_headers
from nbprod.notebook import read_text


def headers_of(folder: Path, call: str) -> dict[str, tuple[str, ...]]:
    notebook = read_text(f"import os\nimport pandas as pd\ndf = {call}\n", str(folder / "nb.py"))
    return read_headers(analyse(notebook).events, folder)


@pytest.mark.parametrize(
    "content, call, expected",
    [
        pytest.param("a,b\n1,2\n", "pd.read_csv('t.csv')", ("a", "b"), id="a plain header"),
        pytest.param("a;b\n1;2\n", "pd.read_csv('t.csv', sep=';')", ("a", "b"), id="another separator"),
        pytest.param("a\tb\n1\t2\n", "pd.read_table('t.csv')", ("a", "b"), id="tabs"),
        pytest.param("1,2\n", "pd.read_csv('t.csv', names=['x', 'y'])", ("x", "y"), id="given names"),
        pytest.param(
            "a,b,c\n", "pd.read_csv('t.csv', usecols=['c', 'a'])", ("a", "c"), id="chosen columns in the file's order"
        ),
        pytest.param('"a,1",b\n', "pd.read_csv('t.csv')", ("a,1", "b"), id="a quoted name"),
        pytest.param(",a,a\n", "pd.read_csv('t.csv')", ("Unnamed: 0", "a", "a.1"), id="empty and doubled names"),
        pytest.param("\ufeffa,b\n", "pd.read_csv('t.csv')", ("a", "b"), id="a byte order mark"),
        pytest.param("a,b\n", "pd.read_csv(os.path.join('.', 't.csv'))", ("a", "b"), id="a joined path"),
        pytest.param(
            "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "pd.read_csv('t.csv')", None, id="a pointer"
        ),
        pytest.param("a,b\n", "pd.read_csv('t.csv', header=None)", None, id="no header"),
        pytest.param("a,b\n", "pd.read_csv('t.csv', index_col=0)", None, id="an index column"),
        pytest.param("a,b\n", "pd.read_csv('t.csv', skiprows=3)", None, id="skipped rows"),
        pytest.param("a,b\n", "pd.read_csv('t.csv', sep=r'\\s+')", None, id="a separator that is a pattern"),
        pytest.param("a,b\n", "pd.read_csv('other.csv')", None, id="a file that is not there"),
        pytest.param("a,b\n", "pd.read_csv('https://example.org/t.csv')", None, id="a URL"),
    ],
)
def test_header(tmp_path: Path, content: str, call: str, expected: tuple[str, ...] | None) -> None:
    (tmp_path / "t.csv").write_text(content, encoding="utf-8")

    assert list(headers_of(tmp_path, call).values()) == ([] if expected is None else [expected])


def test_a_gzipped_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n"))

    assert headers_of(tmp_path, "pd.read_csv('t.csv.gz')") == {"t.csv.gz": ("a", "b")}


def test_a_binary_file_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(bytes(range(128, 256)))

    assert headers_of(tmp_path, "pd.read_csv('t.csv')") == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")

    assert headers_of(tmp_path, "pd.read_csv('t.csv')") == {}
    assert headers_of(tmp_path, "pd.read_csv('/dev/stdin')") == {}
    assert is_fetched(tmp_path / "t.csv")
    assert not is_fetched(tmp_path / "gone.csv")
    with pytest.raises(OSError, match=r"t\.csv"):
        open_text(tmp_path / "t.csv", "utf-8")


def test_one_analysis_is_enough_where_files_are_named_in_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("z;w\n1;2\n")
    codes = ["a = pd.read_csv('a.csv')", "b = pd.read_csv('b.csv', sep=';')\nc = pd.read_csv(name)", "load('b.csv')"]

    assert likely_headers(codes, tmp_path) == {"a.csv": ("x", "y"), "b.csv": ("z", "w")}
