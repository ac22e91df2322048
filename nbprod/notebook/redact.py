"""What looks like a secret, and text without it: passwords, keys and tokens by their names and by their shapes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from nbprod.model.parameter import SecretValue

MASK = "***"
# What stands for the value of an environment variable: it names a secret, and gives none away.
REFERENCE = re.compile(r"env:[A-Za-z_]\w*")

# Word by word, so that `max_tokens`, `tokenizer` and `author` are no secrets.
_NAMES = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|secrets|token|credential|credentials|authorization|bearer"
    r"|api_?key|access_?key|account_?key|private_?key|secret_?key|signing_?key|encryption_?key|auth_?key"
    r"|connection_?string|client_?secret|sas_?token|webhook_?url|dsn)(?:_|$)"
)
# A name that ends so is about a secret and does not hold one.
_ABOUT = re.compile(r"_(?:name|file|path|length|len|count|type|field|column|col|columns|expiry|ttl|id|size|index)$")

# Published shapes of credentials, as their issuers document them. Each stands with parts, in lower case, of which any
# text that matches has one: a pattern is only made and tried where one is there.
_SHAPES: dict[str, tuple[tuple[str, str], ...]] = {
    "a private key": (
        (
            "-----begin",
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)",
        ),
    ),
    "an AWS access key": (("akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b"),),
    "a GitHub token": (
        ("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
        ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,}\b"),
    ),
    "a GitLab token": (("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),),
    "a Slack token": (
        ("xox", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
        ("hooks.slack.com", r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"),
    ),
    "a Google API key": (("aiza", r"\bAIza[A-Za-z0-9_-]{35}\b"), ("ya29.", r"\bya29\.[A-Za-z0-9_-]{20,}")),
    # With a digit, so that the names of styles in the HTML of estimators (`sk-toggleable__label-arrow`) are none.
    "an API key": (("sk-", r"\bsk-(?=[A-Za-z0-9_-]*[0-9])(?:[a-z]+-)*[A-Za-z0-9_-]{20,}"),),
    "a Stripe key": (("k_live_ k_test_", r"\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}"),),
    "a Hugging Face token": (("hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),),
    "an npm token": (("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),),
    "a PyPI token": (("pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),),
    "a Databricks token": (("dapi", r"\bdapi[0-9a-f]{32}\b"),),
    "a JSON web token": (("eyj", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),),
    "a bearer token": (("bearer", r"\b(?i:bearer)\s+[A-Za-z0-9._~+/-]{16,}=*"),),
}
# Here only the second group is the secret: what stands around it tells where it belongs.
_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "a password in an address": (("://", r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@'\"]*:)([^@\s/'\"]+)(?=@)"),),
    "an account key": (
        (
            "accountkey= sharedaccesskey= sharedaccesssignature=",
            r"((?:AccountKey|SharedAccessKey|SharedAccessSignature)=)([A-Za-z0-9+/%=&-]{20,})",
        ),
    ),
    "a token in an address": (
        (
            "sig= token= api_key= apikey= password= x-amz-signature=",
            r"([?&](?:sig|token|access_token|api_key|apikey|password|X-Amz-Signature)=)([^&\s'\"]+)",
        ),
    ),
    "an AWS secret key": (
        (
            "secret",
            r"(?i)((?:aws_?)?secret_?(?:access_?)?key[\"']?\s*[:=]\s*[\"']?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        ),
    ),
    "a password or key": (
        (
            "password passwd pwd secret token api access",
            r"(?i)(\b(?:[a-z0-9]+_)*(?:password|passwd|pwd|secret|token|api_?key|access_?key)"
            r"\\?[\"']?\s*[:=]\s*\\?[\"'])"
            r"((?!env:[A-Za-z_]\w*\\?[\"'])[^\"'\\\s]{4,})(?=\\?[\"'])",
        ),
    ),
}


class Pattern(Struct, frozen=True):
    """What a secret looks like; `parts` as above, `is_part` where only the second group is the secret."""

    what: str
    parts: tuple[str, ...]
    form: str
    is_part: bool


_PATTERNS = tuple(
    Pattern(what, tuple(parts.split(" ")), form, kind is _PARTS)
    for kind in (_SHAPES, _PARTS)
    for what, patterns in kind.items()
    for parts, form in patterns
)

# What stands where a person is to put a secret of their own.
_PLACEHOLDER = re.compile(
    r"(?i)[<>{}$*%]|\.\.\.|x{3}|^(?:your|my|enter|insert|put|example|test|dummy|fake|some|change|placeholder|none|null"
    r"|password|passwd|pwd|secret|token|key|api_?key|access_?key)"
)


class Secret(Struct, frozen=True):
    """Where something secret stands in a text, and what it is; never the secret itself."""

    start: int
    what: str


def is_secret(name: str, value: object = None) -> bool:
    """Whether a parameter or tag looks like a secret, by its name or by its value.

    A switch or a missing value under a secret's name gives nothing away, nor does a reference to the environment.
    """
    if value is None or isinstance(value, bool | float):
        return False
    text = str(value)
    if REFERENCE.fullmatch(text):
        return False
    return (text != "" and _names_a_secret(name)) or _looks_secret(text)


def redacted(name: str, value: object) -> str:
    """`value` as text, or `***` where it looks like a secret."""
    return MASK if is_secret(name, value) else str(value)


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """`text` with `***` for what looks like a secret in it, and for the secrets in `known`, such as parameters."""
    text = without(text, known)
    for pattern in patterns_for(text):
        text = re.sub(pattern.form, (lambda match: f"{match[1]}{MASK}") if pattern.is_part else MASK, text)
    return text


def without(text: str, known: Iterable[str]) -> str:
    """`text` with `***` for the secrets in `known`, and nothing else; what has less than 4 characters is none."""
    for secret in sorted({each for each in known if len(each) >= 4}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def without_in(value: Any, known: Collection[str]) -> Any:
    """A value as JSON has it, its texts as `without` gives them."""
    return _in_texts(value, lambda text: without(text, known))


def redact_in(value: Any) -> Any:
    """A value as JSON has it, its texts as `redact_text` gives them."""
    return _in_texts(value, redact_text)


def _in_texts(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return type(value)({key: _in_texts(each, change) for key, each in value.items()})
        case list():
            return [_in_texts(each, change) for each in value]
        case _:
            return value


def secrets_in(text: str, among: Iterable[Pattern] | None = None) -> list[Secret]:
    """What is certainly secret in a text: published shapes, passwords in addresses, and values named like secrets.

    Stricter than `redact_text`, which hides what may be secret: placeholders and plain words are left out. `among` are
    the patterns that `patterns_for` gave for a text that this one is part of.
    """
    found: list[Secret] = []
    for pattern in patterns_for(text, among):
        found.extend(
            Secret(match.start(2 if pattern.is_part else 0), pattern.what)
            for match in re.compile(pattern.form).finditer(text)
            if not pattern.is_part or _is_kept(pattern.what, match)
        )
    return sorted(found, key=lambda secret: secret.start)


def _is_kept(what: str, match: re.Match[str]) -> bool:
    """Whether the value that a name or an address calls secret is a secret, and no placeholder, word or column."""
    if _PLACEHOLDER.search(match[2]):
        return False
    if what != "a password or key":
        return what != "a token in an address" or _looks_random(match[2], 12)
    assigned = match[1].rstrip("\"'\\ ").endswith("=")
    named = match[1].lower()
    if assigned and re.search(r"pass(?:word|wd)|pwd", named):
        return True
    return _looks_random(match[2], 16)


def _looks_random(value: str, length: int) -> bool:
    """Letters and digits mixed, as no word, path or column name is: 3 bits a character and more (Shannon)."""
    if len(value) < length or not re.search(r"[0-9]", value) or not re.search(r"[A-Za-z]", value):
        return False
    counts = [value.count(char) / len(value) for char in set(value)]
    return -sum(share * math.log2(share) for share in counts) >= 3


def secret_values(values: Mapping[str, object]) -> tuple[str, ...]:
    """The values of a mapping that are secrets or look like them, for `redact_text`."""
    secrets = {name: value.value if isinstance(value, SecretValue) else value for name, value in values.items()}
    hidden = (name for name, value in values.items() if isinstance(value, SecretValue) or is_secret(name, value))
    return tuple(text for name in hidden for text in _texts(secrets[name]))


def _texts(value: object) -> Iterator[str]:
    """The texts of a value and of its parts, also as they stand in code and in JSON."""
    match value:
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _texts(each)
        case None | bool():
            return
        case _:
            text = str(value)
            yield from dict.fromkeys((text, repr(text)[1:-1], json.dumps(text)[1:-1]))


def _names_a_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).lower().strip("_")
    return bool(_NAMES.search(words)) and not _ABOUT.search(words)


def _looks_secret(text: str) -> bool:
    return any(re.search(pattern.form, text) for pattern in patterns_for(text))


def patterns_for(text: str, among: Iterable[Pattern] | None = None) -> list[Pattern]:
    """The patterns that may match somewhere in `text`."""
    lower = text.casefold()
    return [one for one in (_PATTERNS if among is None else among) if any(map(lower.__contains__, one.parts))]
