"""How many seeded mutants of the serving code the proof finds, and whether it is silent where nothing has changed.

    python benchmarks/mutants.py [--mutants N] [--seed N] [--examples titanic,housing] [--project DIR] [--json FILE]
    python benchmarks/mutants.py --only 12 40        # of the same list, again
    python benchmarks/mutants.py --rebuilds 10       # unchanged notebooks, fitted and proven anew each time

The examples are run and fitted once. Each mutant is a copy of the fitted package with one thing changed: in the feature
code, in what it has learned, in the compiled row or in the constants of the model there; the digests of the state are
those of the changed files, as if the fit had written them. It is killed where the replay against the captures of the
run (that of `nbprod verify`, full level, up to the first check that fails) fails, or raises. What only training runs is
no serving code and stays as it is.
A rebuild runs, fits and proves an unchanged notebook in a folder of its own, with another seed for hashes and no
cache.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import importlib
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nbprod import api, environment
from nbprod.replay.process import CODEC
from nbprod.replay.runner import protocol
from nbprod.replay.runner.outcome import Failing, Outcome
from nbprod.replay.runner.sampling import LEVELS
from nbprod.replay.runner.subject import Captures, Subject, read_captures

EXAMPLES = Path(__file__).parents[1] / "examples"
VERSION, STATE = "v0001", "state"
FEATURES, ROW, LEARNED, MODEL = "features.py", f"{STATE}/row.py", f"{STATE}/learned.json", f"{STATE}/model.skops"
TIMEOUT = 300
LONGEST = 1000
"""Characters of a line's part that is written anew; a longer one (a sum of trees) is changed in its own parts alone."""

STALE = 0.8
"""The share of the raw rows that a stale state was learned from."""


class Fitted(NamedTuple):
    """The fitted package of an example (`root` holds it), with the captures of its run and who ran it."""

    name: str
    root: Path
    captures: Path
    python: str
    manifest: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.root / self.name / VERSION


@dataclass(frozen=True)
class Mutant:
    """One change of one package: `change` makes it in the version's folder, `told` says it in a line."""

    example: str
    operator: str
    where: str
    told: str
    change: Callable[[Path], None]


class Verdict(NamedTuple):
    """What the proof said: the status, `raised` where it gave none, and the first check that failed."""

    status: str
    by: str
    seconds: float

    @property
    def is_killed(self) -> bool:
        return self.status in ("failed", "raised")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=120, help="of all examples together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", default="titanic,housing", help="the ones that are mutated")
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of mutants: the others are left out")
    parser.add_argument("--singles", type=int, help="rows that pandas serves alone (default: as many as in a proof)")
    parser.add_argument("--jobs", type=int, default=1, help="mutants that are replayed at once")
    parser.add_argument("--project", metavar="DIR", help="where the packages are made, or were by an earlier run")
    parser.add_argument("--json", metavar="FILE", help="every verdict, as JSON lines")
    parser.add_argument("--list", action="store_true", help="show the mutants and replay none")
    parser.add_argument(
        "--rebuilds", type=int, default=0, help="prove unchanged notebooks so often in place of mutants"
    )
    given = parser.parse_args()
    if environment.HASH_SEED not in os.environ:  # that of the kernel and of the replay's own process
        os.execve(sys.executable, [sys.executable, *sys.argv], environment.of_process())
    names = given.examples.split(",")
    with tempfile.TemporaryDirectory(prefix="nbprod-mutants-") as folder:
        if given.rebuilds:
            sys.exit(rebuilt(names, given.rebuilds, Path(folder)))
        fitted = {name: prepared(EXAMPLES / name, Path(given.project or folder, name)) for name in names}
        mutants = drawn(list(fitted.values()), given.mutants, given.seed)
        numbers = [number for number in range(len(mutants)) if not given.only or number in given.only]
        chosen = [(number, mutants[number]) for number in numbers]
        if given.list:
            print("\n".join(line_of(number, mutant) for number, mutant in chosen))
            return
        if (
            given.singles
        ):  # that of a proof which has a compiled row to ask; fewer may let a mutant live, never kill one
            LEVELS["quick"] = replace(LEVELS["quick"], singles=given.singles, small_batches=given.singles)
        captures = {name: read_captures(package.captures, CODEC) for name, package in fitted.items()}
        verdicts = replayed(numbers, Work(mutants, fitted, captures, Path(folder)), given.jobs, given.json)
    print(table(chosen, verdicts))


