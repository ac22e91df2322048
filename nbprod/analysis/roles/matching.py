"""ast-grep rules tried on Python's own syntax tree: those of nbprod, for which a second parser would cost too much.

Understood are `kind`, `regex`, `pattern`, `has`, `inside` (with `field` and `stopBy: end`), `all`, `any`, `not` and
`matches`. What a rule says of the function of a call is asked once for each text of such a function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct

from nbprod.analysis.roles.patterns import Bound, is_metavariable, match, parsed_pattern
from nbprod.analysis.roles.rules import Rule, own_rules
from nbprod.analysis.roles.syntax import OF_ONE_KIND, Tree, field_of, left_of, types_of
from nbprod.analysis.roles.words import last_names, searcher

Test = Callable[[Tree, Any], bool]
Config = Mapping[str, Any]


_A_STATEMENT = {"kind": "expression_statement"}

Names = frozenset[str] | None
"""Names, or None for any name."""


class Matcher(Struct, frozen=True):
    """A rule as a test of nodes of some kinds: what it says of a call's function, and all that it says.

    `names` are the names of which the function's last must be one, or that of an attribute. `targets` are the types of
    what an assignment binds, None for any. `alone` rules match what is an expression as a statement, but for calls.
    """

    rule: Rule
    kinds: frozenset[str]
    names: dict[str, Names]
    function: Test | None
    targets: frozenset[type] | None
    test: Test
    alone: bool = False


_TOLD: dict[str, list[Matcher]] = {}
"""The rules that may match a call, by the text of its function; kept from cell to cell and notebook to notebook."""

MOST_TOLD = 10_000
"""Texts that are kept."""


def matches(tree: Tree) -> Iterator[tuple[Rule, Any]]:
    """What nbprod's own rules find in a cell, each with its node."""
    for node in tree.alone:
        for one in _alone().get(tree.kind(node), ()):
            if one.test(tree, node):
                yield one.rule, node
    for kind, matchers in _by_kind().items():
        for node in tree.of_kind.get(kind, ()):
            may: Sequence[Matcher] = matchers
            if kind == "call":
                may = _of_call(tree, node)
            elif kind == "attribute":
                may = _with_name(kind, node.attr)
            elif kind == "assignment":
                may = _with_target(type(left_of(node)))  # type: ignore[arg-type]  # classes are hashable
            for one in may:
                if one.test(tree, node):
                    yield one.rule, node


def _of_call(tree: Tree, call: ast.Call) -> list[Matcher]:
    text = tree.text(call.func)
    known = _TOLD.get(text)
    if known is None:
        if len(_TOLD) >= MOST_TOLD:
            _TOLD.clear()
        may = _with_name("call", _last_name(call.func))
        known = _TOLD[text] = [one for one in may if one.function is None or one.function(tree, call.func)]
    return known


def _last_name(function: ast.AST) -> str | None:
    match function:
        case ast.Attribute():
            return function.attr
        case ast.Name():
            return function.id
        case _:
            return None


@lru_cache(maxsize=4096)
def _with_name(kind: str, name: str | None) -> tuple[Matcher, ...]:
    """The matchers of calls or attributes of that name; all where it is none."""
    return tuple(
        one for one in _by_kind()[kind] if name is None or one.names[kind] is None or name in (one.names[kind] or ())
    )


@cache
def _with_target(target: type) -> tuple[Matcher, ...]:
    """The matchers of assignments to what is of that type."""
    return tuple(one for one in _by_kind()["assignment"] if one.targets is None or target in one.targets)


def receiver_of(rule: Rule, tree: Tree, call: ast.Call) -> str | None:
    """The text that `$OBJ` of a rule's patterns stands for."""
    for config in rule.config["rule"].get("any", [rule.config["rule"]]):
        bound: Bound = {}
        if "pattern" in config and match(tree, parsed_pattern(config["pattern"]), call, bound):
            return bound.get("OBJ")
    return None


@cache
def _by_kind() -> dict[str, list[Matcher]]:
    """The matchers of nbprod's own rules by each kind that they may match, but for those of what stands alone."""
    return _of_kinds(one for one in map(matcher, own_rules()) if not one.alone)


@cache
def _alone() -> dict[str, list[Matcher]]:
    """The matchers of what stands alone by each kind that they may match."""
    return _of_kinds(one for one in map(matcher, own_rules()) if one.alone)


