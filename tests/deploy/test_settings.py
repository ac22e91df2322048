"""Settings that engines take, and those that they do not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.deploy.settings import objections
from tests.deploy.deployments import DIGEST, KNOWN, LEAST


@pytest.mark.parametrize("deployment", KNOWN)
def test_nothing_is_wrong_with_what_other_tests_deploy(deployment: Any) -> None:
    assert list(objections(deployment.settings)) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"image": "localhost:5000/team/sales_of-2024"}, id="a registry with a port"),
        pytest.param({"image": "a.b/c__d/e--f"}, id="separators"),
        pytest.param({"base_image": "python"}, id="a base without a tag"),
        pytest.param({"base_image": f"registry.example.org:443/python:3.12@{DIGEST}"}, id="a base with all of it"),
        pytest.param({"namespace": "a" * 63}, id="the longest namespace"),
        pytest.param({"port": 65535, "replicas": 1, "canary": 100}, id="numbers at their ends"),
    ],
)
def test_settings_that_are_taken(changes: dict[str, Any]) -> None:
    assert list(objections(replace(LEAST.settings, **changes))) == []


@pytest.mark.parametrize(
    "key, value",
    [
        pytest.param("image", "sales:v1", id="an image with a tag"),
        pytest.param("image", "Sales", id="an image with a capital"),
        pytest.param("image", "team/sales/", id="an image that ends with a slash"),
        pytest.param("image", "", id="no image"),
        pytest.param("base_image", "python:3.12\nRUN rm -rf /", id="a base with a line more"),
        pytest.param("base_image", "python:3.12 AS x", id="a base with words behind it"),
        pytest.param("base_image", "python@sha256:123", id="a base with half a digest"),
        pytest.param("namespace", "Models", id="a namespace with a capital"),
        pytest.param("namespace", "a" * 64, id="a namespace that is too long"),
        pytest.param("namespace", "-models", id="a namespace that begins with a hyphen"),
        pytest.param("port", 0, id="no port"),
        pytest.param("port", 65536, id="a port too many"),
        pytest.param("replicas", 0, id="no replica"),
        pytest.param("canary", 101, id="more than all"),
        pytest.param("canary", -1, id="less than nothing"),
    ],
)
def test_settings_that_no_engine_takes_are_told_by_their_key(key: str, value: Any) -> None:
    assert [name for name, _ in objections(replace(LEAST.settings, **{key: value}))] == [key]