def prepared(example: Path, project: Path) -> Fitted:
    """The package of an example, run and fitted where that was not done before."""
    told = tomllib.loads((example / "demo.toml").read_text())
    if not (project / "pipelines").exists():
        shutil.copytree(example, project, dirs_exist_ok=True)
        os.chdir(project)
        api.run_notebook(told["notebook"], auto=True, verify=False)
    (captures,) = (path for path in (project / ".nbprod/runs").glob("*/captures") if (path / "index.json").is_file())
    folder = project / "pipelines" / told["name"] / VERSION
    python = json.loads((captures / "index.json").read_text())["python"]
    return Fitted(told["name"], folder.parents[1], captures, python, json.loads((folder / "manifest.json").read_text()))


# The replay of mutants.


class Killed(Exception):
    """A check of the proof has failed, so that it can't come out well any more."""


class Hanging(Exception):
    """A mutant takes longer than any package does."""


class Deadly(Outcome):
    """An outcome that ends the replay with the first check that fails."""

    def failed(self, name: str, failing: Failing, detail: str = "") -> None:
        super().failed(name, failing, detail)
        raise Killed(f"{name}: {failing.name}")


class Work(NamedTuple):
    """What a process that replays finds in its memory: it is forked from one that has read all of it."""

    mutants: list[Mutant]
    fitted: dict[str, Fitted]
    captures: dict[str, Captures]
    folder: Path


def replayed(numbers: Sequence[int], work: Work, jobs: int, log: str | None) -> list[Verdict]:
    """The verdict of each mutant, some at once in a process of their own; a line of progress for each."""
    verdicts: dict[int, Verdict] = {}
    running: dict[int, int] = {}
    left = list(numbers)[::-1]
    while left or running:
        while left and len(running) < jobs:
            number = left.pop()
            running[forked(number, work)] = number
        process, _ = os.wait()
        number = running.pop(process)
        verdict = verdicts[number] = Verdict(*json.loads((work.folder / f"{number}.json").read_text()))
        said = f"{verdict.status:<9} {verdict.by[:50]:<50} {verdict.seconds:5.1f} s"
        told = line_of(number, work.mutants[number])
        print(f"{len(verdicts):>4}/{len(numbers)}  {said}  {told}", file=sys.stderr, flush=True)
        if log:
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"number": number, "told": told, **verdict._asdict()}) + "\n")
    return [verdicts[number] for number in numbers]


def forked(number: int, work: Work) -> int:
    """The id of a process that replays a mutant and writes its verdict into a file."""
    file = work.folder / f"{number}.json"
    file.write_text(json.dumps(Verdict("raised", "the process ended", 0.0)))
    process = os.fork()
    if process:
        return process
    try:
        file.write_text(json.dumps(verdict_of(number, work)))
    finally:
        os._exit(0)


def verdict_of(number: int, work: Work) -> Verdict:
    """Change a copy of the package, and replay it up to the first check that fails."""
    mutant, folder = work.mutants[number], work.folder / str(number)
    fitted, began = work.fitted[mutant.example], time.monotonic()
    shutil.copytree(fitted.root, folder, ignore=shutil.ignore_patterns("__pycache__"))
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, hanging)
    signal.alarm(TIMEOUT)
    protocol.Outcome = Deadly  # type: ignore[misc]
    os.chdir(folder)
    try:
        mutant.change(folder / fitted.name / VERSION)
        rehash(folder / fitted.name / VERSION / STATE)
        subject = Subject(folder, fitted.name, VERSION, work.captures[mutant.example])
        names = [str(feature["name"]) for feature in fitted.manifest["features"]]
        outcome = protocol.replay(subject, names, "full", lambda *_: None)
        status, by = "observed" if outcome.observed else "proven", ""
    except Killed as killed:
        status, by = "failed", str(killed)
    except Exception as error:  # noqa: BLE001 - `verify` tells of whatever a package raises as an error of its own
        status, by = "raised", f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(status, by, time.monotonic() - began)


