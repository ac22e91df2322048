"""What cells do: the evidence that the rules find in their code."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.roles.commands import steps_of_commands
from nbprod.analysis.roles.holdings import ANSWERS, DATA, OF_MODELS, SCORES, Given, Holdings, Uses, only_drawn
from nbprod.analysis.roles.matching import matches, receiver_of
from nbprod.analysis.roles.objects import Objects
from nbprod.analysis.roles.rules import STEPS, Rule, kinds, own_rules
from nbprod.analysis.roles.syntax import Tree, given
from nbprod.model.notebook import Cell
from nbprod.notebook.parsed import parsed

_TEXT_LIMIT = 60
_NESTED_CALLS = 4
_LOWEST_CALLED = 0.7
_PREPARES = frozenset({"preprocessing", "features"})
_OF_MODELS = frozenset({"fit", "predict", "predict_proba", "transform", "fit_transform"})
_OF_NETWORKS = frozenset(
    {"train", "parameters", "state_dict", "load_state_dict", "forward", "to", "cuda", "cpu", "half"}
)
_RESULTS = frozenset({"train", "evaluate", "predict"})
_GIVES = {"data": DATA, "predict": ANSWERS, "evaluate": SCORES}
_LINE = attrgetter("line")
_SHOWS = ("show-", "print-", "look-", "plot", "tabulate")
_USES = _RESULTS | {"explore", "save"}
_OF_LIBRARIES = frozenset({"data", "preprocessing", "train", "predict", "save"})
_LOOKS = frozenset({"imports", "explore"})
_WORD = re.compile(r"[^\W\d]\w*")
_FITTED = re.compile(
    r"\.(predict\w*\(|coef_|intercept_|feature_importances_|cv_results_|best_(score|params|estimator)_|oob_score_|history\[)"
)
_FITS = re.compile(r"\.fit(_regularized)?\(")
_RESHAPES = re.compile(r"\.(reshape|ravel|flatten|to_numpy|expand_dims)\([^()]*\)$")
_CHOICES = frozenset({"choose-rows-or-columns", "choose-columns"})
_PIPELINES = frozenset({"Pipeline", "make_pipeline"})
_DROPS = re.compile(r"\.drop\([^()]*\)$")
_QUOTED = re.compile(r"['\"]([^'\"]*)['\"]")
_SELECTS = re.compile(r"(\w+\.)*(RFE|RFECV|SelectFromModel|SequentialFeatureSelector)\(")
_FITS_BY_KEYWORD = re.compile(r"\b(epochs|batch_size|validation_data|eval_set|steps_per_epoch|sample_weight|y)\s*=")


class Evidence(Struct, frozen=True, gc=False):
    """One thing that a cell does, at a line of it (1-based): the step, why, and the code that shows it.

    `deferred` tells that it stands in a function or class, and happens only where that is called.
    """

    cell: int
    line: int
    step: str
    rule: str
    message: str
    text: str
    confidence: float
    deferred: bool = False
    weak: str | None = None


SHAPE = Evidence(0, 0, "preprocessing", "shape", "works on data that is used later", "", 0.5)
"""Evidence of work that no rule knows; its role is told by what it reaches."""


def steps_of(code: str, rules: tuple[Rule, ...] = ()) -> tuple[str, ...]:
    """What the code of one cell does, of `STEPS` and in that order; `rules` are a project's own.

    Code that does not parse does nothing.
    """
    return _named(_of_sources((code,), rules)[0])


def steps_of_cells(cells: Iterable[Cell], rules: tuple[Rule, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """What each cell of a notebook does; functions and objects of earlier cells are known in later ones."""
    return tuple(_named(found) for found in evidence_of_cells(cells, rules))


def evidence_of_cells(cells: Iterable[Cell], rules: tuple[Rule, ...] = ()) -> tuple[tuple[Evidence, ...], ...]:
    """The evidence in each cell, by line."""
    cells = tuple(cells)
    found = _of_sources(tuple("" if cell.fault else cell.code for cell in cells), rules)
    commanding = [(place, cell.magics) for place, cell in enumerate(cells) if cell.magics]
    if not commanding:
        return found
    more = list(found)
    for place, magics in commanding:
        commands = [
            Evidence(place, line, step, "command", message, shortened(text), 0.85)
            for line, step, message, text in steps_of_commands(magics)
        ]
        more[place] = (*commands, *found[place])
    return tuple(more)


def _named(found: Iterable[Evidence]) -> tuple[str, ...]:
    steps = {evidence.step for evidence in found}
    return tuple(step for step in STEPS if step in steps)


LONGEST = 100_000
"""Characters of a cell; a longer one holds data, and no rule looks into it."""


@lru_cache(maxsize=16)
def _of_sources(sources: tuple[str, ...], rules: tuple[Rule, ...]) -> tuple[tuple[Evidence, ...], ...]:
    looked_at = [_looked_at(code) for code in sources]
    scene = _Scene([objects for objects, _ in looked_at])
    own = sorted(_own([found for _, found in looked_at]), key=_in_order_of_rules())
    places = (*own, *_of_project(sources, rules))
    scene.hold(places)
    meant = [each for one in places if scene.applies(one) for each in scene.meant(one)]
    cells = _by_cell((*map(scene.evidence, meant), *scene.given_to_transformers(meant)), len(sources))
    cells = [scene.beyond_drawn(cell, found) for cell, found in enumerate(cells)]
    called = _by_cell(scene.calls([one for found in cells for one in found]), len(sources))
    for cell, more in enumerate(called):
        if more:
            cells[cell] = scene.beyond_drawn(cell, [*cells[cell], *more])
    cells = [scene.with_shaping(cell, found) for cell, found in enumerate(cells)]
    return tuple([tuple([one for one in cell if one.weak is None or _stands(one, cell)]) for cell in cells])


def _by_cell(found: Iterable[Evidence], count: int) -> list[list[Evidence]]:
    """Evidence in each cell by line, each but once."""
    cells: list[list[Evidence]] = [[] for _ in range(count)]
    for evidence in sorted(dict.fromkeys(found), key=_LINE):
        cells[evidence.cell].append(evidence)
    return cells


def _module_of(code: str) -> ast.Module:
    try:
        return parsed(code if len(code) <= LONGEST else "")
    except SyntaxError:
        return ast.Module([], [])


@lru_cache(maxsize=2048)
def _looked_at(code: str) -> tuple[Objects, tuple[_Found, ...]]:
    """The objects of a cell, and what nbprod's own rules find in it, as if it were the first."""
    module = _module_of(code)
    tree = Tree(code, module)
    found = []
    for rule, node in matches(tree):
        called = None
        if rule.receiver is not None and (receiver := receiver_of(rule, tree, node)) is not None:
            called = _Called(receiver, tree.text(tree.arguments(node)), len(given(node)))
        item_of = _item_of(node) if rule.step in _PREPARES else None
        found.append(_Found(0, node.lineno, rule, tree.text(node), called, item_of))
    return Objects.of(tree, module), tuple(found)


