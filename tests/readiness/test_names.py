"""Names of columns and patterns of values that may be about a person."""

from __future__ import annotations

import pytest

from nbprod.readiness.names import looks_personal, looks_protected, personal_values


@pytest.mark.parametrize(
    "name, protected, personal",
    [
        pytest.param("Sex", True, False, id="a protected word"),
        pytest.param("customer_gender", True, False, id="within a name"),
        pytest.param("MaritalStatus", True, False, id="in camel case"),
        pytest.param("AGE", True, False, id="in capitals"),
        pytest.param("e_mail", False, True, id="apart by underscores"),
        pytest.param("firstName", False, True, id="a name"),
        pytest.param("IPAddress", False, True, id="an abbreviation before a word"),
        pytest.param("date_of_birth", True, True, id="both"),
        pytest.param("stage", False, False, id="a word that only ends alike"),
        pytest.param("package", False, False, id="another one"),
        pytest.param("filename", False, False, id="a word that only contains it"),
        pytest.param("7", False, False, id="a number"),
        pytest.param("", False, False, id="nothing"),
    ],
)
def test_names(name: str, protected: bool, personal: bool) -> None:
    assert (looks_protected(name), looks_personal(name)) == (protected, personal)


@pytest.mark.parametrize(
    "text, found",
    [
        pytest.param("write to ada.l@mail.example.org now", "an address of e-mail", id="mail"),
        pytest.param("ssn 078-05-1120", "a number of a social security", id="a social security number"),
        pytest.param("000-05-1120", None, id="an area that is never given"),
        pytest.param("CH93 0076 2011 6238 5295 7", "an IBAN", id="an IBAN"),
        pytest.param("+41 44 123 45 67", "a number of a telephone", id="a telephone"),
        pytest.param("0    1.0  -0.5\n1    2.0  +3.5", None, id="numbers of a table"),
        pytest.param("2026-11-30 05:00", None, id="a date"),
        pytest.param("user@host", None, id="no domain"),
    ],
)
def test_values(text: str, found: str | None) -> None:
    assert personal_values(text) == found
