import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbprod.model.parameter import SecretValue
from nbprod.notebook.redact import _PARTS, _SHAPES, is_secret, redact_text, redacted, secret_values

# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".c2lnbmF0dXJl"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA " + "PRIVATE KEY-----"
SLACK = "xoxb-" + "123456789012-abcdefghijkl"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
URL = "postgresql://ana:s3cr3t@db.example.org:5432/sales"
AZURE = "AccountName=a;AccountKey=" + "Zm9v" * 20 + "==;"


@pytest.mark.parametrize(
    "name, value",
    [
        ("password", "hunter2"),
        ("db_password", "x"),
        ("dbPassword", "hunter2"),
        ("PASSWORD", 1234),
        ("api_key", "abc"),
        ("apikey", "abc"),
        ("OPENAI_API_KEY", "abc"),
        ("aws_secret_access_key", "abc"),
        ("access-token", "abc"),
        ("auth.token", "abc"),
        ("client_secret", "abc"),
        ("credentials", "abc"),
        ("connectionString", "abc"),
        ("sentry_dsn", "abc"),
        ("note", AWS),
        ("note", f"the key is {GITHUB}."),
        ("note", JWT),
        ("note", PEM),
        ("note", SLACK),
        ("note", GOOGLE),
        ("path", URL),
        ("path", AZURE),
        ("path", "https://a.blob.example.org/x.csv?sv=1&sig=abcdef%3D"),
        ("header", "Bearer abcdefghijklmnop.qrstuv"),
        ("code", 'login(password="hunter2")'),
    ],
)
def test_what_looks_like_a_secret_is_masked(name: str, value: object) -> None:
    assert is_secret(name, value)
    assert redacted(name, value) == "***"


@pytest.mark.parametrize(
    "name, value",
    [
        ("max_tokens", 512),
        ("tokenizer", "word"),
        ("author", "Ana"),
        ("key", "id"),
        ("primary_key", "PassengerId"),
        ("monkey", "x"),
        ("password", None),
        ("password", ""),
        ("use_token", True),
        ("token_count", 12),
        ("password_column", "pwd"),
        ("secret_path", "/run/secrets/x"),
        ("keyboard", "us"),
        ("path", "https://example.org/data.csv"),
        ("path", "s3://bucket/key.csv"),
        ("path", "sqlite:////home/ana/mlflow.db"),
        ("email", "mailto:ana@example.org"),
        ("digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("commit", "a98685f0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6"),
        ("learning_rate", 0.1),
        ("columns", ["Age", "Fare"]),
        ("text", "ask-me-anything-about-skiing"),
    ],
)
def test_what_is_none_is_left_alone(name: str, value: object) -> None:
    assert not is_secret(name, value)
    assert redacted(name, value) == str(value)


@pytest.mark.parametrize(
    "text, clean",
    [
        (f"url = {URL!r}", "url = 'postgresql://ana:***@db.example.org:5432/sales'"),
        (f"a\n{PEM}\nb", "a\n***\nb"),
        (f"key {AWS} end", "key *** end"),
        ('login(user="ana", password="hunter2")', 'login(user="ana", password="***")'),
        ('{"source": ["password = \\"hunter2\\"\\n"]}', '{"source": ["password = \\"***\\"\\n"]}'),
        ('password = os.environ["DB_PASSWORD"]', 'password = os.environ["DB_PASSWORD"]'),
        ('df["token"] = df["token"].str.lower()', 'df["token"] = df["token"].str.lower()'),
        ("nothing here", "nothing here"),
    ],
)
def test_a_text_keeps_all_but_its_secrets(text: str, clean: str) -> None:
    assert redact_text(text) == clean
    assert redact_text(clean) == clean


def test_known_secrets_are_taken_out_wherever_they_stand() -> None:
    known = secret_values({"password": "hunter2", "seed": 0, "token": "abc"})
    assert known == ("hunter2", "abc")
    assert redact_text("it was hunter2, abc", known) == "it was ***, abc"


def test_a_long_word_takes_time_in_proportion_to_its_length() -> None:
    assert redact_text("ab1" * 200_000) == "ab1" * 200_000


PATTERNS = [pattern for kind in (_SHAPES, _PARTS) for patterns in kind.values() for _, pattern in patterns]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_a_pattern_matches_has_the_parts_it_is_tried_for(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(pattern, alphabet=st.sampled_from(string.printable)))
    found = re.search(pattern, text)
    assert not found or found[0] in ("***", f"{found[0][:-3]}***") or redact_text(text) != text


@pytest.mark.parametrize(
    "text",
    ['"DB_PASSWORD": "env:SALES_PASSWORD"', "{'password': 'env:PW'}", 'token = "env:TOKEN"'],
    ids=["in-json", "in-a-dict", "in-code"],
)
def test_a_reference_to_the_environment_is_told(text: str) -> None:
    assert redact_text(text) == text
    assert not is_secret("db_password", "env:SALES_PASSWORD")
    assert is_secret("db_password", "env:")


def test_a_secret_value_is_known_with_its_parts_and_as_code_and_json_write_it() -> None:
    value = SecretValue({"user": ["it's\nme"], "port": 5432, "on": True}, "env:DB")

    assert redacted("db", value) == "env:DB"
    assert set(secret_values({"db": value, "n": "env:N"})) == {"it's\nme", "it's\\nme", "5432"}
