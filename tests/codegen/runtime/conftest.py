"""What several tests of a package at work share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.codegen.runtime.sheds import Sheds, two_sheds


@pytest.fixture(scope="module")
def sheds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sheds]:
    """A package with two fitted versions."""
    with two_sheds(tmp_path_factory.mktemp("pipelines")) as made:
        yield made