def _own(cells: Sequence[Sequence[_Found]]) -> Iterator[_Found]:
    """What nbprod's own rules find, with the cells where they do."""
    for cell, found in enumerate(cells):
        for one in found:
            yield replace(one, cell=cell) if cell else one


def _item_of(node: ast.AST) -> str | None:
    """The variable of which an assignment sets an item."""
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AugAssign) else None
    )
    held = target.value if isinstance(target, ast.Subscript) else None
    return held.id if isinstance(held, ast.Name) else None


def _in_order_of_rules() -> Callable[[_Found], tuple[int, int, int]]:
    places = {rule.id: place for place, rule in enumerate(own_rules())}
    return lambda found: (places[found.rule.id], found.cell, found.line)


def _of_project(sources: Sequence[str], rules: tuple[Rule, ...]) -> Iterator[_Found]:
    """What a project's own rules find: they are given to ast-grep, which understands all that can be in one."""
    if not rules:
        return
    from ast_grep_py import SgRoot

    for cell, code in enumerate(sources):
        root: Any = SgRoot((code if len(code) <= LONGEST else "") + "\n", "python").root()
        for rule in rules:
            for node in root.find_all(rule.config):
                called = _Called.of(node) if rule.receiver is not None else None
                yield _Found(cell, node.range().start.line + 1, rule, node.text(), called)