def hanging(*_: object) -> None:
    raise Hanging


def rehash(state: Path) -> None:
    """List the files of a state as if the fit had written them."""
    path = state / "fitted.json"
    told = json.loads(path.read_text())
    told["files"] = {name: hashlib.sha256((state / name).read_bytes()).hexdigest() for name in told["files"]}
    path.write_text(json.dumps(told))


def line_of(number: int, mutant: Mutant) -> str:
    return f"#{number} {mutant.example} {mutant.operator} ({mutant.where}): {mutant.told}"


def table(chosen: Sequence[tuple[int, Mutant]], verdicts: Sequence[Verdict]) -> str:
    """By operator how many were made and killed; then each survivor."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (_, mutant), verdict in zip(chosen, verdicts, strict=True):
        counts[mutant.operator][0] += 1
        counts[mutant.operator][1] += verdict.is_killed
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    lines = [f"{'operator':<36}{'made':>6}{'killed':>8}{'survived':>10}"]
    for name, (made, killed) in [*sorted(counts.items()), ("all", total)]:
        lines.append(f"{name:<36}{made:>6}{killed:>8}{made - killed:>10}")
    lines.append(f"{100 * total[1] / total[0]:.1f} % killed; survivors:")
    kept = zip(chosen, verdicts, strict=True)
    return "\n".join([*lines, *(f"  {line_of(*each)}" for each, verdict in kept if not verdict.is_killed)])


# The mutants.


def drawn(fitted: Sequence[Fitted], wanted: int, seed: int) -> list[Mutant]:
    """`wanted` mutants of the packages: of each operator in each place one after the other, until there are enough."""
    generator = random.Random(seed)
    heaps: list[list[Mutant]] = []
    for package in fitted:
        grouped: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
        for mutant in mutants_of(package):
            grouped[mutant.operator, mutant.where].append(mutant)
        heaps += list(grouped.values())
    for heap in heaps:
        generator.shuffle(heap)
    generator.shuffle(heaps)
    made: list[Mutant] = []
    while any(heaps) and len(made) < wanted:
        made += [heap.pop() for heap in heaps if heap]
    return made[:wanted]


def mutants_of(package: Fitted) -> Iterator[Mutant]:
    """All mutants of a package."""
    yield from of_text(package, FEATURES, "features.py")
    yield from of_text(package, ROW, "row.py")
    yield from of_state(package)


class Site(NamedTuple):
    """A node of a module, with those around it, the outermost first."""

    node: ast.AST
    around: tuple[ast.AST, ...]


Texts = Iterator[str]
Operator = Callable[[Site], Texts]
"""Gives texts that stand in place of a node."""


def of_text(package: Fitted, file: str, where: str) -> Iterator[Mutant]:
    """The mutants of a module."""
    source = (package.folder / file).read_text(encoding="utf-8")
    lines, tree = source.encode().splitlines(), ast.parse(source)
    model = [each.lineno for each in tree.body if isinstance(each, ast.FunctionDef) and each.name in OF_MODEL]
    for site in served(tree):
        node: Any = site.node
        if node.end_lineno == node.lineno and node.end_col_offset - node.col_offset > LONGEST:
            continue
        place = f"{where}, model" if file == ROW and model and node.lineno >= min(model) else where
        for name, operator in OPERATORS.items():
            for text in operator(site):
                yield Mutant(package.name, name, place, told(lines, node, text), in_place(file, node, text))


OF_MODEL = ("predict", "score", "scores", "vector")
"""Functions of the compiled row that come after the features."""


def served(tree: ast.Module) -> Iterator[Site]:
    """The nodes that serving comes to: not what stands below `learned.fitting`, nor what a learned value is made by.

    Nor the terms of a bound of rounding.
    """

    def below(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[Site]:
        if isinstance(node, (ast.expr, ast.stmt)):
            yield Site(node, around)
        for name, child in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            if isinstance(node, ast.If) and is_training(node.test) and name == "body":
                continue
            if isinstance(node, ast.IfExp) and is_training(node.test) and name in ("body", "test"):
                continue
            if called(node, "decided", "apart") is not None and name == "args":
                child = child[:1]  # how far rounding goes: beyond it the estimator is asked, which is as right
            for each in child if isinstance(child, list) else [child]:
                if isinstance(each, ast.AST) and not (isinstance(each, ast.Lambda) and is_learned(node)):
                    yield from below(each, (*around, node))

    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.Assign)):
            yield from below(statement, (tree,))


def is_training(test: ast.AST) -> bool:
    return isinstance(test, ast.Attribute) and test.attr == "fitting"


def is_learned(call: ast.AST) -> bool:
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "learned"


def in_place(file: str, node: ast.AST, text: str) -> Callable[[Path], None]:
    """What writes a text in place of a node of a file of the version."""

    def change(folder: Path) -> None:
        lines = (folder / file).read_bytes().splitlines(keepends=True)
        (folder / file).write_bytes(b"".join(replaced(lines, node, text)))

    return change


def replaced(lines: list[bytes], node: Any, text: str) -> list[bytes]:
    """Lines with a text in place of a node; its columns are counted in bytes."""
    first, last = node.lineno - 1, node.end_lineno - 1
    line = lines[first][: node.col_offset] + text.encode() + lines[last][node.end_col_offset :]
    return [*lines[:first], line, *lines[last + 1 :]]


def told(lines: Sequence[bytes], node: Any, text: str) -> str:
    """The change in a line: its number, and what stood there; a window of long lines."""
    old = lines[node.lineno - 1]
    end = node.end_col_offset if node.end_lineno == node.lineno else len(old)
    before, segment, after = (part.decode() for part in (old[: node.col_offset], old[node.col_offset : end], old[end:]))
    return f"{node.lineno}: {before.strip()[-60:]}[- {segment[:120]} -]{{+ {text[:160]} +}}{after[:40]}"


def text_of(node: ast.AST) -> str:
    return ast.unparse(node)


def called(node: ast.AST, *names: str) -> ast.Call | None:
    """The call, where a node is one of a function or method with one of these names."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return node if name in names else None
    return None


