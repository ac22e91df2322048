"""Owners by CODEOWNERS, and whether version control knows them."""

from __future__ import annotations

import pytest

from nbprod.readiness.facts import People
from nbprod.readiness.people import is_known, owners_of


@pytest.mark.parametrize(
    "path, rules, owners",
    [
        pytest.param("a.ipynb", [("*", "@all")], ("@all",), id="a star is for all"),
        pytest.param("work/a.ipynb", [("*", "@all"), ("/work/", "@one")], ("@one",), id="the last that matches counts"),
        pytest.param("work/a.ipynb", [("*.ipynb", "@one")], ("@one",), id="an ending, at any depth"),
        pytest.param("work/deep/a.ipynb", [("work", "@one")], ("@one",), id="a folder without a slash"),
        pytest.param("other/work.txt", [("/work", "@one")], (), id="another folder"),
        pytest.param("work/a.ipynb", [("/work/*.py", "@one")], (), id="another ending"),
        pytest.param("a.ipynb", [("*", "@all"), ("*.ipynb", "")], (), id="a rule that takes the owner away"),
        pytest.param("docs/a.md", [("docs/*", "@one")], ("@one",), id="what lies in a folder"),
        pytest.param("docs/deep/a.md", [("docs/*", "@one")], (), id="and no deeper"),
        pytest.param("docs/deep/a.md", [("docs/", "@one")], ("@one",), id="a folder with all below"),
        pytest.param("a/b/work/c.py", [("a/**/work", "@one")], ("@one",), id="folders between"),
        pytest.param("b/docs/a.md", [("docs/a.md", "@one")], (), id="a path stands at the root"),
    ],
)
def test_codeowners_are_read_as_the_forge_reads_them(
    path: str, rules: list[tuple[str, str]], owners: tuple[str, ...]
) -> None:
    people = People((), tuple((pattern, tuple(named.split())) for pattern, named in rules))

    assert owners_of(path, people) == owners


@pytest.mark.parametrize(
    "owner, known",
    [
        pytest.param("Ada Lovelace", True, id="a name"),
        pytest.param("ada@example.org", True, id="an address"),
        pytest.param("ADA@EXAMPLE.ORG", True, id="in any case"),
        pytest.param("@team/models", True, id="a team of CODEOWNERS"),
        pytest.param("Ada", True, id="a first name"),
        pytest.param("Ad", False, id="a part of a word"),
        pytest.param("eve@example.org", False, id="somebody else"),
    ],
)
def test_an_owner_is_known_by_name_address_or_handle(owner: str, known: bool) -> None:
    people = People(("Ada Lovelace <ada@example.org>",), (("*", ("@team/models",)),))

    assert is_known(owner, people) is known