def _of_kinds(matchers: Iterable[Matcher]) -> dict[str, list[Matcher]]:
    found: dict[str, list[Matcher]] = {}
    for one in matchers:
        for kind in one.kinds:
            found.setdefault(kind, []).append(one)
    return found


def matcher(rule: Rule) -> Matcher:
    """A rule made ready. Raises KeyError for what is not understood."""
    config, utils = rule.config["rule"], rule.config.get("utils", {})
    function, names = _of_function(config, utils)
    known = {"call": names, "attribute": _names_of_attribute(config)}
    kinds = _kinds(config)
    alone = "call" not in kinds and config.get("inside") == _A_STATEMENT
    return Matcher(rule, kinds, known, function, _targets(config), _test(_beyond_kind(config), utils), alone)


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


def _of_function(config: Config, utils: Config) -> tuple[Test | None, Names]:
    """What must hold of the function of a call, as far as its text tells, and the names that it may end in."""
    if "pattern" in config:
        pattern = parsed_pattern(config["pattern"])
        return (_is_called(pattern.func), _names_in(config)) if isinstance(pattern, ast.Call) else (None, None)
    if config.get("kind") in (None, "call"):
        own = config.get("has", {})
        if own.get("field") == "function":
            told = {key: value for key, value in own.items() if key != "field"}
            return _test(told, utils), _names_in(told)
        parts = [part for part in (_of_function(each, utils) for each in config.get("all", ())) if part[0] is not None]
        if parts:
            return _every([test for test, _ in parts if test is not None]), _in_all([names for _, names in parts])
        choices = [_of_function(each, utils) for each in config.get("any", ())]
        tests = [test for test, _ in choices if test is not None]
        if tests and len(tests) == len(choices):
            return _some(tests), _in_any([names for _, names in choices])
    return None, None


def _names_in(config: Config) -> Names:
    """The names that the text of a function ends in where a rule matches it."""
    found: list[Names] = []
    for key, value in config.items():
        match key:
            case "regex":
                found.append(last_names(value))
            case "has" if value.get("field") == "attribute" and config.get("kind") == "attribute":
                found.append(_names_in(value))
            case "any":
                found.append(_in_any([_names_in(each) for each in value]))
            case "all":
                found.append(_in_all([_names_in(each) for each in value]))
            case "pattern":
                pattern = parsed_pattern(value)
                name = _last_name(pattern.func if isinstance(pattern, ast.Call) else pattern)
                found.append(None if name is None or is_metavariable(name) else frozenset({name}))
            case _:
                pass
    return _in_all(found)


def _names_of_attribute(config: Config) -> Names:
    """The names of the attributes that a rule matches."""
    if config.get("kind") == "attribute":
        return _names_in(config)
    choices = [each for each in config.get("any", ()) if each.get("kind") in (None, "attribute")]
    return _in_any([_names_of_attribute(each) for each in choices]) if choices else None


def _targets(config: Config) -> frozenset[type] | None:
    """The types of what an assignment binds where a rule matches it."""
    told = config.get("has", {})
    if told.get("field") == "left":
        kinds = [told.get("kind")] if "kind" in told else [each.get("kind") for each in told.get("any", ())]
        types = [types_of(kind) for kind in kinds if kind is not None]
        return frozenset().union(*types) if types and len(types) == len(kinds) and all(types) else None
    parts = [part for each in config.get("all", ()) if (part := _targets(each)) is not None]
    return frozenset.intersection(*parts) if parts else None


def _in_any(choices: list[Names]) -> Names:
    known = [names for names in choices if names is not None]
    return frozenset().union(*known) if len(known) == len(choices) else None


def _in_all(parts: list[Names]) -> Names:
    known = [names for names in parts if names is not None]
    return frozenset.intersection(*known) if known else None


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
    types = types_of(kind)
    return lambda tree, node: type(node) in types or (type(node) not in OF_ONE_KIND and tree.kind(node) == kind)


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
        get = field_of(field)
        return lambda tree, node: (part := get(tree, node)) is not None and test(tree, part)
    if config.get("stopBy") == "end":
        return lambda tree, node: any(test(tree, one) for one in tree.descendants(node))
    return lambda tree, node: any(test(tree, one) for one in tree.below(node))


def _inside(config: Config, utils: Config) -> Test:
    test = _test(config, utils)
    if config.get("stopBy") == "end":
        return lambda tree, node: any(test(tree, one) for one in tree.ancestors(node))
    if config == _A_STATEMENT:
        return lambda tree, node: tree.stands_alone(node)
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
