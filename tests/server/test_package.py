"""Versions, runs, the preview and the checklist, asked over HTTP."""

from __future__ import annotations

import hashlib
import json
import shutil
import textwrap

import pytest
from msgspec.structs import replace

from .conftest import SOURCES, notebook


async def test_before_an_export_there_are_no_versions_and_no_runs(project, ask):
    assert await ask("versions", path="rooms.ipynb") == {"name": "rooms", "versions": []}
    assert await ask("runs", path="rooms.ipynb") == {"runs": []}
    assert not (project / ".nbprod").exists()


async def test_a_version_tells_of_its_run_and_of_its_features(ran, ask):
    _export(ran, [source.replace("median", "mean") for source in SOURCES])
    answer = await ask("versions", path="rooms.ipynb")
    first, second = answer["versions"]

    assert (first["number"], first["fitted"], first["verify"], first["features"]) == (1, True, "proven", None)
    assert (second["number"], second["fitted"], second["verify"], second["run_id"]) == (2, False, None, None)
    assert second["features"] == {"added": [], "removed": [], "changed": ["area", "big"]}
    (run,) = (await ask("runs", path="rooms.ipynb"))["runs"]
    assert (run["run_id"], run["version"], run["verify"], run["status"]) == (first["run_id"], 1, "proven", "FINISHED")
    assert run["executed"] == f".nbprod/runs/{run['run_id']}/executed.ipynb"


async def test_promotion_and_the_way_back(ran, ask, refusal):
    from nbprod.versions import promote, promotions

    _second_fitted(ran)
    assert (await refusal("rollback", path="rooms.ipynb"))[0] == 422
    assert await _champions(ask, "promote", version=1) == [1]
    status, problem = await refusal("promote", path="rooms.ipynb", version=2)
    assert (status, problem["code"]) == (422, "gates-failed")
    assert problem["message"].startswith("version 2 of rooms is not promoted. proof: no replay of it is known")
    assert "no-worse-than-champion: the run that version 2 was fitted in is not on this machine" in problem["message"]
    assert "nbprod versions rooms promote 2 --force --why REASON" in problem["hint"]
    assert [each.action for each in promotions(ran / "pipelines", "rooms")] == ["promote", "refuse"]
    assert await _champions(ask, "versions") == [1]
    promote(ran / "pipelines", "rooms", 2)
    assert await _champions(ask, "rollback") == [1]
    assert (await refusal("promote", path="rooms.ipynb", version=7))[1]["code"] == "no-version"


async def test_a_version_without_a_fit_is_not_promoted(ran, ask, refusal):
    _export(ran, [source.replace("median", "mean") for source in SOURCES])
    assert (await refusal("promote", path="rooms.ipynb", version=2))[1]["code"] == "not-fitted"


async def test_what_a_run_can_be_given(project, ask):
    cell = "rows = 40\nname: str = 'a'\nshare = 0.5\nday = None\nkinds = ['a', 'b']\nfolder = open"
    (project / "rooms.ipynb").write_text(json.dumps(notebook((SOURCES[0], cell, *SOURCES[2:]))), "utf-8")
    answer = await ask("parameters", path="rooms.ipynb")
    assert [(each["name"], each["default"], each["kind"]) for each in answer["parameters"]] == [
        ("rows", "40", "int"),
        ("name", "a", "str"),
        ("share", "0.5", "float"),
        ("day", "None", None),
        ("kinds", "['a', 'b']", "list"),
        ("folder", "open", None),
    ]


async def test_what_a_run_must_be_given_and_may_choose_is_told(project, ask):
    cell = "# where from\napi_key: str\nfill: Literal['mean', 'median'] | None = 'mean'\nfast = True"
    source = f"from typing import Literal\n{SOURCES[0]}"
    (project / "rooms.ipynb").write_text(json.dumps(notebook((source, cell, *SOURCES[2:]))), "utf-8")
    key, fill, fast = (await ask("parameters", path="rooms.ipynb"))["parameters"]
    assert key == {
        "name": "api_key", "default": "", "kind": "str", "required": True, "secret": True,
        "description": "where from", "choices": [],
    }  # fmt: skip
    assert (fill["kind"], fill["choices"]) == ("Literal['mean', 'median'] | None", ["mean", "median", "None"])
    assert (fast["required"], fast["secret"], fast["choices"]) == (False, False, ["True", "False"])


