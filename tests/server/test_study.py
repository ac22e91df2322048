"""What a study tells of features and of cells left out, before a run and after it."""

from __future__ import annotations

import json

from .conftest import SOURCES, notebook


async def test_before_a_run_nothing_is_known_of_learned_values_and_serving(project, ask):
    area = {each["name"]: each for each in (await ask("study", path="rooms.ipynb"))["features"]}["area"]
    assert [(each["expression"], each["value"]) for each in area["learned"]] == [("df['area'].median()", None)]
    assert (area["missing"], area["unseen"]) == (None, None)


async def test_after_a_run_features_show_what_was_learned_and_what_serving_does(ran, ask):
    study = await ask("study", path="rooms.ipynb")
    features = {each["name"]: each for each in study["features"]}
    learned = json.loads((ran / "pipelines/rooms/v0001/state/learned.json").read_text("utf-8"))

    assert study["check"]["verdict"] == "same"
    (value,) = (each["value"] for each in features["area"]["learned"])
    assert float(value) == next(iter(learned.values()))["value"]
    assert features["area"]["missing"].startswith("area: as in training, where 1")
    assert features["area"]["unseen"] == "area: outside of 20.0 to 32.0: predicted and flagged"
    assert features["rooms"]["missing"].startswith("rooms: refused")
    assert features["rooms"]["unseen"] == "rooms: other than the 4 values of training: predicted and flagged"


async def test_a_feature_that_changed_shows_no_value_of_another_expression(ran, ask):
    edited = notebook([source.replace("median", "mean") for source in SOURCES])
    study = await ask("study", path="rooms.ipynb", content=edited)
    area = next(each for each in study["features"] if each["name"] == "area")

    assert study["check"]["verdict"] == "diverges"
    assert [each["value"] for each in area["learned"]] == [None]
    assert area["missing"] is None


async def test_a_value_of_another_column_is_not_shown_beside_the_same_expression(ran, ask):
    edited = notebook([source.replace(".head(rows)", ".head(rows)\ndf['area'] = df['area'] * 2") for source in SOURCES])
    study = await ask("study", path="rooms.ipynb", content=edited)
    area = next(each for each in study["features"] if each["name"] == "area")
    assert [(each["expression"], each["value"]) for each in area["learned"]] == [("df['area'].median()", None)]


async def test_a_secret_among_the_learned_values_is_not_shown(ran, ask):
    path = ran / "pipelines/rooms/v0001/state/learned.json"
    learned = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(dict.fromkeys(learned, "ghp_" + "a1B2" * 9)), "utf-8")
    area = next(each for each in (await ask("study", path="rooms.ipynb"))["features"] if each["name"] == "area")
    assert [each["value"] for each in area["learned"]] == ["'***'"]


async def test_a_damaged_state_is_no_error_of_a_study(ran, ask):
    (ran / "pipelines/rooms/v0001/state/learned.json").write_text("{", "utf-8")
    area = next(each for each in (await ask("study", path="rooms.ipynb"))["features"] if each["name"] == "area")
    assert [each["value"] for each in area["learned"]] == [None]


async def test_a_feature_that_the_replay_found_wrong_is_refused(ran, ask):
    path = ran / ".nbprod/proofs/rooms/v0001.json"
    proof = json.loads(path.read_text("utf-8"))
    proof["verify"] |= {"status": "failed", "mismatch": {"feature": "area"}}
    path.write_text(json.dumps(proof), "utf-8")
    study = await ask("study", path="rooms.ipynb")
    assert {each["name"]: each["status"] for each in study["features"]} == {
        "area": "refused",
        "big": "proven",
        "rooms": "proven",
    }


async def test_cells_left_out_have_the_reason_that_a_reader_would_give(project, ask):
    sources = [*SOURCES, "df['x'] = df['area'] * 2", "if"]
    study = await ask("study", path="rooms.ipynb", content=notebook(sources))
    assert {each["cell"]: each["why"] for each in study["left_out"]} == {
        3: "it only looks at data",
        6: "it trains a model that is not served: model is",
        7: "nothing that the model is given needs it",
        8: "it does not parse",
    }
