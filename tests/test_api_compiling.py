"""What a target's script compiles: when it is done again, and when it is left alone."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from nbprod.api.compiling import compiled
from nbprod.api.deploying import deploy
from nbprod.deploy.exporter import Compiled
from nbprod.deploy.records import Before, Record, digest_of, record_bytes
from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import File
from tests.deploy.packages import package

# A compiler that is surely here.
RECIPE = Compiled("script.py", "out.yaml", package="msgspec", at_least=0, variable="NBPROD_TEST_PYTHON")
MISSING = Compiled("script.py", "out.yaml", package="no-such-compiler", at_least=2, variable="NBPROD_TEST_PYTHON")
SCRIPT = """
import hashlib, pathlib, sys
digest = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
pathlib.Path(sys.argv[1]).write_text(f"# Compiled, sha256 {digest}\\n%s\\n")
"""
FOLDER = "deploy/sales/kfp"
OUT = f"{FOLDER}/out.yaml"


def script(said: str) -> File:
    return File(f"{FOLDER}/script.py", SCRIPT % said)


def text(file: File, said: str) -> str:
    return f"# Compiled, sha256 {hashlib.sha256(file.text.encode()).hexdigest()}\n{said}\n"


def lay(root: Path, *files: File, recorded: bool = True) -> None:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for file in files:
        (root / file.path).write_text(file.text)
    if recorded:
        (root / FOLDER / ".nbprod-deploy.json").write_bytes(
            record_bytes(Record(files={file.path: Before(digest_of(file.text), file.text) for file in files}))
        )


def test_a_script_is_compiled_by_an_interpreter_that_has_the_package(tmp_path: Path) -> None:
    assert compiled(RECIPE, tmp_path, FOLDER, [script("one")]) == (File(OUT, text(script("one"), "one")), None)


@pytest.mark.parametrize("check", [pytest.param(True, id="check"), pytest.param(False, id="write")])
@pytest.mark.parametrize("recorded", [pytest.param(True, id="by nbprod"), pytest.param(False, id="by a person")])
def test_what_was_compiled_of_the_script_stays_also_where_no_compiler_is(
    tmp_path: Path, check: bool, recorded: bool
) -> None:
    there = File(OUT, text(script("one"), "by another version of the compiler"))
    lay(tmp_path, script("one"), there, recorded=recorded)

    file, note = compiled(MISSING, tmp_path, FOLDER, [script("one")], check=check)
    if recorded or check:
        assert (file, note) == (there, None)
    else:
        assert file is None, "whether a person has changed it is not known, so it is not called ours"
        assert note is not None


def test_what_was_compiled_of_another_script_is_compiled_anew(tmp_path: Path) -> None:
    lay(tmp_path, script("one"), File(OUT, text(script("one"), "one")))

    assert compiled(RECIPE, tmp_path, FOLDER, [script("two")])[0] == File(OUT, text(script("two"), "two"))


def test_a_script_that_a_person_changed_is_what_is_compiled(tmp_path: Path) -> None:
    lay(tmp_path, script("one"), File(OUT, text(script("one"), "one")))
    (tmp_path / FOLDER / "script.py").write_text(SCRIPT % "theirs")

    assert compiled(RECIPE, tmp_path, FOLDER, [script("one")])[0] == File(OUT, text(script("theirs"), "theirs"))
    assert compiled(RECIPE, tmp_path, FOLDER, [script("two")], force=True)[0] == File(OUT, text(script("two"), "two"))


def test_a_check_runs_no_script_and_sees_that_what_was_compiled_is_of_another_one(tmp_path: Path) -> None:
    lay(tmp_path, script("one"), File(OUT, text(script("one"), "one")))
    hostile = script("one").text + f"pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    (tmp_path / FOLDER / "script.py").write_text(hostile)

    file, _ = compiled(RECIPE, tmp_path, FOLDER, [script("one")], check=True)
    assert file == File(OUT, text(File("", hostile), "one"))
    assert not (tmp_path / "ran").exists()


def test_what_is_compiled_has_the_changes_of_a_person_and_of_the_target(tmp_path: Path) -> None:
    lay(tmp_path, script("one"), File(OUT, text(script("one"), "one")))
    (tmp_path / FOLDER / "script.py").write_text("# mine\n" + script("one").text)

    both = "# mine\n" + script("two").text
    assert compiled(RECIPE, tmp_path, FOLDER, [script("two")])[0] == File(OUT, text(File("", both), "two"))
    theirs = "# mine\n" + script("one").text
    kept = compiled(RECIPE, tmp_path, FOLDER, [script("two")], merges=False)[0]
    assert kept == File(OUT, text(File("", theirs), "one"))


def test_without_a_compiler_there_is_no_file_and_it_is_said(tmp_path: Path) -> None:
    lay(tmp_path, script("one"), File(OUT, text(script("one"), "one")))
    file, note = compiled(MISSING, tmp_path, FOLDER, [script("two")])

    assert file is None
    assert "no-such-compiler 2 is not here" in str(note)


@pytest.mark.parametrize("is_there", [pytest.param(False, id="not compiled"), pytest.param(True, id="compiled")])
def test_what_is_still_to_be_compiled_is_the_first_thing_to_do(
    is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = package(tmp_path)
    monkeypatch.chdir(root)
    monkeypatch.delenv("NBPROD_KFP_PYTHON", raising=False)
    report = deploy("sales", "kfp", folder="deploy/my kfp")
    assert not (root / "deploy/my kfp/pipeline.yaml").exists()
    if is_there:
        written = (root / "deploy/my kfp/pipeline.py").read_text()
        (root / "deploy/my kfp/pipeline.yaml").write_text(f"# Compiled from pipeline.py, sha256 {digest_of(written)}\n")
        report = deploy("sales", "kfp", folder="deploy/my kfp", check=True)
    compiling = "python 'deploy/my kfp/pipeline.py'  # compiles pipeline.yaml, with kfp 2 or newer"
    assert report["next"] == [
        *(() if is_there else (compiling,)), "kfp pipeline create -p sales 'deploy/my kfp/pipeline.yaml'"
    ]  # fmt: skip


def test_a_file_that_is_not_there_is_not_missed_by_a_check(tmp_path: Path) -> None:
    lay(tmp_path, script("one"))

    assert compiled(RECIPE, tmp_path, FOLDER, [script("one")], check=True) == (None, None)


@pytest.mark.parametrize(
    "recipe, python, said, code",
    [
        pytest.param(MISSING, sys.executable, "one", "no-compiler", id="an interpreter without it"),
        pytest.param(RECIPE, "no/such/python", "one", "no-compiler", id="no interpreter"),
        pytest.param(RECIPE, sys.executable, '"); sys.exit("no"); ("', "not-compiled", id="a script that fails"),
    ],
)
def test_what_cannot_be_compiled_is_an_error(
    tmp_path: Path, recipe: Compiled, python: str, said: str, code: str
) -> None:
    with pytest.raises(NbprodError) as caught:
        compiled(recipe, tmp_path, FOLDER, [script(said)], python=python)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "edited, hint",
    [
        pytest.param(False, f"{sys.executable} -m pip install --upgrade 'msgspec>=0'", id="ours"),
        pytest.param(True, "mend it, restore it, or remove it, and deploy again", id="a person's"),
    ],
)
def test_whoever_made_the_script_is_told_what_helps(edited: bool, hint: str, tmp_path: Path) -> None:
    ours, broken = script("one"), script('"); sys.exit("no"); ("')
    lay(tmp_path, *([ours] if edited else []))
    if edited:
        (tmp_path / ours.path).write_text(broken.text)
    with pytest.raises(NbprodError, match="no") as caught:
        compiled(RECIPE, tmp_path, FOLDER, [ours if edited else broken], force=True)
    assert caught.value.where == Where(ours.path)
    assert hint in (caught.value.hint or "")

    if edited:
        (tmp_path / ours.path).unlink()
        assert compiled(RECIPE, tmp_path, FOLDER, [ours])[0] == File(OUT, text(ours, "one"))


def test_the_variable_names_an_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBPROD_TEST_PYTHON", "no/such/python")
    with pytest.raises(NbprodError, match="no/such/python"):
        compiled(RECIPE, tmp_path, FOLDER, [script("one")])


def test_a_target_of_which_nothing_is_compiled_takes_no_interpreter() -> None:
    with pytest.raises(NbprodError) as caught:
        deploy("sales", "github", python=sys.executable)
    assert caught.value.code == "usage"