def renamed(call: ast.Call, name: str) -> str:
    """A call of a function with another name."""
    other = copy.deepcopy(call)
    if isinstance(other.func, ast.Attribute):
        other.func.attr = name
    elif isinstance(other.func, ast.Name):
        other.func.id = name
    return text_of(other)


def receiver(call: ast.Call) -> str:
    """What a method is called on, as text."""
    assert isinstance(call.func, ast.Attribute)
    return text_of(call.func.value)


def left_for_right(site: Site) -> Texts:
    if call := called(site.node, "bisect_left", "bisect_right"):
        yield renamed(call, "bisect_right" if text_of(call.func).endswith("left") else "bisect_left")
    if call := called(site.node, "cut", "searchsorted"):
        keyword, value = ("right", "False") if called(call, "cut") else ("side", "'right'")
        if all(each.arg != keyword for each in call.keywords):
            yield f"{text_of(call)[:-1]}, {keyword}={value})"


def log_for_log1p(site: Site) -> Texts:
    if call := called(site.node, "log", "log1p"):
        yield renamed(call, "log1p" if text_of(call.func).endswith("log") else "log")


def without_fillna(site: Site) -> Texts:
    if call := called(site.node, "fillna"):
        yield receiver(call)
    if isinstance(site.node, ast.IfExp) and is_missing_test(site.node.test):
        yield text_of(site.node.orelse)


