"""The verbs of `%nbprod`, and the command line that each stands for."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

VERBS = {
    "check": "has the notebook moved away from its package? findings too; --live: does the kernel's frame agree?",
    "inspect": "cells, dataflow, findings and plan, without running anything",
    "plan": "the plan, as `inspect` shows it: steps, what they learn, what is refused",
    "export": "extract the notebook into a versioned package",
    "verify": "prove by replay that the package equals the notebook",
    "readiness": "the checklist for production, with evidence",
    "versions": "the ledger of the package",
    "explain": "the cells and lines that a variable or a feature depends on",
    "tag": "the cells' roles and suggestions",
    "diff": "compare two versions, or a notebook and a version",
}
# Verbs that stand for another command with an option.
COMMANDS = {"plan": ("inspect",), "explain": ("inspect", "--slice")}
NAMES_A_PACKAGE = frozenset({"versions", "diff"})
READS_PACKAGES = frozenset({"check", "export", "verify", "versions", "diff"})


def unknown(verb: str) -> str:
    """What is wrong with a verb that there is not, with the nearest one."""
    near = get_close_matches(verb, VERBS, 1)
    hint = f'did you mean "%nbprod {near[0]}"?' if near else f"verbs: {', '.join(VERBS)}"
    return f'there is no verb "{verb}": {hint}'


def notebooks_of(words: list[str]) -> list[str]:
    """The notebooks that the words name."""
    return [word for word in words if not word.startswith("-") and Path(word).suffix in (".ipynb", ".py")]


def gives_target(words: list[str]) -> bool:
    """Whether the words name a notebook or package themselves."""
    return bool(words) and (
        not words[0].startswith("-") or any(Path(word).suffix in (".ipynb", ".py") for word in words)
    )


def gives_output(words: list[str]) -> bool:
    """Whether the words say where the packages lie."""
    return any(word.startswith(("-o", "--output")) for word in words)


def prints(words: list[str]) -> bool:
    """Whether the words ask for the command's own text, in a format or as help."""
    return any(word in ("-h", "--help") or word.startswith("--format") for word in words)
