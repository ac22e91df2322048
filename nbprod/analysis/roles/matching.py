"""ast-grep rules tried on Python's own syntax tree: those of nbprod, for which a second parser would cost too much.

Understood are `kind`, `regex`, `pattern`, `has`, `inside` (with `field` and `stopBy: end`), `all`, `any`, `not` and
`matches`. What a rule says of the function of a call is asked once for each text of such a function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from nbprod.analysis.roles.patterns import Bound, match, parsed_pattern
from nbprod.analysis.roles.rules import Rule, own_rules
from nbprod.analysis.roles.syntax import Tree
from nbprod.analysis.roles.words import searcher

Test = Callable[[Tree, Any], bool]
Config = Mapping[str, Any]


class Matcher(Struct, frozen=True):
    """A rule as a test of nodes of some kinds: what it says of a call's function, and all that it says."""

    rule: Rule
    kinds: frozenset[str]
    function: Test | None
    test: Test


Told = dict[str, list[Matcher]]
"""The rules that may match a call, by the text of its function."""


def matches(tree: Tree, told: Told) -> Iterator[tuple[Rule, Any]]:
    """What nbprod's own rules find in a cell, each with its node; `told` is kept from cell to cell of a notebook."""
    for kind, matchers in _by_kind().items():
        for node in tree.of_kind.get(kind, ()):
            for one in _of_call(tree, node, matchers, told) if kind == "call" else matchers:
                if one.test(tree, node):
                    yield one.rule, node


def _of_call(tree: Tree, call: ast.Call, matchers: list[Matcher], told: Told) -> list[Matcher]:
    text = tree.text(call.func)
    known = told.get(text)
    if known is None:
        known = told[text] = [one for one in matchers if one.function is None or one.function(tree, call.func)]
    return known


def receiver_of(rule: Rule, tree: Tree, call: ast.Call) -> str | None:
    """The text that `$OBJ` of a rule's patterns stands for."""
    for config in rule.config["rule"].get("any", [rule.config["rule"]]):
        bound: Bound = {}
        if "pattern" in config and match(tree, parsed_pattern(config["pattern"]), call, bound):
            return bound.get("OBJ")
    return None


@cache
def _by_kind() -> dict[str, list[Matcher]]:
    """The matchers of nbprod's own rules by each kind that they may match."""
    found: dict[str, list[Matcher]] = {}
    for rule in own_rules():
        made = matcher(rule)
        for kind in made.kinds:
            found.setdefault(kind, []).append(made)
    return found


def matcher(rule: Rule) -> Matcher:
    """A rule made ready. Raises KeyError for what is not understood."""
    config, utils = rule.config["rule"], rule.config.get("utils", {})
    return Matcher(rule, _kinds(config), _of_function(config, utils), _test(_beyond_kind(config), utils))


def _kinds(config: Config) -> frozenset[str]:
    """The kinds that a node must be of one of."""
    if "kind" in config:
        return frozenset({config["kind"]})
    if "pattern" in config:
        return frozenset({Tree("", ast.Module([], [])).kind(parsed_pattern(config["pattern"]))})
    if "all" in config and "any" not in config:
        return next(kinds for part in config["all"] if (kinds := _kinds(part)))
    return frozenset().union(*(_kinds(part) for part in config.get("any", ())))


def _beyond_kind(config: Config) -> Config:
    """What a rule says of a node beside its kind, by which it was found."""
    only_kinds = all(part.keys() == {"kind"} for part in config.get("any", ()))
    return {key: value for key, value in config.items() if key != "kind" and not (key == "any" and only_kinds)}


def _of_function(config: Config, utils: Config) -> Test | None:
    """What must hold of the function of a call, as far as its text tells."""
    if "pattern" in config:
        pattern = parsed_pattern(config["pattern"])
        return _is_called(pattern.func) if isinstance(pattern, ast.Call) else None
    if config.get("kind") in (None, "call"):
        own = config.get("has", {})
        if own.get("field") == "function":
            return _test({key: value for key, value in own.items() if key != "field"}, utils)
        parts = [_of_function(part, utils) for part in config.get("all", ())]
        stated = [part for part in parts if part is not None]
        if stated:
            return _every(stated)
        choices = [_of_function(part, utils) for part in config.get("any", ())]
        known = [choice for choice in choices if choice is not None]
        if known and len(known) == len(choices):
            return _some(known)
    return None


def _is_called(pattern: ast.expr) -> Test:
    """Whether a call's function is that of a pattern, by the last part of its name first."""
    if isinstance(pattern, ast.Attribute):
        name = pattern.attr
        return lambda tree, node: (
            isinstance(node, ast.Attribute) and node.attr == name and match(tree, pattern, node, {})
        )
    return lambda tree, node: match(tree, pattern, node, {})


def _test(config: Config, utils: Config) -> Test:
    """A rule, or a part of one, as a function of a node."""
    tests = [_MAKERS[key](value, utils) for key, value in config.items() if key not in ("field", "stopBy")]
    return tests[0] if len(tests) == 1 else _every(tests)


def _every(tests: list[Test]) -> Test:
    def holds(tree: Tree, node: Any) -> bool:
        for test in tests:  # noqa: SIM110 (a generator costs as much as the tests)
            if not test(tree, node):
                return False
        return True

    return holds


def _some(tests: list[Test]) -> Test:
    def holds(tree: Tree, node: Any) -> bool:
        for test in tests:  # noqa: SIM110
            if test(tree, node):
                return True
        return False

    return holds


def _kind(kind: str, _utils: Config) -> Test:
    return lambda tree, node: tree.kind(node) == kind


def _regex(expression: str, _utils: Config) -> Test:
    found = searcher(expression)
    return lambda tree, node: found(tree.text(node))


def _pattern(text: str, _utils: Config) -> Test:
    pattern = parsed_pattern(text)
    return lambda tree, node: isinstance(node, ast.AST) and match(tree, pattern, node, {})


def _any(configs: list[Config], utils: Config) -> Test:
    return _some([_test(config, utils) for config in configs])


def _all(configs: list[Config], utils: Config) -> Test:
    return _every([_test(config, utils) for config in configs])


def _not(config: Config, utils: Config) -> Test:
    test = _test(config, utils)
    return lambda tree, node: not test(tree, node)


def _matches(name: str, utils: Config) -> Test:
    return _test(utils[name], utils)


def _has(config: Config, utils: Config) -> Test:
    test = _test(config, utils)
    field: str | None = config.get("field")
    if field is not None:
        return lambda tree, node: (part := tree.field(node, field)) is not None and test(tree, part)
    if config.get("stopBy") == "end":
        return lambda tree, node: any(test(tree, one) for one in tree.descendants(node))
    return lambda tree, node: any(test(tree, one) for one in tree.children(node))


def _inside(config: Config, utils: Config) -> Test:
    test = _test(config, utils)
    if config.get("stopBy") == "end":
        return lambda tree, node: any(test(tree, one) for one in tree.ancestors(node))
    return lambda tree, node: (above := tree.parent(node)) is not None and test(tree, above)


_MAKERS: dict[str, Callable[[Any, Config], Test]] = {
    "kind": _kind,
    "regex": _regex,
    "pattern": _pattern,
    "any": _any,
    "all": _all,
    "not": _not,
    "matches": _matches,
    "has": _has,
    "inside": _inside,
}