async def test_an_executed_notebook_is_put_where_it_can_be_opened(ran, ask, refusal):
    (run,) = (await ask("runs", path="rooms.ipynb"))["runs"]
    asked = {"path": "rooms.ipynb", "run_id": run["run_id"]}
    copy = (await ask("executed", **asked))["path"]
    assert copy == f"rooms-executed-{run['run_id'][:8]}.ipynb"
    assert (ran / copy).read_bytes() == (ran / run["executed"]).read_bytes()

    (ran / copy).write_text("notes of mine", "utf-8")
    assert (await ask("executed", **asked))["path"] == copy
    assert (ran / copy).read_text("utf-8") == "notes of mine"

    assert (await refusal("executed", path="rooms.ipynb", run_id="0" * 32))[0] == 404
    assert (await refusal("executed", path="rooms.ipynb", run_id="../../secret"))[1]["code"] == "bad-request"


async def test_a_hook_and_a_workflow_are_added_to_the_project(project, ask):
    asked = {"path": "rooms.ipynb", "pre_commit": True, "github": True}
    first = await ask("init", **asked)
    assert sorted(first["written"]) == [".github/workflows/nbprod.yml", ".pre-commit-config.yaml", "nbprod.toml"]
    assert "nbprod-check" in (project / ".pre-commit-config.yaml").read_text("utf-8")
    assert (project / ".github/workflows/nbprod.yml").is_file()
    assert 'owner = "team rooms"' in (project / "nbprod.toml").read_text("utf-8")
    assert await ask("init", **asked) == {"written": [], "kept": ["nbprod.toml", *first["written"][1:]]}


async def test_the_preview_is_what_an_export_writes_with_the_lines_of_the_notebook(project, ask):
    preview = await ask("preview", path="rooms.ipynb")
    _export(project)
    folder = project / "pipelines/rooms/v0001"
    files = {each["path"]: each for each in preview["files"]}

    assert (preview["name"], preview["version"], preview["compared_to"], preview["verdict"]) == (
        "rooms",
        None,
        None,
        "not-exported",
    )
    assert list(files)[:2] == ["features.py", "train.py"]
    assert not any(name.startswith(("runtime/", "tests/")) for name in files)
    assert {name: each["text"] for name, each in files.items()} == {
        name: (folder / name).read_text("utf-8") for name in files
    }
    assert {each["before"] for each in files.values()} == {None}
    features = files["features.py"]
    lines = features["text"].splitlines()
    for each in features["lines"]:
        if each["cell"] == 4 and each["notebook_line"] == 2:
            assert each["cell_id"] == "c4"
            assert "df['area'] > 30" in lines[each["line"] - 1]
            break
    else:
        pytest.fail("no line comes from the second of the cell of features")


async def test_the_preview_of_an_edited_notebook_stands_beside_the_newest_version(ran, ask):
    edited = notebook([source.replace("> 30", "> 25") for source in SOURCES])
    preview = await ask("preview", path="rooms.ipynb", content=edited)
    features = next(each for each in preview["files"] if each["path"] == "features.py")

    assert (preview["verdict"], preview["compared_to"]) == ("diverges", 1)
    assert ("> 25" in features["text"], "> 30" in features["before"]) == (True, True)
    as_it_lies = await ask("preview", path="rooms.ipynb", content=edited, version=1)
    assert (as_it_lies["version"], as_it_lies["verdict"]) == (1, "diverges")
    assert next(each for each in as_it_lies["files"] if each["path"] == "features.py")["text"] == features["before"]


async def test_a_preview_that_can_not_be(ran, ask, refusal):
    assert (await refusal("preview", path="rooms.ipynb", version=9))[1]["code"] == "no-version"
    content = notebook(["x = 1"], {})
    assert (await refusal("preview", path="rooms.ipynb", content=content))[1]["code"] == "no-model"


async def test_no_file_is_read_through_a_link_in_a_package(ran, ask, tmp_path):
    (tmp_path / "secret.json").write_text('"secret"', "utf-8")
    (ran / "pipelines/rooms/v0001/more.json").symlink_to(tmp_path / "secret.json")
    preview = await ask("preview", path="rooms.ipynb", version=1)
    assert "more.json" not in {each["path"] for each in preview["files"]}


async def test_what_an_editor_leaves_in_a_package_is_not_shown(ran, ask):
    left = ran / "pipelines/rooms/v0001/.ipynb_checkpoints/features-checkpoint.py"
    left.parent.mkdir()
    left.write_bytes(b"\xff")
    preview = await ask("preview", path="rooms.ipynb", version=1)
    assert left.name not in json.dumps(preview)