def is_missing_test(test: ast.AST) -> bool:
    """`x is None` or `x != x`, as the compiled row tells missing values."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    left, right = test.left, test.comparators[0]
    is_none = isinstance(right, ast.Constant) and right.value is None
    return is_none or (isinstance(test.ops[0], (ast.NotEq, ast.Eq)) and text_of(left) == text_of(right))


def none_for_nan(site: Site) -> Texts:
    if call := called(site.node, "fillna"):
        yield f"{receiver(call)}.mask({receiver(call)}.map(lambda value: value is None), {text_of(call.args[0])})"
    if call := called(site.node, "notnull", "notna"):
        yield f"{receiver(call)}.map(lambda value: value is not None)"
    if isinstance(site.node, ast.Compare) and is_missing_test(site.node):
        left, operation = text_of(site.node.left), site.node.ops[0]
        other = {ast.Is: "{0} != {0}", ast.IsNot: "{0} == {0}", ast.NotEq: "{0} is None", ast.Eq: "{0} is not None"}
        yield other[type(operation)].format(left)


def recomputed(site: Site) -> Texts:
    """The statistic of the rows at hand in place of the learned one."""
    call = site.node
    if not isinstance(call, ast.Call):
        return
    if is_learned(call) and isinstance(call.args[1], ast.Lambda):
        yield f"({text_of(call.args[1].body)})"
    if called(call, "fit", "fit_transform") and text_of(getattr(call.func, "value", call)) == "learned":
        kind = call.func.attr  # type: ignore[attr-defined]
        yield f"{text_of(call.args[1])}.{kind}({', '.join(map(text_of, call.args[2:]))})"


def another_order(site: Site) -> Texts:
    """Two categories in each other's place."""
    node = copy.deepcopy(site.node)
    if (
        isinstance(node, ast.Dict)
        and len(node.values) > 1
        and all(isinstance(each, ast.Constant) for each in node.values)
    ):
        at = next((at for at, each in enumerate(node.values) if text_of(each) != text_of(node.values[0])), 0)
        node.values[0], node.values[at] = node.values[at], node.values[0]
        yield text_of(node)
    if isinstance(node, ast.List):
        texts = [
            at for at, each in enumerate(node.elts) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        if len(texts) > 1:
            node.elts[texts[0]], node.elts[texts[1]] = node.elts[texts[1]], node.elts[texts[0]]
            yield text_of(node)


def lowered(site: Site) -> Texts:
    """`.lower()` on a text that is looked up, matched or compared."""
    node = site.node
    call = called(node, "map", "apply", "replace", "isin")
    if call and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Subscript):
        yield text_of(call).replace(receiver(call), f"{receiver(call)}.str.lower()", 1)
    if isinstance(node, ast.Subscript) and text_of(node.value).isupper() and isinstance(node.slice, ast.Name):
        yield f"{text_of(node.value)}[{text_of(node.slice)}.lower()]"
    if (call := called(node, "get")) and len(call.args) == 2:
        yield f"{text_of(call.func)}({text_of(call.args[0])}.lower(), {text_of(call.args[1])})"
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
        with_text = isinstance(node.comparators[0], ast.Constant) and isinstance(node.comparators[0].value, str)
        if with_text and len(node.ops) == 1:
            yield f"{node.left.id}.lower(){text_of(node)[len(node.left.id) :]}"


def number_made(site: Site) -> ast.expr | None:
    """The arithmetic that a statement or an entry of a tuple is made by."""
    parent = site.around[-1]
    node = site.node
    is_whole = (isinstance(parent, ast.Assign) and node is parent.value) or isinstance(parent, ast.Tuple)
    is_arithmetic = isinstance(node, ast.BinOp) or called(
        node, "log", "log1p", "sqrt", "clip", "float", "fillna", "min"
    )
    return node if is_whole and is_arithmetic and isinstance(node, ast.expr) else None


