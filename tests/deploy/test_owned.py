"""Files that nbprod owns beside those of a person: what is to be done with each, and what stands in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbprod.deploy.merging import merged
from nbprod.deploy.owned import aside, compared
from nbprod.deploy.records import RECORD, Before, Record, digest_of, read_record, record_bytes
from nbprod.errors import NbprodError
from nbprod.model.deployment import File, Load

OWN = "deploy/sales/docker"
PATH = f"{OWN}/a.yaml"


def record(root: Path, **hashes: str) -> None:
    """A record in which `a` was written with a text."""
    files = {f"{OWN}/{name}.yaml": digest_of(text) for name, text in hashes.items()}
    (root / OWN).mkdir(parents=True, exist_ok=True)
    (root / OWN / RECORD).write_text(json.dumps({"schema": 1, "files": files}))


def put(root: Path, text: str | bytes, path: str = PATH) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    "before, there, wanted, state",
    [
        pytest.param(None, None, "new\n", "new", id="nothing is there"),
        pytest.param("old\n", None, "new\n", "new", id="it was removed by hand"),
        pytest.param("new\n", "new\n", "new\n", "same", id="nothing has changed"),
        pytest.param(None, "new\n", "new\n", "same", id="written by a process that was killed before its record"),
        pytest.param("old\n", "new\n", "new\n", "same", id="written anew by one that was killed before its record"),
        pytest.param("old\n", "old\n", "new\n", "changed", id="the target asks for another text"),
        pytest.param("new\n", "mine\n", "new\n", "edited", id="a person changed it"),
        pytest.param("old\n", "mine\n", "new\n", "conflict", id="a person changed it, and the target asks for another"),
        pytest.param(None, "mine\n", "new\n", "conflict", id="a person's own file"),
        pytest.param("new\n", "", "new\n", "edited", id="a person emptied it"),
        pytest.param("new\n", "new", "new\n", "edited", id="a person took the last line's end"),
    ],
)
def test_the_state_of_a_file(before: str | None, there: str | None, wanted: str, state: str, tmp_path: Path) -> None:
    if before is not None:
        record(tmp_path, a=before)
    if there is not None:
        put(tmp_path, there)
    (found,) = compared(tmp_path, OWN, [File(PATH, wanted)])
    assert (found.path, found.state) == (PATH, state)
    assert (found.diff is None) is (state in ("new", "same"))


@pytest.mark.parametrize(
    "there, state",
    [
        pytest.param("old\n", ["removed"], id="nobody changed it"),
        pytest.param("mine\n", ["edited"], id="a person changed it"),
        pytest.param(None, [], id="it is gone"),
    ],
)
def test_a_file_that_is_no_longer_asked_for(there: str | None, state: list[str], tmp_path: Path) -> None:
    record(tmp_path, a="old\n")
    if there is not None:
        put(tmp_path, there)
    assert [each.state for each in compared(tmp_path, OWN, [])] == state


def test_the_difference_goes_from_what_stands_there_to_what_the_target_asks_for(tmp_path: Path) -> None:
    put(tmp_path, "a\nmine")
    (found,) = compared(tmp_path, OWN, [File(PATH, "a\nnew\n")])
    assert (found.diff or "").splitlines() == [
        f"--- {PATH} (as it stands)",
        f"+++ {PATH} (deploy)",
        "@@ -1,2 +1,2 @@",
        " a",
        "-mine",
        "\\ No newline at end of file",
        "+new",
    ]


BASE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    "mine, wanted, state, text",
    [
        pytest.param(
            BASE.replace("one", "ONE"),
            BASE.replace("five", "FIVE"),
            "merged",
            "ONE\ntwo\nthree\nfour\nFIVE\n",
            id="in different places",
        ),
        pytest.param(BASE.replace("one", "ONE"), BASE.replace("one", "1"), "conflict", None, id="in the same place"),
        pytest.param(BASE + "six\n", BASE.replace("one", "1"), "merged", "1" + BASE[3:] + "six\n", id="a line more"),
        pytest.param(BASE.replace("o", "ö"), BASE, "edited", None, id="a person alone"),
    ],
)
def test_what_a_person_and_the_target_changed_is_put_together(
    mine: str, wanted: str, state: str, text: str | None, tmp_path: Path
) -> None:
    (tmp_path / OWN).mkdir(parents=True)
    (tmp_path / OWN / RECORD).write_bytes(record_bytes(Record(files={PATH: Before(digest_of(BASE), BASE)})))
    put(tmp_path, mine)
    (found,) = compared(tmp_path, OWN, [File(PATH, wanted)])
    assert (found.state, found.text) == (state, text)
    (found,) = compared(tmp_path, OWN, [File(PATH, wanted)], merges=False)
    assert found.state == ("edited" if state == "edited" else "conflict")


def test_bytes_that_are_no_text_are_not_put_together_with_anything(tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir(parents=True)
    (tmp_path / OWN / RECORD).write_bytes(record_bytes(Record(files={PATH: Before(digest_of(BASE), BASE)})))
    put(tmp_path, b"# caf\xe9\n" + BASE.encode())
    (found,) = compared(tmp_path, OWN, [File(PATH, BASE.replace("five", "5"))])
    assert found.state == "conflict"


def test_a_text_that_was_about_to_be_written_is_known_as_ours(tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir(parents=True)
    begun = Before(digest_of("one\n"), "one\n", digest_of("two\n"))
    (tmp_path / OWN / RECORD).write_bytes(record_bytes(Record(files={PATH: begun})))
    for there, state in (("one\n", "same"), ("two\n", "changed"), ("mine\n", "edited")):
        put(tmp_path, there)
        (found,) = compared(tmp_path, OWN, [File(PATH, "one\n")])
        assert found.state == state


def test_without_git_nothing_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert merged("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n") == "A\nb\nC\n"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert merged("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n") is None


def test_bytes_that_are_no_text_are_a_person_s(tmp_path: Path) -> None:
    record(tmp_path, a="old\n")
    put(tmp_path, b"\xff\xfe")
    (found,) = compared(tmp_path, OWN, [File(PATH, "new\n")])
    assert (found.state, "\\xff\\xfe" in (found.diff or "")) == ("conflict", True)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(PATH, id="the file"),
        pytest.param(OWN, id="its folder"),
        pytest.param("deploy", id="a folder above"),
        pytest.param(f"{OWN}/{RECORD}", id="the record"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["to something", "to nothing"])
def test_nothing_is_reached_through_links(link: str, is_there: bool, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / link).parent.mkdir(parents=True)
    if is_there:
        outside.mkdir()
    (root / link).symlink_to(outside)
    with pytest.raises(NbprodError) as caught:
        compared(root, OWN, [File(PATH, "new\n")])
    assert caught.value.code == "symlink"
    assert caught.value.where is not None
    assert caught.value.where.path == str(root / link)


def test_a_target_whose_files_lie_elsewhere_has_its_record_guarded_all_the_same(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / OWN).parent.mkdir(parents=True)
    (root / OWN).symlink_to(tmp_path)
    with pytest.raises(NbprodError) as caught:
        compared(root, OWN, [File(".github/workflows/a.yml", "new\n")])
    assert caught.value.code == "symlink"


@pytest.mark.parametrize("place", [PATH, f"{OWN}/{RECORD}"], ids=["a file", "the record"])
def test_a_folder_in_the_place_of_a_file_is_told(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True)
    with pytest.raises(NbprodError) as caught:
        compared(tmp_path, OWN, [File(PATH, "new\n")])
    assert caught.value.code == "not-a-file"


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    put(tmp_path, "mine\n", "deploy/sales")
    with pytest.raises(NbprodError) as caught:
        compared(tmp_path, OWN, [File(PATH, "new\n")])
    assert (caught.value.code, caught.value.where and caught.value.where.path) == (
        "not-a-file",
        str(tmp_path / "deploy/sales"),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param('{"files": {}}', id="without a schema"),
        pytest.param('{"schema": 2, "files": {}}', id="of a later nbprod"),
        pytest.param('{"schema": 1, "files": []}', id="files as a list"),
        pytest.param('{"schema": 1, "files": {"../../etc/passwd": "0"}}', id="a way out"),
        pytest.param('{"schema": 1, "files": {"/etc/passwd": "0"}}', id="a whole path"),
        pytest.param("\xff", id="no text"),
        pytest.param("<<<<<<< ours\n", id="a conflict of git"),
    ],
)
def test_a_damaged_record_is_told_and_nothing_is_taken_from_it(text: str, tmp_path: Path) -> None:
    put(tmp_path, text.encode("latin-1"), f"{OWN}/{RECORD}")
    with pytest.raises(NbprodError) as caught:
        compared(tmp_path, OWN, [File(PATH, "new\n")])
    assert caught.value.code == "damaged-record"


def test_the_record_is_sorted_and_read_again(tmp_path: Path) -> None:
    record = Record(
        "sales",
        "docker",
        3,
        Load(1.0, 2.0, 3.0),
        ("scipy==1",),
        files={"b": Before("kept"), "a": Before("1", "text", "2")},
    )
    content = record_bytes(record)
    put(tmp_path, content, f"{OWN}/{RECORD}")
    assert read_record(tmp_path / OWN) == record
    assert list(json.loads(content)["files"]) == ["a", "b"]


def test_a_person_s_text_is_put_where_nothing_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    assert aside(path).name == "a.yaml.orig"
    (tmp_path / "a.yaml.orig").write_text("an earlier one\n")
    assert aside(path).name == "a.yaml.orig1"
    (tmp_path / "a.yaml.orig1").symlink_to("nowhere")
    assert aside(path).name == "a.yaml.orig2"