def _stands(evidence: Evidence, cell: Sequence[Evidence]) -> bool:
    """Whether weak evidence is not outdone by what else the cell does."""
    match evidence.weak:
        case None:
            return True
        case "line":
            return all(one.line != evidence.line or one.step == evidence.step for one in cell)
        case _:
            return all(one.step not in _RESULTS for one in cell)


class _Called(Struct, frozen=True, gc=False):
    """A call of a method: the text of its object and of its arguments, and how many these are."""

    receiver: str
    arguments: str
    given: int

    @classmethod
    def of(cls, call: Any) -> _Called | None:
        """That of a call that ast-grep found."""
        receiver, arguments = call.get_match("OBJ"), call.field("arguments")
        if receiver is None or arguments is None:
            return None
        inside = [child for child in arguments.children() if child.is_named() and child.kind() != "comment"]
        return cls(receiver.text(), arguments.text(), len(inside))


class _Found(Struct, frozen=True, gc=False):
    """A place that a rule matches, with the call where the rule asks for the kind of its object.

    `item_of` is the variable of which it sets an item.
    """

    cell: int
    line: int
    rule: Rule
    text: str
    called: _Called | None = None
    item_of: str | None = None


class _Span(Struct, frozen=True, gc=False):
    """A function or class of the notebook: its cell, and the lines from its head to its end."""

    cell: int
    first: int
    last: int

    def holds(self, cell: int, line: int) -> bool:
        """Whether a line stands below its head."""
        return cell == self.cell and self.first < line <= self.last


