"""`nbprod deploy`: what is said, exit codes, and the report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from nbprod.deploy.records import RECORD
from nbprod.deploy.targets import TARGETS
from tests.deploy.packages import package

FILE = "deploy/sales/kserve/inference-service.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return package(tmp_path, versions=2)


def lines(result: Result) -> list[str]:
    return [line.rstrip() for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("project")
def test_without_a_target_they_are_listed(nbprod: Any) -> None:
    assert nbprod("deploy").stdout == nbprod("deploy", "sales").stdout
    told = nbprod("deploy", "sales")
    assert told.exit_code == 0
    assert [line.split()[0] for line in lines(told)] == list(TARGETS)
    assert json.loads(nbprod("deploy", "sales", "--format", "json").stdout) == {
        name: each.title for name, each in TARGETS.items()
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.usefixtures("project")
def test_the_report_is_what_its_schema_says(target: str, nbprod: Any, valid: Any) -> None:
    for words in (("--check",), (), ("--check",)):
        result = nbprod("deploy", "sales", target, "--format", "json", *words)
        report = json.loads(result.stdout)
        valid("deploy", report)
        assert report["checked"] is bool(words)
        assert (report["name"], report["version"], report["target"]) == ("sales", 2, target)
    assert result.exit_code == 0


@pytest.mark.usefixtures("project")
def test_all_that_is_deployed_is_checked_wherever_it_lies(nbprod: Any, valid: Any) -> None:
    assert "error[not-deployed]" in nbprod("deploy", "sales", "--check").stderr
    nbprod("deploy", "sales@1", "kserve")
    nbprod("deploy", "sales@1", "gitlab", "--dir", "ops/prod")

    fine = nbprod("deploy", "sales@1", "--check", "--format", "json")
    assert fine.exit_code == 0
    reports = json.loads(fine.stdout)["deployments"]
    assert [(each["target"], each["folder"]) for each in reports] == [
        ("kserve", "deploy/sales/kserve"), ("gitlab", "ops/prod")
    ]  # fmt: skip
    valid("deploy", reports[0])
    stale = nbprod("deploy", "sales@2", "--check")
    assert stale.exit_code == 1
    assert "hint: nbprod deploy sales@2 gitlab --dir ops/prod writes them" in stale.stdout
    assert nbprod("deploy", "nobody", "--check").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--check"], id="no name"),
        *(pytest.param(["sales", "--check", *more], id=more[0]) for more in (["--force"], ["--keep"], ["--pin"])),
        pytest.param(["sales", "--check", "--dir", "x"], id="--dir"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_check_of_all_takes_a_name_and_nothing_that_is_one_targets(words: list[str], nbprod: Any) -> None:
    told = nbprod("deploy", *words)
    assert told.exit_code == 2
    assert "error[usage]" in told.stderr


def test_a_deep_folder_is_found_again_and_one_that_is_not_looked_into_is_refused(nbprod: Any, project: Path) -> None:
    assert nbprod("deploy", "sales", "kserve", "--dir", "a/b/c/d/e/f").exit_code == 0
    assert "a/b/c/d/e/f" in nbprod("deploy", "sales", "--check").stdout
    for folder in (".hidden/x", "node_modules/x", "/".join("abcdefghijkl")):
        assert "error[outside]" in nbprod("deploy", "sales", "kserve", "--dir", folder).stderr
    (project / "other").mkdir()
    (project / "other" / RECORD).write_text("{")
    damaged = nbprod("deploy", "sales", "--check")
    assert damaged.exit_code == 2
    assert "error[damaged-record]" in damaged.stderr
    assert "up to date" in damaged.stdout


@pytest.mark.usefixtures("project")
def test_what_can_not_be_written_by_now_keeps_no_other_from_being_checked(
    nbprod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbprod("deploy", "sales", "gitlab")
    nbprod("deploy", "sales", "kserve")
    monkeypatch.setattr("nbprod.api.deployments.python_of", lambda _fitted: "3.9")

    told = nbprod("deploy", "sales", "--check")
    assert told.exit_code == 2
    assert "sales on gitlab, in deploy/sales/gitlab" in told.stdout
    assert told.stderr.count("error[old-python]") == 1
    assert "sales version 2 on kserve" in told.stdout
    deployments = json.loads(nbprod("deploy", "sales", "--check", "--format", "json").stdout)["deployments"]
    assert [each.get("error", {}).get("code") for each in deployments] == ["old-python", None]


@pytest.mark.usefixtures("project")
def test_what_was_written_and_what_comes_next_is_said(nbprod: Any) -> None:
    result = nbprod("deploy", "sales", "kserve")
    assert result.exit_code == 0
    assert lines(result) == ["sales version 2 on kserve, in deploy/sales/kserve", f"  {FILE}   written"]
    assert "note: the base image python:3.12-slim-bookworm is not pinned" in result.stderr
    assert f"next: kubectl apply -f {FILE}" in result.stderr
    assert lines(nbprod("deploy", "sales", "kserve"))[1] == f"  {FILE}   as it was"
    assert nbprod("deploy", "sales", "kserve", "--quiet").stderr == ""


@pytest.mark.usefixtures("project")
def test_check_ends_with_1_where_files_are_stale(nbprod: Any) -> None:
    stale = nbprod("deploy", "sales", "kserve", "--check")
    assert stale.exit_code == 1
    assert lines(stale)[1:] == [f"  {FILE}   to be written", "", "hint: nbprod deploy sales kserve writes them"]
    elsewhere = nbprod("deploy", "sales", "kserve", "--dir", "k8s/my sales", "-o", "pipelines", "--check")
    assert lines(elsewhere)[-1] == "hint: nbprod deploy sales kserve --dir 'k8s/my sales' -o pipelines writes them"
    nbprod("deploy", "sales@1", "kserve")
    assert nbprod("deploy", "sales@1", "kserve", "--check").exit_code == 0
    stale = nbprod("deploy", "sales@2", "kserve", "--check", "--diff")
    assert stale.exit_code == 1
    assert lines(stale)[-1] == "hint: nbprod deploy sales@2 kserve writes them"
    assert f"  {FILE}   stale" in lines(stale)
    assert any(line.startswith("-") and "sales:v1" in line for line in lines(stale))
    assert any(line.startswith("+") and "sales:v2" in line for line in lines(stale))


def test_a_conflict_is_shown_until_somebody_says_who_is_right(project: Path, nbprod: Any) -> None:
    nbprod("deploy", "sales@1", "kserve")
    (project / FILE).write_text("mine\n")
    edited = nbprod("deploy", "sales@1", "kserve")
    assert (edited.exit_code, lines(edited)[1]) == (0, f"  {FILE}   yours, kept")

    conflict = nbprod("deploy", "sales@2", "kserve")
    assert conflict.exit_code == 1
    assert lines(conflict)[1] == f"  {FILE}   yours, and the target asks for another text"
    assert "-mine" in lines(conflict)
    assert lines(conflict)[-1] == (
        "hint: nbprod deploy sales@2 kserve --keep where your text is right, --force where the target's is"
    )
    assert nbprod("deploy", "sales@2", "kserve", "--check").exit_code == 1

    forced = nbprod("deploy", "sales@2", "kserve", "--force")
    assert (forced.exit_code, lines(forced)[1]) == (0, f"  {FILE}   written over, yours is {FILE}.orig")
    assert (project / f"{FILE}.orig").read_text() == "mine\n"


def test_keep_says_that_a_person_s_text_is_right(project: Path, nbprod: Any) -> None:
    nbprod("deploy", "sales@1", "kserve")
    (project / FILE).write_text("mine\n")
    kept = nbprod("deploy", "sales@2", "kserve", "--keep")
    assert (kept.exit_code, lines(kept)[1]) == (0, f"  {FILE}   yours, kept")
    assert nbprod("deploy", "sales@2", "kserve", "--check").exit_code == 0
    assert (project / FILE).read_text() == "mine\n"


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(("kserve", "--force", "--keep"), "exclude each other", id="force and keep"),
        pytest.param(("kserve", "--check", "--force"), "exclude each other", id="check and force"),
        pytest.param(("docker", "--check", "--pin"), "--check writes nothing", id="check and pin"),
        pytest.param(("github", "--pin"), "github builds no image", id="nothing to pin"),
        pytest.param(("dockr",), 'did you mean "docker"?', id="a misspelt target"),
        pytest.param(("kserve", "--dir", "../there"), "in a folder of the project", id="outside of the project"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_can_t_be_done_ends_with_2(words: tuple[str, ...], said: str, nbprod: Any) -> None:
    result = nbprod("deploy", "sales", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_damaged_record_ends_with_2_and_the_place(project: Path, nbprod: Any) -> None:
    nbprod("deploy", "sales", "kserve")
    (project / "deploy/sales/kserve" / RECORD).write_text("{")
    result = nbprod("deploy", "sales", "kserve")
    assert result.exit_code == 2
    assert "error[damaged-record]" in result.stderr
    assert "restore it from version control" in result.stderr


def test_a_file_that_cannot_be_written_whole_is_told_with_the_way_on(project: Path, nbprod: Any) -> None:
    words = [sys.executable, "-m", "nbprod", "deploy", "sales", "docker"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *words], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    folder = project / "deploy/sales/docker"
    assert f"error[no-space]: no space left to write {folder}; files that were written are whole" in done.stderr
    assert "another folder with --dir, and give the command again, which goes on" in done.stderr
    assert nbprod("deploy", "sales", "docker").exit_code == 0


def test_a_place_in_which_nothing_can_be_made_is_told(project: Path, nbprod: Any) -> None:
    (project / ".nbprod").write_text("no folder")
    result = nbprod("deploy", "sales", "docker")
    assert result.exit_code == 2
    assert "error[not-a-folder]" in result.stderr
    assert str(project / ".nbprod") in result.stderr


@pytest.mark.usefixtures("project")
def test_an_unknown_package_ends_with_2(nbprod: Any) -> None:
    result = nbprod("deploy", "salse", "docker")
    assert (result.exit_code, "error[no-package]" in result.stderr) == (2, True)