def is_in_pandas(site: Site) -> bool:
    """Whether a value is a column: in the feature code, not in the compiled row."""
    return any(isinstance(each, ast.FunctionDef) and each.args.args[0].arg != "record" for each in site.around)


def in_another_unit(site: Site) -> Texts:
    if node := number_made(site):
        yield f"({text_of(node)}) * 1000"


def rounded(site: Site) -> Texts:
    if node := number_made(site):
        yield f"({text_of(node)}).round(2)" if is_in_pandas(site) else f"round({text_of(node)}, 2)"


def in_32_bits(site: Site) -> Texts:
    if node := number_made(site):
        yield f"({text_of(node)}).astype('float32')" if is_in_pandas(site) else f"float(np.float32({text_of(node)}))"


def off_by_one(site: Site) -> Texts:
    """A place in a text, a list or a match."""
    node = site.node
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
        yield f"{text_of(node.value)}[{node.slice.value + 1}]"
    if (call := called(node, "group")) and call.args and isinstance(call.args[0], ast.Constant):
        yield f"{text_of(call.func)}({call.args[0].value - 1})"
    if isinstance(node, ast.Subscript) and called(node.slice, "bisect_left", "bisect_right"):
        yield f"{text_of(node.value)}[{text_of(node.slice)} - 1]"


def swapped_columns(site: Site) -> Texts:
    """Two columns of an operation, or two neighbours among the features."""
    node = copy.deepcopy(site.node)
    if isinstance(node, ast.BinOp) and {type(node.left), type(node.right)} <= {ast.Subscript, ast.Name}:
        node.left, node.right = node.right, node.left
        yield text_of(node)
    if isinstance(node, ast.Tuple) and isinstance(site.around[-1], ast.Return) and len(node.elts) > 2:
        for at in range(len(node.elts) - 1):
            other = copy.deepcopy(node)
            other.elts[at], other.elts[at + 1] = other.elts[at + 1], other.elts[at]
            yield text_of(other)


FLIPPED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def flipped(site: Site) -> Texts:
    if isinstance(site.node, ast.Compare):
        for at, operation in enumerate(site.node.ops):
            other = copy.deepcopy(site.node)
            other.ops[at] = FLIPPED[type(operation)]()
            yield text_of(other)


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def one_more_or_less(site: Site) -> Texts:
    if isinstance(site.node, ast.Constant) and is_number(site.node):
        for other in (site.node.value + 1, site.node.value - 1):
            yield repr(other) if other >= 0 else f"({other!r})"


def last_bit(site: Site) -> Texts:
    if isinstance(site.node, ast.Constant) and type(site.node.value) is float:
        for to in (math.inf, -math.inf):
            yield repr(math.nextafter(site.node.value, to))


def minus_for_plus(site: Site) -> Texts:
    if isinstance(site.node, ast.BinOp) and isinstance(site.node.op, (ast.Add, ast.Sub)):
        other = copy.deepcopy(site.node)
        other.op = ast.Sub() if isinstance(site.node.op, ast.Add) else ast.Add()
        yield text_of(other)


def or_for_and(site: Site) -> Texts:
    if isinstance(site.node, ast.BoolOp):
        other = copy.deepcopy(site.node)
        other.op = ast.Or() if isinstance(site.node.op, ast.And) else ast.And()
        yield text_of(other)


def negated(site: Site) -> Texts:
    parent = site.around[-1]
    if isinstance(parent, (ast.If, ast.IfExp)) and site.node is parent.test and not is_training(site.node):
        yield f"(not ({text_of(site.node)}))"


def without_argument(site: Site) -> Texts:
    if isinstance(site.node, ast.Call) and not is_learned(site.node):
        for at in range(len(site.node.keywords)):
            other = copy.deepcopy(site.node)
            del other.keywords[at]
            yield text_of(other)
        if len(site.node.args) > 1:
            other = copy.deepcopy(site.node)
            del other.args[-1]
            yield text_of(other)