class _Scene:
    """The functions and objects of a notebook, by which calls are understood."""

    def __init__(self, cells: Sequence[Objects]) -> None:
        self.functions: dict[str, _Span] = {}
        self.definitions: list[list[_Span]] = []
        self.makers: dict[str, list[tuple[tuple[int, int], str]]] = {}
        self.methods: dict[str, set[str]] = {}
        self.containers: dict[str, list[tuple[tuple[int, int], bool]]] = {}
        self.blocks = [objects.block for objects in cells]
        self.fitted = {name: cell for cell, objects in enumerate(cells) for name, _ in objects.fitted}
        self.taken = frozenset(name for objects in cells for name, whole in objects.fitted if whole)
        self.others = {given: own for objects in cells for given, own in objects.others}
        self.alone = frozenset().union(*(objects.alone for objects in cells))
        self.held = Holdings((), {}, {}, frozenset())
        self.working: dict[int, int] = {}
        for cell, objects in enumerate(cells):
            self.definitions.append([_Span(cell, first, last) for _, first, last in objects.definitions])
            self.functions.update({name: _Span(cell, first, last) for name, first, last in objects.functions})
            for name, line, is_one in objects.containers:
                self.containers.setdefault(name, []).append(((cell, line), is_one))
            for name, line, text in objects.makers:
                self.makers.setdefault(name, []).append(((cell, line), text))
            for receiver, method in objects.methods:
                self.methods.setdefault(receiver, set()).add(method)
        self.named_calls = [
            replace(call, cell=cell)
            for cell, objects in enumerate(cells)
            for call in objects.calls
            if call.name in self.functions
        ]
        self.filled = dict(self._given_containers({name: each for one in cells for name, each in one.parameters}))

    def applies(self, found: _Found) -> bool:
        """What the pattern alone does not tell: the kind of object, and whether a model's results are worked on."""
        rule = found.rule
        if rule.receiver is not None:
            return found.called is not None and self.kind_of_receiver(found, found.called) == rule.receiver
        if rule.held and not self.held.reads(found.cell, found.line):
            return False
        if (rule.step in _OF_LIBRARIES or rule.id == "plot") and found.text.partition("(")[0] in self.functions:
            return False
        if rule.step not in _PREPARES:
            return True
        if found.item_of is not None and self._is_container(found.item_of, found):
            return False
        if rule.id == "choose-columns" and not self._chooses_inputs(found):
            return False
        if rule.id == "drop-columns" and self._leaves_out_the_target(found):
            return False
        return not (self._of_a_model(found, OF_MODELS) or _FITTED.search(found.text))

    def _chooses_inputs(self, found: _Found) -> bool:
        """Whether an assignment binds columns, by a list of their names, to what a model is given."""
        name, _, value = found.text.partition("=")
        inside = value.strip().removesuffix(".values").partition("[")[2].rstrip("]").strip()
        listed = inside.startswith("[") or self._is_container(inside.split("+")[0].strip(), found)
        return name.strip() in self.taken and listed and not value.strip().startswith(f"{name.strip()}[")

    def _leaves_out_the_target(self, found: _Found) -> bool:
        """Whether all that a call drops are columns that stand in variables of their own: the target, identifiers."""
        named = _QUOTED.findall(found.text.partition(".drop(")[2])
        columns = [name for name in named if name not in ("columns", "index")]
        return bool(columns) and self.alone.issuperset(columns)

    def _of_a_model(self, found: _Found, kind: int) -> bool:
        """Whether what a rule found works on a model's answers or scores."""
        told = self.held.told(found.cell, found.line)
        return bool(told) and any(told.get(word, 0) & kind for word in _WORD.findall(found.text))

    def _is_container(self, name: str, found: _Found) -> bool:
        """Whether a variable is a list or dict at a place, whose items are no columns of a table."""
        if any(name in self.filled[of] and self.functions[of].holds(found.cell, found.line) for of in self.filled):
            return True
        return self._holds_container(name, (found.cell, found.line))

    def _holds_container(self, name: str, place: tuple[int, int]) -> bool:
        """Whether what a variable was last bound to before a place is a list or dict."""
        before = [is_one for at, is_one in self.containers.get(name, ()) if at <= place]
        return bool(before) and before[-1]

    def _given_containers(self, parameters: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, frozenset[str]]]:
        """The functions with those of their parameters for which every call gives a list or dict."""
        given: dict[tuple[str, str], list[bool]] = {}
        for call in self.named_calls:
            for parameter, name in zip(parameters[call.name], call.places, strict=False):
                is_one = self._holds_container(name, (call.cell, call.line))
                given.setdefault((call.name, parameter), []).append(is_one)
        for function in parameters:
            filled = frozenset(each for (of, each), told in given.items() if of == function and all(told))
            if filled:
                yield function, filled

    def hold(self, places: Iterable[_Found]) -> None:
        """Follow what the variables hold, from where it is read, predicted or measured."""
        giving = [one for one in places if one.rule.step in _GIVES]
        given: dict[int, dict[int, int]] = {}
        first = [self.evidence(one) for one in giving]
        for one in (*first, *self.calls(first)):
            mine = given.setdefault(one.cell, {})
            mine[one.line] = mine.get(one.line, 0) | _GIVES[one.step]
        told: dict[int, Given] = {cell: tuple(sorted(mine.items())) for cell, mine in given.items()}
        models = frozenset(name for name, methods in self.methods.items() if not methods.isdisjoint(_OF_MODELS))
        self.held = Holdings(self.blocks, told, self.fitted, models)
        own = self.functions.keys()
        shaped = (each for one in self.held.passed for each in one.shaped) if own else ()
        working = {name for each in shaped for name in each.reads & own}
        self.working = {span.cell: span.first for name, span in self.functions.items() if name in working}

    def meant(self, found: _Found) -> tuple[_Found, ...]:
        """What a rule found, with what it means here: a look at scores is an evaluation, a plot of them is both."""
        rule = found.rule
        if rule.step != "explore" or not rule.id.startswith(_SHOWS):
            return (found,)
        if not self._of_a_model(found, SCORES) and not _FITTED.search(found.text):
            return (found,)
        rule_of_scores = replace(rule, step="evaluate", message="shows how good the predictions are", weak=None)
        judged = replace(found, rule=rule_of_scores)
        return (found, judged) if rule.id == "plot" else (judged,)

    def beyond_drawn(self, cell: int, found: list[Evidence]) -> list[Evidence]:
        """The evidence in a cell without the work on values that it does nothing with but draw.

        Nor is it work of its own to choose or reshape what the cell then gives a model or makes features of, and
        nothing else.
        """
        steps = {one.step for one in found}
        if _PREPARES.isdisjoint(steps) or (_USES.isdisjoint(steps) and not any(map(_is_form, found))):
            return found
        block, uses = self.blocks[cell], self._uses(cell, found)
        takes = [one for one in found if one.step in _RESULTS or (one.step == "features" and not _is_form(one))]
        modelling = frozenset(block.of_line.get(one.line, -1) for one in takes)
        if not (uses.drawing or uses.looking or modelling):
            return found
        leaving = self.held.leaving(cell, block.binds - block.free)
        drawn = only_drawn(block, uses, leaving)
        apart = Uses(uses.drawing | modelling, uses.looking, uses.using - modelling)
        taking = only_drawn(block, apart, leaving) | modelling if modelling else modelling
        kept = []
        for one in found:
            place = block.of_line.get(one.line, -1)
            is_form = one.step == "preprocessing" and _is_form(one)
            is_form = is_form or (place in uses.using and _DROPS.search(one.text) is not None)
            if one.step not in _PREPARES or not (place in drawn or (is_form and place in taking)):
                kept.append(one)
        return kept

    def _uses(self, cell: int, found: Iterable[Evidence]) -> Uses:
        """What the statements of a cell do with what they read."""
        of_line = self.blocks[cell].of_line
        drawing, looking, using = set[int](), set[int](), set[int]()
        for one in found:
            place = of_line.get(one.line, -1)
            if one.step == "explore":
                (drawing if one.rule.removeprefix("call-") == "plot" else looking).add(place)
            elif one.step == "save" and ANSWERS in self.held.told(cell, one.line).values():
                drawing.add(place)
            elif one.step not in _PREPARES:
                using.add(place)
        return Uses(frozenset(drawing - using), frozenset(looking - using - drawing), frozenset(using))

    def with_shaping(self, cell: int, found: list[Evidence]) -> list[Evidence]:
        """The evidence in a cell; where no rule tells what it does with data that later cells use, it prepares it.

        So does one that defines a function by which data is worked on. A value that the cell draws is no such work.
        """
        shaped = self.held.passed[cell].shaped
        if not (shaped or cell in self.working) or not _LOOKS.issuperset([one.step for one in found]):
            return found
        block = self.blocks[cell]
        drawn = only_drawn(block, self._uses(cell, found), frozenset())
        for one in shaped:
            if block.of_line[one.first] not in drawn and self.held.leaving(cell, (*one.binds, *one.fills)):
                return [*found, replace(SHAPE, cell=cell, line=one.first, text=", ".join(one.binds or one.fills))]
        if cell in self.working:
            return [*found, replace(SHAPE, cell=cell, line=self.working[cell], deferred=True)]
        return found

    def kind_of_receiver(self, found: _Found, called: _Called) -> str | None:
        """`predictor`, `transformer` or `imputer`: what the object is on which the method is called."""
        bound = self.makers.get(called.receiver, [])
        here = found.cell, found.line
        maker = next((text for at, text in reversed(bound) if at <= here), bound[0][1] if bound else None)
        if found.rule.receiver == "network":
            return None if self.methods.get(called.receiver, set()).isdisjoint(_OF_NETWORKS) else "network"
        if found.rule.receiver == "fitted":
            return "fitted" if maker is not None and _FITS.search(maker) else None
        known = self._kind_of_text(maker if maker is not None else called.receiver)
        return known or self._kind_by_use(called)

    def _kind_of_text(self, text: str) -> str | None:
        """The kind of the object that a call makes, by the names of the classes in it, and in the parts of a pipeline.

        What chooses columns is a transformer, whatever model it asks.
        """
        if _SELECTS.match(text):
            return "transformer"
        words = [self.others.get(word, word) for word in _WORD.findall(text)]
        if not _PIPELINES.isdisjoint(words):
            parts = [self.makers[name][-1][1] for name in words if name in self.makers]
            words += [word for part in parts for word in _WORD.findall(part)]
        return next((kind for kind, form in kinds() if any(form.search(word) for word in words)), None)

    def _kind_by_use(self, called: _Called) -> str | None:
        """What an object of unknown class is, by the methods called on it and by what `fit` is given."""
        used = self.methods.get(called.receiver, set())
        if used & {"predict", "predict_proba", "predict_classes", "score", "evaluate", "compile"}:
            return "predictor"
        if used & {"transform", "fit_transform", "inverse_transform"}:
            return "transformer"
        return "predictor" if called.given > 1 or _FITS_BY_KEYWORD.search(called.arguments) else None

    def evidence(self, found: _Found) -> Evidence:
        """What a rule's finding says of its cell."""
        rule = found.rule
        return Evidence(
            found.cell,
            found.line,
            rule.step,
            rule.id,
            rule.message,
            shortened(found.text),
            rule.confidence,
            any(span.holds(found.cell, found.line) for span in self.definitions[found.cell]),
            rule.weak,
        )

    def given_to_transformers(self, found: Iterable[_Found]) -> Iterator[Evidence]:
        """What functions of the notebook do that a transformer is made with: `TfidfVectorizer(tokenizer=words)`."""
        for one in found:
            if one.rule.id == "make-transformer":
                for name in self.functions.keys() & _names_in(one.text):
                    span = self.functions[name]
                    yield replace(self.evidence(one), cell=span.cell, line=span.first, deferred=True, confidence=0.65)

    def calls(self, found: Sequence[Evidence]) -> Iterator[Evidence]:
        """What calls of the notebook's own functions do: what the functions do."""
        does = {name: self._within(span, found) for name, span in self.functions.items()}
        for _ in range(_NESTED_CALLS):
            grown = False
            for call in self.named_calls:
                for outer, span in self.functions.items():
                    if span.holds(call.cell, call.line) and not does[call.name].keys() <= does[outer].keys():
                        does[outer] = {**does[call.name], **does[outer]}
                        grown = True
            if not grown:
                break
        for call in self.named_calls:
            done = does[call.name]
            shown_alone = "explore" in done and call.alone
            for step, one in done.items():
                if shown_alone and step in _PREPARES:
                    continue
                rule = Rule(f"call-{one.rule}", step, f"{one.message} by `{call.name}`", one.confidence * 0.95, {})
                yield self.evidence(_Found(call.cell, call.line, rule, call.text))

    @staticmethod
    def _within(span: _Span, found: Iterable[Evidence]) -> dict[str, Evidence]:
        inside = (one for one in found if span.holds(one.cell, one.line))
        return {one.step: one for one in inside if one.step != "imports" and one.confidence >= _LOWEST_CALLED}


def _names_in(code: str) -> frozenset[str]:
    """The variables that an expression reads."""
    return frozenset(node.id for node in ast.walk(_module_of(code)) if isinstance(node, ast.Name))


def _is_form(one: Evidence) -> bool:
    """Whether work is but a choice of rows and columns or another shape of them."""
    return one.rule in _CHOICES or _RESHAPES.search(one.text) is not None


@lru_cache(maxsize=8192)
def shortened(text: str) -> str:
    """Code in one line of at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1].rstrip() + "…"
