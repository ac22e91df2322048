"""YAML as a person would write it: keys in the order that they were given, long texts as blocks."""

from __future__ import annotations

from typing import Any

import yaml

WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Lists are set in below their key, and nothing is written as a reference to something above."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dumped(*documents: Any) -> str:
    """Documents as one text. The key `on` of workflows stays as it is, which YAML 1.1 takes for a truth value."""
    parts = [yaml.dump(each, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH) for each in documents]
    return "---\n".join(part.replace("\n'on':", "\non:") if part.startswith("name:") else part for part in parts)