async def test_before_a_run_the_checklist_says_yes_to_nothing_that_needs_one(project, ask):
    items = await _items(ask)
    assert len(items) == 43
    assert all(each["evidence"] for each in items.values())
    assert {items[name]["state"] for name in ("NB-1", "NB-4", "SK-1", "SK-2", "RP-1", "RP-6", "TM-2", "MO-1")} == {
        "missing"
    }
    assert items["NB-4"]["action"] == {"kind": "export", "cell": None, "key": None}
    assert items["SU-1"]["action"] == {"kind": "declare", "cell": None, "key": "success.decision"}
    assert (items["TM-1"]["state"], items["TM-1"]["evidence"].partition(";")[0]) == (
        "declared",
        "owner = team rooms",
    )


async def test_after_a_run_the_checklist_shows_its_evidence(ran, ask):
    items = await _items(ask)
    run = json.loads((ran / "pipelines/rooms/versions.json").read_text("utf-8"))["versions"][0]["run"]
    yes = {name for name, each in items.items() if each["state"] == "proved"}
    assert {"NB-1", "NB-2", "NB-4", "NB-6", "SK-1", "SK-2", "SK-4", "SK-6", "RP-3", "RP-4", "RP-5", "TM-2"} <= yes
    assert yes.isdisjoint({"NB-5", "SK-5", "RP-2", "RT-1", "RT-4", "MO-1", "MO-4", "DT-1", "TM-1", "TM-3", "SU-1"})
    assert (items["RP-6"]["state"], items["RP-6"]["evidence"].partition(", ")[2]) == (
        "missing",
        "and loading it was not tried",
    )
    assert run[:8] in items["NB-1"]["evidence"]
    assert "40 of 40 rows" in items["SK-2"]["evidence"]


