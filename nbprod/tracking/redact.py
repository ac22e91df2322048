"""What looks like a secret, and text without it: passwords, keys and tokens by their names and by their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "***"

# Word by word, so that `max_tokens`, `tokenizer` and `author` are no secrets.
_NAMES = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|secrets|token|credential|credentials|authorization|bearer"
    r"|api_?key|access_?key|account_?key|private_?key|secret_?key|signing_?key|encryption_?key|auth_?key"
    r"|connection_?string|client_?secret|sas_?token|webhook_?url|dsn)(?:_|$)"
)
# A name that ends so is about a secret and does not hold one.
_ABOUT = re.compile(r"_(?:name|file|path|length|len|count|type|field|column|col|columns|expiry|ttl|id|size|index)$")

# Published shapes of credentials, as their issuers document them.
_SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
        r"\bgithub_pat_[A-Za-z0-9_]{22,}\b",
        r"\bglpat-[A-Za-z0-9_-]{20,}",
        r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        r"\bAIza[A-Za-z0-9_-]{35}\b",
        r"\bya29\.[A-Za-z0-9_-]{20,}",
        r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}",
        r"\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}",
        r"\bhf_[A-Za-z0-9]{30,}\b",
        r"\bnpm_[A-Za-z0-9]{36}\b",
        r"\bpypi-[A-Za-z0-9_-]{50,}",
        r"\bdapi[0-9a-f]{32}\b",
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"\b(?i:bearer)\s+[A-Za-z0-9._~+/-]{16,}=*",
    )
)
# Here only the second group is the secret: what stands around it tells where it belongs.
_PARTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"([A-Za-z][A-Za-z0-9+.-]*://[^/\s:@'\"]*:)([^@\s/'\"]+)(?=@)",
        r"((?:AccountKey|SharedAccessKey|SharedAccessSignature)=)([A-Za-z0-9+/%=&-]{20,})",
        r"([?&](?:sig|token|access_token|api_key|apikey|password|X-Amz-Signature)=)([^&\s'\"]+)",
        r"(?i)((?:aws_?)?secret_?(?:access_?)?key[\"']?\s*[:=]\s*[\"']?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        r"(?i)(\b(?:[a-z0-9]+_)*(?:password|passwd|pwd|secret|token|api_?key|access_?key)\\?[\"']?\s*[:=]\s*\\?[\"'])"
        r"([^\"'\\\s]{4,})(?=\\?[\"'])",
    )
)


def is_secret(name: str, value: object = None) -> bool:
    """Whether a parameter or tag looks like a secret, by its name or by its value.

    A switch or a missing value under a secret's name gives nothing away.
    """
    if value is None or isinstance(value, bool | float):
        return False
    text = str(value)
    return (text != "" and _names_a_secret(name)) or _looks_secret(text)


def redacted(name: str, value: object) -> str:
    """`value` as text, or `***` where it looks like a secret."""
    return MASK if is_secret(name, value) else str(value)


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """`text` with `***` for what looks like a secret in it, and for the secrets in `known`, such as parameters."""
    for secret in sorted({each for each in known if len(each) >= 4}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    for shape in _SHAPES:
        text = shape.sub(MASK, text)
    for part in _PARTS:
        text = part.sub(lambda match: f"{match[1]}{MASK}", text)
    return text


def secret_values(values: Mapping[str, object]) -> tuple[str, ...]:
    """The values of a mapping that look like secrets, for `redact_text`."""
    return tuple(str(value) for name, value in values.items() if is_secret(name, value))


def _names_a_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).lower().strip("_")
    return bool(_NAMES.search(words)) and not _ABOUT.search(words)


def _looks_secret(text: str) -> bool:
    return any(shape.search(text) for shape in _SHAPES) or any(part.search(text) for part in _PARTS)
