"""Roles written into tags: nothing else of the file changes, and nothing is lost when it cannot be written."""

from __future__ import annotations

import copy
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.errors import NbprodError
from nbprod.model.notebook import Role
from nbprod.notebook import read
from nbprod.notebook.tagging import retagged, set_roles

ROOT = Path(__file__).parent.parent.parent
ROLES = {role.value for role in Role}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TAGS = st.lists(st.sampled_from(["slow", 'quo"te', "é", *ROLES]) | st.text(max_size=4), max_size=4, unique=True)
METADATA = st.builds(
    lambda rest, tags: rest | ({} if tags is None else {"tags": tags}),
    st.dictionaries(st.sampled_from(["collapsed", "zoom", "tagsy", "a", "id"]), JSON_VALUES, max_size=3),
    st.none() | TAGS,
)
CELLS = st.builds(
    lambda kind, source, metadata, outputs: {
        "cell_type": kind,
        "metadata": metadata,
        "source": source,
        **({"outputs": outputs, "execution_count": None} if kind == "code" else {}),
    },
    st.sampled_from(["code", "code", "markdown"]),
    st.text(max_size=20) | st.lists(st.text(max_size=10), max_size=3),
    METADATA,
    st.lists(JSON_VALUES, max_size=2),
)
NOTEBOOKS = st.builds(
    lambda cells, rest, last: {**rest, "cells": [*cells, last], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
    st.lists(CELLS, max_size=4),
    st.dictionaries(st.sampled_from(["x", "y", "é"]), JSON_VALUES, max_size=2),
    st.just({"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": []}),
)
STYLES = st.builds(
    lambda indent, ascii_, separators, sort: {
        "indent": indent,
        "ensure_ascii": ascii_,
        "separators": separators,
        "sort_keys": sort,
    },
    st.sampled_from([None, 1, 2, 4, "\t"]),
    st.booleans(),
    st.sampled_from([None, (",", ":"), (", ", ": "), (",", ": ")]),
    st.booleans(),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    document = draw(NOTEBOOKS)
    text = json.dumps(document, **draw(STYLES)) + draw(st.sampled_from(["", "\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(["", "\ufeff"])) + text, document


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def code_cells(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


@given(files(), st.data())
def test_only_the_tags_of_the_chosen_cells_change(file: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    text, document = file
    indexes = st.integers(0, len(code_cells(document)) - 1)
    roles = data.draw(st.dictionaries(indexes, st.none() | st.sampled_from(list(Role)), max_size=3))
    after = json.loads(retagged(text, "a.ipynb", roles).removeprefix("\ufeff"))
    expected = copy.deepcopy(document)
    for index, role in roles.items():
        old = code_cells(document)[index]["metadata"].get("tags", [])
        new = code_cells(after)[index]["metadata"].pop("tags", [])
        code_cells(expected)[index]["metadata"].pop("tags", None)
        assert [tag for tag in new if tag not in ROLES] == [tag for tag in old if tag not in ROLES]
        assert [tag for tag in new if tag in ROLES] == ([role.value] if role else [])
    assert after == expected


@given(files(), st.data())
def test_every_other_byte_is_kept(file: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    """Without the metadata of the changed cell, which no other part of the text can look like, both are the same."""
    text, document = file
    index = data.draw(st.integers(0, len(code_cells(document)) - 1))
    after = retagged(text, "a.ipynb", {index: data.draw(st.sampled_from(list(Role)))})
    start, end = metadata_span(text, index)
    new_start, new_end = metadata_span(after, index)
    assert after[:new_start] == text[:start]
    assert after[new_end:] == text[end:]


def metadata_span(text: str, index: int) -> tuple[int, int]:
    """Where the metadata of a code cell stands, found by decoding the text from each brace on."""
    decoder = json.JSONDecoder()
    body = text.removeprefix("\ufeff")
    shift = len(text) - len(body)
    cells = code_cells(json.loads(body))
    elements = list(cell_starts(body))
    start, cell = [(at, value) for at, value in elements if value["cell_type"] == "code"][index]
    assert cell == cells[index]
    key = re.compile(r'"metadata"\s*:\s*')
    at = next(
        match.end()
        for match in key.finditer(body, start)
        if decoder.raw_decode(body, match.end())[0] == cell["metadata"] and is_key_of(body, start, match.start())
    )
    return at + shift, decoder.raw_decode(body, at)[1] + shift


def cell_starts(body: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The position and value of each element of `cells`, the last of the document's keys but three."""
    match = [found for found in re.finditer(r'"cells"\s*:\s*\[\s*', body) if is_key_of(body, 0, found.start())][-1]
    at = match.end()
    while True:
        value, end = json.JSONDecoder().raw_decode(body, at)
        yield at, value
        comma = re.compile(r"\s*,\s*").match(body, end)
        if comma is None:
            return
        at = comma.end()


def is_key_of(body: str, start: int, at: int) -> bool:
    """Whether the key at `at` belongs to the object at `start`: no bracket in between is left open."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", body[start:at])
    return sum(bare.count(char) for char in "{[") - sum(bare.count(char) for char in "}]") == 1


@given(files(), st.data())
def test_setting_and_clearing_gives_the_original_bytes(file: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    text, document = file
    cells = code_cells(document)
    fresh = [index for index, cell in enumerate(cells) if "tags" not in cell["metadata"]]
    kept = [index for index, cell in enumerate(cells) if set(cell["metadata"].get("tags", ())) - ROLES]
    untouched = [index for index in kept if not ROLES & set(cells[index]["metadata"]["tags"])]
    chosen = data.draw(st.lists(st.sampled_from(fresh + untouched), min_size=1, unique=True))
    tagged = retagged(text, "a.ipynb", {index: data.draw(st.sampled_from(list(Role))) for index in chosen})
    again = retagged(tagged, "a.ipynb", {index: data.draw(st.sampled_from(list(Role))) for index in chosen})
    assert retagged(again, "a.ipynb", dict.fromkeys(chosen)) == text


JUPYTER = """{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "a1",
   "metadata": {},
   "outputs": [],
   "source": []
  },
  {
   "cell_type": "code",
   "metadata": {
    "collapsed": true,
    "zoom": 1
   },
   "source": "%%features\\nx"
  },
  {
   "cell_type": "code",
   "metadata": {
    "tags": []
   },
   "source": ""
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""


@pytest.mark.parametrize(
    "cell, role, old, new",
    [
        pytest.param(
            0,
            Role.DATA,
            '"metadata": {},\n   "outputs"',
            '"metadata": {\n    "tags": [\n     "data"\n    ]\n   },\n   "outputs"',
            id="empty metadata opens in the file's style",
        ),
        pytest.param(
            1,
            Role.FEATURES,
            '"collapsed": true,\n',
            '"collapsed": true,\n    "tags": [\n     "features"\n    ],\n',
            id="the key takes its place in sorted keys",
        ),
        pytest.param(2, Role.TRAIN, '"tags": []', '"tags": ["train"]', id="an empty list is filled where it is"),
    ],
)
def test_the_edit_is_written_as_jupyter_writes(cell: int, role: Role, old: str, new: str) -> None:
    assert JUPYTER.count(old) == 1
    tagged = retagged(JUPYTER, "a.ipynb", {cell: role})
    assert tagged == JUPYTER.replace(old, new)
    assert retagged(tagged, "a.ipynb", {cell: None}) == JUPYTER


PERCENT = "# %%\nx = 1\r\n# %% Title  \ny = 1\n# %% tags=['slow']\nz = 1\n# %% {\"a\":1}\nz = 2\n# %% {}\nz = 3"


@pytest.mark.parametrize(
    "cell, old, new",
    [
        pytest.param(0, "# %%\nx", '# %% tags=["train"]\nx', id="a bare mark"),
        pytest.param(1, "# %% Title  \n", '# %% Title tags=["train"]  \n', id="a mark with a title"),
        pytest.param(2, "tags=['slow']", 'tags=["slow", "train"]', id="a mark with tags"),
        pytest.param(3, '{"a":1}', '{"a":1, "tags": ["train"]}', id="a mark with JSON"),
        pytest.param(4, "# %% {}", '# %% {"tags": ["train"]}', id="a mark with empty JSON"),
    ],
)
def test_percent_scripts_carry_the_role_on_the_mark(cell: int, old: str, new: str) -> None:
    tagged = retagged(PERCENT, "a.py", {cell: Role.TRAIN})
    assert tagged == PERCENT.replace(old, new)
    cleared = retagged(tagged, "a.py", {cell: None})
    assert cleared == (PERCENT if cell != 2 else PERCENT.replace("'slow'", '"slow"'))


@pytest.mark.parametrize(
    "name, text, roles, code",
    [
        pytest.param("a.ipynb", JUPYTER, {3: Role.DATA}, "no-such-cell", id="a cell that is not there"),
        pytest.param("a.ipynb", JUPYTER, {-1: Role.DATA}, "no-such-cell", id="a negative cell"),
        pytest.param("a.ipynb", JUPYTER, {1: Role.DATA}, "conflicting-role", id="a role against the cell's magic"),
        pytest.param(
            "a.ipynb", JUPYTER.replace('"tags": []', '"tags": 1'), {2: Role.DATA}, "malformed-cell", id="no list"
        ),
        pytest.param("a.py", "x = 1\n", {0: Role.DATA}, "no-cells", id="a plain script"),
        pytest.param("a.py", "x = 1\n# %%\n", {0: Role.DATA}, "no-marker", id="a script's first cell without a mark"),
        pytest.param(
            "a.ipynb",
            '{"worksheets": [{"cells": [{"cell_type": "code", "input": "x"}]}], "nbformat": 3}',
            {0: Role.DATA},
            "old-format",
            id="a notebook of format 3",
        ),
    ],
)
def test_what_cannot_be_tagged_is_told_and_left(
    tmp_path: Path, name: str, text: str, roles: dict[int, Role], code: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(NbprodError) as caught:
        set_roles(path, roles)
    assert caught.value.code == code
    assert caught.value.hint
    assert path.read_text() == text
    assert names_in(tmp_path) == [name]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "a.ipynb"
    path.write_bytes(JUPYTER.encode())
    return path


def test_the_file_keeps_its_mode_and_leaves_nothing_beside_it(book: Path) -> None:
    book.chmod(0o640)
    set_roles(book, {0: Role.DATA, 2: Role.TRAIN})
    assert [cell.role for cell in read(book).cells] == [Role.DATA, Role.FEATURES, Role.TRAIN]
    assert book.stat().st_mode & 0o777 == 0o640
    assert names_in(book.parent) == ["a.ipynb"]


def test_nothing_is_written_where_nothing_changes(book: Path) -> None:
    before = book.stat().st_ino
    set_roles(book, {0: None})
    assert book.stat().st_ino == before


def test_a_symbolic_link_is_written_through(book: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.ipynb"
    link.symlink_to(book)
    set_roles(link, {0: Role.DATA})
    assert link.is_symlink()
    assert read(book).cells[0].role is Role.DATA


def test_a_read_only_file_is_left(book: Path) -> None:
    book.chmod(0o444)
    with pytest.raises(NbprodError, match="read-only"):
        set_roles(book, {0: Role.DATA})
    assert book.read_text() == JUPYTER


def test_a_read_only_folder_is_left(book: Path) -> None:
    book.parent.chmod(0o555)
    try:
        with pytest.raises(NbprodError, match="is read-only"):
            set_roles(book, {0: Role.DATA})
        assert book.read_text() == JUPYTER
    finally:
        book.parent.chmod(0o755)


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    with pytest.raises(NbprodError, match="there is no such file"):
        set_roles(tmp_path / "a.ipynb", {0: Role.DATA})


def test_a_full_disk_loses_nothing(book: Path) -> None:
    """The limit on file sizes makes the kernel refuse the write, as a full disk does."""
    program = f"""
import resource, sys
from nbprod.errors import NbprodError
from nbprod.model.notebook import Role
from nbprod.notebook.tagging import set_roles
import nbprod.notebook.masking
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    set_roles({str(book)!r}, {{0: Role.DATA}})
except NbprodError as error:
    print(error.code)
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    assert done.stdout.strip() == "no-space"
    assert book.read_text() == JUPYTER
    assert names_in(book.parent) == ["a.ipynb"]


WRITER = """
import sys
from nbprod.errors import NbprodError
from nbprod.model.notebook import Role
from nbprod.notebook.tagging import set_roles
for turn in range(60):
    try:
        set_roles(sys.argv[1], {int(sys.argv[2]): Role.TRAIN if turn % 2 else Role.DATA})
    except NbprodError as error:
        assert error.code == "file-changed", error
"""


def test_two_writers_at_once_leave_a_whole_notebook(book: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(book), cell], cwd=ROOT, stderr=subprocess.PIPE)
        for cell in ("0", "2")
    ]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors.decode()
    assert len(read(book).cells) == 3
    assert names_in(book.parent) == ["a.ipynb"]