async def test_evidence_goes_stale_with_an_edit_of_the_saved_notebook(ran, ask):
    sources = [source.replace("> 30", "> 25") for source in SOURCES]
    (ran / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    items = await _items(ask)
    assert {name: items[name]["state"] for name in ("NB-1", "NB-4", "NB-6", "SK-1", "SK-2", "RP-1")} == {
        "NB-1": "stale",
        "NB-4": "stale",
        "NB-6": "stale",
        "SK-1": "contradicted",
        "SK-2": "stale",
        "RP-1": "stale",
    }


async def test_the_proof_of_an_older_version_is_none_of_the_newest(ran, ask):
    _export(ran, [source.replace("> 30", "> 25") for source in SOURCES])
    items = await _items(ask)
    assert {name: items[name]["state"] for name in ("NB-4", "NB-6", "SK-1", "SK-2", "SK-4", "RP-6")} == {
        "NB-4": "proved",
        "NB-6": "stale",
        "SK-1": "proved",
        "SK-2": "stale",
        "SK-4": "stale",
        "RP-6": "missing",
    }
    assert items["SK-2"]["evidence"].endswith("and version 2 is newer and was never fitted")


async def test_the_proof_of_other_code_with_the_same_state_is_none(ran, ask):
    kept = ran / ".nbprod/proofs/rooms/v0001.json"
    kept.write_text(json.dumps(json.loads(kept.read_text("utf-8")) | {"digest": "of other code"}), "utf-8")
    assert (await _items(ask))["SK-2"]["evidence"] == "no version with its present state was replayed here"


async def test_a_package_that_an_export_would_write_otherwise_is_not_the_notebooks(ran, ask):
    sources = [source.replace("df.describe()", "df.head()") for source in SOURCES]
    (ran / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    assert (await _items(ask))["NB-4"]["state"] == "proved"
    (ran / "pipelines/rooms/__init__.py").write_text("", "utf-8")
    item = (await _items(ask))["NB-4"]
    assert (item["state"], item["evidence"]) == ("stale", "an export now would change __init__.py of version 1")


async def test_a_package_that_can_not_be_made_anew_is_not_known_to_be_the_notebooks(ran, ask):
    with (ran / "nbprod.toml").open("a", encoding="utf-8") as configuration:
        configuration.write('row_policy = "default"\n')
    item = (await _items(ask))["NB-4"]
    assert item["state"] == "missing"
    assert item["evidence"].startswith("there would be no export: ")


@pytest.mark.parametrize(
    "runs, expected",
    [
        pytest.param(
            [("now", "FAILED")],
            (
                "contradicted",
                "the last run {0} of this very notebook failed: boom",
                "run {ran} of the same text, which finished",
            ),
            id="a newer run of this text failed",
        ),
        pytest.param(
            [("now", "FAILED"), ("now", "FINISHED")],
            ("proved", "run {1} of this very notebook, in a fresh kernel, finished", None),
            id="the newest run of this text finished",
        ),
        pytest.param(
            [("other", "FAILED")],
            ("proved", "run {ran} of this very notebook, in a fresh kernel, finished", None),
            id="a newer run of another text failed",
        ),
        pytest.param(
            [("now", "KILLED")],
            ("missing", "the last run {0} of this very notebook was stopped", None),
            id="the newest run of this text was stopped",
        ),
    ],
)
async def test_the_newest_run_of_this_text_tells_whether_it_runs(runs, expected, ran, ask):
    names = {"ran": (await ask("runs", path="rooms.ipynb"))["runs"][0]["run_id"][:8]}
    ids = [_track(ran, text, status)[:8] for text, status in runs]
    state, evidence, contradicts = expected
    item = (await _items(ask))["NB-1"]
    assert (item["state"], item["evidence"], item["contradicts"]) == (
        state,
        evidence.format(*ids, **names),
        contradicts and contradicts.format(**names),
    )


async def test_the_failure_of_another_text_tells_nothing_of_this_one(project, ask):
    run = _track(project, "other", "FAILED")
    item = (await _items(ask))["NB-1"]
    assert item["state"] == "missing"
    assert item["evidence"].endswith(f"; the last run, {run[:8]}, was of another text, and failed: boom")


async def test_what_contradicts_a_package_is_named(ran, ask):
    features = ran / "pipelines/rooms/v0001/features.py"
    features.write_text(features.read_text("utf-8") + "\n", "utf-8")
    items = await _items(ask)
    for name in ("NB-4", "SK-1"):
        assert (items[name]["state"], items[name]["evidence"]) == ("contradicted", "edited by hand: features.py")
        assert items[name]["contradicts"] == "the manifest of version 1"
    assert items["SK-2"]["evidence"].endswith("and the package was edited by hand since: features.py")


async def test_what_rests_on_assumed_steps_is_not_said_to_have_no_plan(ran, ask):
    first, *others = [source.replace("df['area'] > 30", "unheard_of(df['area'])") for source in SOURCES]
    sources = [f"from elsewhere import unheard_of\n{first}", *others]
    (ran / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    item = (await _items(ask))["SK-1"]
    assert (item["state"], item["evidence"].partition(" rests on ")[0]) == (
        "missing",
        "what differs from the package",
    )


@pytest.mark.parametrize(
    "written, evidence, key",
    [
        pytest.param('cadence = "weekly"', "retraining.cadence = weekly", None, id="a cadence"),
        pytest.param('trigger = "drift"', "retraining.trigger = drift", None, id="a trigger"),
        pytest.param(
            "", "neither retraining.cadence nor retraining.trigger is declared", "retraining.cadence", id="neither"
        ),
    ],
)
async def test_the_key_that_is_declared_is_the_one_that_is_named(written, evidence, key, project, ask):
    with (project / "nbprod.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(f"[pipelines.rooms.retraining]\n{written}\n")
    item = (await _items(ask))["RT-1"]
    assert item["evidence"].partition(";")[0] == evidence
    assert (item["action"] or {}).get("key") == key


async def test_where_the_analysis_stopped_nothing_is_known_of_what_follows(project, ask):
    lines = "\n".join(f"total = total + {number}" for number in range(400))
    loops = [
        f"for number in [{', '.join(map(str, range(60 + n)))}]:\n" + textwrap.indent(lines, "    ") for n in range(40)
    ]
    (project / "rooms.ipynb").write_text(json.dumps(notebook(["total = 0", *loops], {})), "utf-8")
    items = await _items(ask)
    for name in ("NB-2", "RP-5"):
        assert (items[name]["state"], items[name]["evidence"]) == (
            "missing",
            "the analysis stopped before the end of the notebook",
        )


@pytest.mark.parametrize(
    "move, expected",
    [
        pytest.param("nbprod.toml", "nbprod.toml", id="beside the notebook"),
        pytest.param(None, None, id="nowhere"),
        pytest.param("../nbprod.toml", None, id="where the server does not look"),
    ],
)
async def test_the_configuration_is_named_as_the_browser_knows_it(move, expected, project, ask):
    (project / "nbprod.toml").rename(project / (move or "elsewhere.toml"))
    assert (await ask("readiness", path="rooms.ipynb"))["configuration"] == expected


async def test_a_gate_is_never_said_to_hold_from_its_workflow_alone(project, ask):
    item = (await _items(ask))["TM-3"]
    assert (item["state"], item["action"]["kind"]) == ("missing", "workflow")
    await ask("init", path="rooms.ipynb", github=True)
    item = (await _items(ask))["TM-3"]
    assert (item["state"], item["action"]) == ("declared", None)
    assert item["evidence"].startswith("nbprod.yml: `nbprod check rooms.ipynb")
    place = project / ".github/workflows/nbprod.yml"
    place.write_text(place.read_text("utf-8").replace("runs-on:", "continue-on-error: true\n    runs-on:"), "utf-8")
    item = (await _items(ask))["TM-3"]
    assert (item["state"], item["contradicts"]) == ("contradicted", "continue-on-error lets it fail")


async def test_findings_lead_to_their_cells(project, ask):
    sources = [*SOURCES, "token = 'ghp_" + "a1B2" * 9 + "'", "print(undefined)"]
    (project / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    items = await _items(ask)
    assert (items["SU-5"]["state"], items["SU-5"]["action"]["cell"]) == ("contradicted", 7)
    assert (items["NB-2"]["state"], items["NB-2"]["action"]["cell"]) == ("contradicted", 8)
    assert "ghp_" not in json.dumps(items)


async def test_what_is_declared_is_written_and_told_again(project, ask, refusal):
    told = await ask("declarations", path="rooms.ipynb")
    found = {each["key"]: each for each in told["declarations"]}
    assert (told["configuration"], found["owner"]["value"]) == ("nbprod.toml", "team rooms")
    assert found["serve_mode"]["choices"] == ["online", "batch", "stream"]
    assert "SU-1" in found["success.decision"]["items"]

    told = await ask("declare", path="rooms.ipynb", values={"slices": "rooms, big", "owner": ""})
    found = {each["key"]: each["value"] for each in told["declarations"]}
    assert (found["slices"], found["owner"]) == ("rooms, big", None)
    assert 'slices = ["rooms", "big"]' in (project / "nbprod.toml").read_text("utf-8")

    status, problem = await refusal("declare", path="rooms.ipynb", values={"success.target": "much"})
    assert (status, problem["code"]) == (422, "bad-config")


async def test_evidence_is_gathered_as_a_job(project, ask):
    job = await ask("gather", path="rooms.ipynb", items=["NB-5"])
    while job["state"] == "running":
        job = await ask("job", id=job["id"])
    assert (job["kind"], job["state"], job["result"]) == ("gather", "done", {"items": ["NB-5"]})
    assert "no version of the package is fitted" in (await _items(ask))["NB-5"]["evidence"]


async def _items(ask):
    return {each["id"]: each for each in (await ask("readiness", path="rooms.ipynb"))["items"]}


async def _champions(ask, route, **more):
    answer = await ask(route, path="rooms.ipynb", **more)
    return [each["number"] for each in answer["versions"] if "champion" in each["aliases"]]


def _track(folder, text, status):
    """A run of the notebook as it is (`now`) or of another text, which ends in a status; gives its id."""
    from datetime import UTC, datetime

    from nbprod import tracking

    digest = hashlib.sha256((folder / "rooms.ipynb").read_bytes()).hexdigest() if text == "now" else "another"
    uri = tracking.default_uri(folder)
    record = tracking.RunRecord(name="rooms", notebook="rooms.ipynb", notebook_sha256=digest, start=datetime.now(UTC))
    run = tracking.begin_run(record, uri=uri, experiment="rooms")
    if status == "FAILED":
        return tracking.fail_run(record, uri=uri, experiment="rooms", run_id=run, error="boom")
    return tracking.log_run(replace(record, status=status), uri=uri, experiment="rooms", run_id=run)


def _export(folder, sources=None):
    from nbprod import api

    if sources is not None:
        (folder / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    api.export_notebook(str(folder / "rooms.ipynb"), output=str(folder / "pipelines"))


def _second_fitted(folder):
    """A second version with the state of the first."""
    from nbprod import versions

    _export(folder, [source.replace("median", "mean") for source in SOURCES])
    state = folder / "state"
    shutil.copytree(folder / "pipelines/rooms/v0001/state", state)
    from datetime import UTC, datetime

    versions.put_state(folder / "pipelines", "rooms", 2, state, run_id=None, now=datetime.now(UTC))