OPERATORS: dict[str, Operator] = {
    "left bin edge for right": left_for_right,
    "log for log1p": log_for_log1p,
    "fillna dropped": without_fillna,
    "None for NaN": none_for_nan,
    "statistic of the input": recomputed,
    "another order of categories": another_order,
    "lower() added": lowered,
    "unit x 1000": in_another_unit,
    "rounded": rounded,
    "cast to float32": in_32_bits,
    "off by one": off_by_one,
    "columns swapped": swapped_columns,
    "comparison flipped": flipped,
    "constant + or - 1": one_more_or_less,
    "constant + or - 1 ulp": last_bit,
    "- for +": minus_for_plus,
    "or for and": or_for_and,
    "branch negated": negated,
    "argument dropped": without_argument,
}


# What was learned.


def of_state(package: Fitted) -> Iterator[Mutant]:
    """The mutants of what a package has learned, the compiled row left as it is."""
    raw = read_captures(package.captures, CODEC).frames[0]

    def mutant(operator: str, said: str, change: Callable[[Path], None]) -> Mutant:
        return Mutant(package.name, operator, "state", said, change)

    for old, new in STATISTICS:
        source = (package.folder / FEATURES).read_text(encoding="utf-8")
        parts = source.split(old)
        for at in range(len(parts) - 1):
            text = old.join(parts[: at + 1]) + new + old.join(parts[at + 1 :])
            yield mutant("another statistic", f"{old} -> {new}, {at + 1}", learned_by(package, text, raw))
    rows = raw.sample(frac=STALE, random_state=0).sort_index()
    yield mutant("stale state", f"all that was learned, from {len(rows)} rows", learned_by(package, None, rows))
    yield mutant("stale state", f"the model, from {len(rows)} rows", model_of(package, rows))
    learned = learned_of(package.folder)
    for site, key, value in learned:
        for operator, said, other in changed(value):
            told = f"{site}{'' if key is None else f'[{key!r}]'}: {said}"
            yield mutant(operator, told, with_value(package, site, key, other))


STATISTICS = (
    (".median()", ".mean()"), (".mean()", ".median()"), (".std()", ".std(ddof=0)"), (".var()", ".var(ddof=0)"),
    (".mode()[0]", ".mode()[0][::-1]"), (".mode()[0]", ".value_counts().index[1]"), (".max()", ".median()"),
    (".quantile(0.99)", ".quantile(0.99, interpolation='lower')"), (".quantile(", ".quantile(0.01 + 0 * "),
    (".skew() >", ".kurt() >"),
)  # fmt: skip
"""A learned statistic, and one that takes its place."""


