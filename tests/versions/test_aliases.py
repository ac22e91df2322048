from collections.abc import Callable
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.model.run import Version
from nbprod.versions import aliases, latest, previous, promote, remove_alias, resolve, rollback

Export = Callable[..., Version]


@pytest.fixture
def three(export: Export, fitted: Export, tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        export(f"x = {number}\n")
        fitted(number)
    return tmp_path


def test_a_promoted_version_has_the_alias(three: Path) -> None:
    assert promote(three, "churn", 2).aliases == ("production",)
    assert promote(three, "churn", 2, alias="staging").aliases == ("production", "staging")
    assert aliases(three, "churn") == {"production": 2, "staging": 2}


def test_rolling_back_walks_through_what_was_promoted(three: Path) -> None:
    for number in (1, 3, 2):
        promote(three, "churn", number)
    promote(three, "churn", 2)
    assert previous(three, "churn") == 3
    assert [rollback(three, "churn").number, rollback(three, "churn").number] == [3, 1]
    with pytest.raises(NbprodError, match="stood for no other version before"):
        rollback(three, "churn")


def test_without_a_number_the_newest_fitted_is_promoted(three: Path, export: Export) -> None:
    export("x = 4\n")
    assert latest(three, "churn").number == 4
    assert promote(three, "churn").number == 3


def test_a_version_that_was_never_fitted_cannot_be_promoted(three: Path, export: Export) -> None:
    export("x = 4\n")
    with pytest.raises(NbprodError, match="never fitted"):
        promote(three, "churn", 4)


def test_an_alias_can_be_forgotten(three: Path) -> None:
    promote(three, "churn", 1)
    remove_alias(three, "churn", "production")
    assert aliases(three, "churn") == {}
    with pytest.raises(NbprodError, match='no version "production"'):
        rollback(three, "churn")


@pytest.mark.parametrize(
    "reference, number", [(2, 2), ("2", 2), ("v2", 2), ("v0002", 2), ("latest", 3), (None, 3), ("production", 1)]
)
def test_a_version_is_found_by(reference: int | str | None, number: int, three: Path) -> None:
    promote(three, "churn", 1)
    assert resolve(three, "churn", reference).number == number


@pytest.mark.parametrize("reference", [0, 9, "v9", "staging", "", "2.0", "../1"])
def test_a_version_that_is_not_there_is_answered_with_those_that_are(reference: int | str, three: Path) -> None:
    with pytest.raises(NbprodError) as caught:
        resolve(three, "churn", reference)
    assert "1, 2, 3 and latest" in (caught.value.hint or "")


@pytest.mark.parametrize("alias", ["latest", "v1", "1", "", "a b", "a/b"])
def test_an_alias_that_could_be_mistaken_is_refused(alias: str, three: Path) -> None:
    with pytest.raises(NbprodError) as caught:
        promote(three, "churn", 1, alias=alias)
    assert caught.value.code == "bad-alias"


def test_a_package_that_is_not_there_is_answered_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(NbprodError, match="nbprod export"):
        resolve(tmp_path, "churn", 1)
