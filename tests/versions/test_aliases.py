from collections.abc import Callable
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.model.promotion import Promotion
from nbprod.model.run import Version
from nbprod.versions import (
    aliases,
    challenge,
    latest,
    previous,
    promote,
    promotions,
    remove_alias,
    resolve,
    rollback,
)

Export = Callable[..., Version]


@pytest.fixture
def three(export: Export, fitted: Export, tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        export(f"x = {number}\n")
        fitted(number)
    return tmp_path


def test_a_promoted_version_has_the_alias(three: Path) -> None:
    assert promote(three, "churn", 2).aliases == ("champion",)
    assert promote(three, "churn", 2, alias="staging").aliases == ("champion", "staging")
    assert aliases(three, "churn") == {"champion": 2, "staging": 2}


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


def test_an_alias_of_another_name_is_kept_beside_the_champion(three: Path) -> None:
    promote(three, "churn", 1, alias="production")
    promote(three, "churn", 2)
    promote(three, "churn", 2, alias="production")
    assert rollback(three, "churn", "production").number == 1
    assert aliases(three, "churn") == {"champion": 2, "production": 1}


def test_a_challenger_that_is_promoted_challenges_no_more(three: Path) -> None:
    promote(three, "churn", 1)
    assert challenge(three, "churn", 3).aliases == ("challenger",)
    assert challenge(three, "churn", 2).aliases == ("challenger",)
    assert promote(three, "churn", 2).aliases == ("champion",)
    assert aliases(three, "churn") == {"champion": 2}


def test_the_champion_does_not_challenge_itself(three: Path) -> None:
    promote(three, "churn", 1)
    challenge(three, "churn", 2)
    assert challenge(three, "churn", 1).aliases == ("champion",)
    assert aliases(three, "churn") == {"champion": 1}


def test_a_promotion_that_was_judged_against_another_champion_is_refused(three: Path) -> None:
    promote(three, "churn", 1)
    judged = Promotion("promote", "champion", 2, before=None, when="2026-01-02T03:04:05Z", who="Ada")
    with pytest.raises(NbprodError) as caught:
        promote(three, "churn", 2, promotion=judged)
    assert caught.value.code == "alias-moved"
    assert (aliases(three, "churn"), promotions(three, "churn")) == ({"champion": 1}, ())


def test_an_alias_can_be_forgotten(three: Path) -> None:
    promote(three, "churn", 1)
    remove_alias(three, "churn", "champion")
    assert aliases(three, "churn") == {}
    with pytest.raises(NbprodError, match='no version "champion"'):
        rollback(three, "churn")


@pytest.mark.parametrize(
    "reference, number", [(2, 2), ("2", 2), ("v2", 2), ("v0002", 2), ("latest", 3), (None, 3), ("champion", 1)]
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