def changed(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Other values than a learned one: operator, what was done, and the value."""
    if isinstance(value, (bool, str)) or value is None:
        return
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        for operator, other in (
            ("constant + or - 1", number + 1),
            ("constant + or - 1 ulp", math.nextafter(number, math.inf)),
            ("unit x 1000", number * 1000),
            ("rounded", round(number, 2)),
            ("cast to float32", float(np.float32(number))),
        ):
            if other != number:
                yield operator, f"{number!r} -> {other!r}", type(value)(other)
    elif isinstance(value, list) and len(value) > 1:
        yield "another order of categories", f"{value} reversed", value[::-1]
        yield "off by one", f"{value[-1]!r} left out", value[:-1]
    elif isinstance(value, dict):
        for key, part in value.items():
            for operator, said, other in changed(part):
                yield operator, f"{key!r}: {said}", {**value, key: other}
    elif hasattr(value, "get_params"):
        yield from changed_estimator(value)


def changed_estimator(estimator: Any) -> Iterator[tuple[str, str, Any]]:
    """An estimator with another array of what it has learned."""
    for name, array in vars(estimator).items():
        if not isinstance(array, np.ndarray) or not name.endswith("_") or not array.size or name == "feature_names_in_":
            continue
        for operator, other in changed_arrays(name, array):
            if not np.array_equal(other, array):
                twin = copy.deepcopy(estimator)
                setattr(twin, name, other)
                yield operator, f"{type(estimator).__name__}.{name}", twin


def changed_arrays(name: str, array: Any) -> Iterator[tuple[str, Any]]:
    if array.dtype.kind != "f":
        yield "another order of categories", array[::-1].copy()
        return
    nudged, swapped = array.copy(), array.copy()
    nudged.flat[0] = np.nextafter(nudged.flat[0], np.inf)
    swapped.flat[0], swapped.flat[-1] = array.flat[-1], array.flat[0]
    yield "constant + or - 1 ulp", nudged
    yield "columns swapped", swapped
    yield "cast to float32", array.astype("float32").astype("float64")
    yield "rounded", array.round(2)
    if name == "scale_":
        yield "another ddof", array * math.sqrt(1 + 1 / 500)


Change = Callable[[Path], None]


def learned_of(folder: Path) -> list[tuple[str, Any, Any]]:
    """What a fitted version has learned: site, key and value."""
    with imported(folder) as features:
        known = features.Learned.load(folder / STATE, trusted=features.Features.trusted)
        return [(site, key, value) for site, runs in known.values.items() for key, (value, *_) in runs.items()]


def with_value(package: Fitted, site: str, key: Any, value: Any) -> Change:
    """What puts another value in place of a learned one."""

    def change(folder: Path) -> None:
        with imported(package.folder) as features:
            trusted = features.Features.trusted
            known = features.Learned.load(folder / STATE, trusted=trusted)
            known.values[site][key][0] = value
            known.save(folder / STATE, trusted=trusted)

    return change


def learned_by(package: Fitted, text: str | None, raw: Any) -> Change:
    """What puts in place what feature code (None: the package's own) learns from raw rows, the code left as it is."""

    def change(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            version = Path(temporary) / package.name / VERSION
            shutil.copytree(package.root / package.name, version.parent)
            if text is not None:
                (version / FEATURES).write_text(text, encoding="utf-8")
            with imported(version) as features:
                fitted = features.Features()
                fitted.fit(raw.copy())
                fitted.learned_.save(folder / STATE, trusted=fitted.trusted)

    return change


def model_of(package: Fitted, raw: Any) -> Change:
    """What puts a model in place that was trained on other raw rows."""

    def change(folder: Path) -> None:
        with imported(package.folder) as features:
            base = features.__package__
            pipeline = importlib.import_module(f"{base}.train").train(raw.copy())
            save = importlib.import_module(f"{base}.runtime.estimators").save_estimator
            save(pipeline.model, folder / MODEL, features.Features.trusted)

    return change


@contextmanager
def imported(folder: Path) -> Iterator[Any]:
    """The feature module of a version, and after that nothing of the package."""
    name = folder.parent.name
    sys.path.insert(0, str(folder.parents[1]))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(f"{name}.{VERSION}.features")
    finally:
        sys.path.remove(str(folder.parents[1]))
        for each in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[each]


# Rebuilds.


def rebuilt(names: Sequence[str], count: int, folder: Path) -> int:
    """Run, fit and prove unchanged notebooks so often, in turn; gives how many were not proven."""
    alarms = 0
    for number in range(count):
        name = names[number % len(names)]
        project, began = folder / f"{name}-{number}", time.monotonic()
        shutil.copytree(EXAMPLES / name, project)
        notebook = tomllib.loads((project / "demo.toml").read_text())["notebook"]
        done = subprocess.run(
            [sys.executable, "-m", "nbprod", "run", notebook, "--auto", "--no-cache", "--format", "json", "-q"],
            cwd=project,
            env={**os.environ, "PYTHONHASHSEED": str(number)},
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            status = json.loads(done.stdout)["verify"]["status"]
        except (ValueError, KeyError, TypeError):
            status = f"no proof: {(done.stderr or done.stdout).strip()[-300:]}"
        alarms += status != "proven"
        print(f"{number + 1}/{count} {name} {status}, {time.monotonic() - began:.0f} s; {alarms} alarms", flush=True)
        shutil.rmtree(project, ignore_errors=True)
    return alarms


if __name__ == "__main__":
    main()
