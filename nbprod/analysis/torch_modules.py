"""Modules of PyTorch, which the notebook trains by a loop of its own: `loss = criterion(net(x), y); loss.backward()`.

They are not served, but what they learn from and what they are tested on counts for leakage. A call of a module is an
event `forward`, whose number its result carries as predictions do; `backward` of what was computed from it makes the
rows of that call rows that the module learned from, and any other call asks the module for its answers.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, classes, tabular
from nbprod.analysis.values import NOTHING, Event, Fact, Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

TRAINED = frozenset(
    {
        "Bilinear", "Conv1d", "Conv2d", "Conv3d", "DataParallel", "Embedding", "GRU", "LSTM", "Linear", "RNN",
        "Sequential", "Transformer", "TransformerEncoder",
    }
)  # fmt: skip
"""Classes of `torch.nn` that hold parameters and may stand for a model on their own."""

GIVE_THEMSELVES = frozenset(
    {
        "apply", "cpu", "cuda", "double", "eval", "float", "half", "requires_grad_", "share_memory", "to", "train",
        "type",
    }
)  # fmt: skip
"""Methods of a module that give the module itself."""


def is_of_library(name: str) -> bool:
    """Whether a qualified name makes a module that may be trained."""
    package, _, last = name.rpartition(".")
    return (package in ("torch.nn", "torch.nn.modules") and last in TRAINED) or package == "torchvision.models"


def is_module(run: Interpreter, value: Value) -> bool:
    """Whether a value is a module: one of the library's, or an instance of a class that inherits from `nn.Module`."""
    if value.kind == "instance" and value.obj >= 0:
        bases = [base for one in classes.lineage(run, run.obj(value).type) for base in one.bases]
        return any(base.rpartition(".")[2] == "Module" for base in bases)
    return value.kind == "unknown" and is_of_library(value.name)


def asked(run: Interpreter, node: ast.Call, module: Value, args: Sequence[Value], made: Value) -> Value:
    """The result of a call of a module, marked with its event; modules within modules are asked on behalf of those."""
    number = module.obj if module.obj >= 0 else module.ident
    rows = tabular.as_table(run, args[0]) if args else NOTHING_GIVEN
    if run.within_modules or number < 0 or run.data(rows).rows is None:
        return made
    mark = -1 - len(run.events)
    run.event(
        Event(
            "forward",
            run.at,
            run.top,
            node,
            run.obj(module).type or module.name,
            obj=number,
            facts=(run.data(rows), NOTHING),
            result=Fact(digest=f"module:{number}"),
            const="predict",
            kindof="network",
        )
    )
    return _marked(run, run.series(run.data(rows)) if made.kind == "none" else made, mark)


NOTHING_GIVEN = Value("unknown", const=())


def _marked(run: Interpreter, value: Value, mark: int) -> Value:
    def step(fact: Fact) -> Fact:
        return replace(fact, learned_at=fact.learned_at | {mark})

    if value.kind == "tuple":
        return replace(value, parts=tuple(_marked(run, part, mark) for part in value.parts))
    if value.obj < 0:
        return replace(value, fact=step(value.fact))
    return replace(value, obj=run.store(tabular.mapped(run.obj(value), step)))


def trained(run: Interpreter, node: ast.Call, base: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """`loss.backward()`: the modules that the loss was computed by learn from the rows that they were asked for."""
    facts = (run.data(base), *calls.facts_of(run, args, kwargs))
    if any(number < 0 for fact in facts for number in fact.learned_at):
        run.event(Event("backward", run.at, run.top, node, "backward", facts=facts, kindof="network"))


def is_loss(name: str) -> bool:
    """Whether a qualified name is a loss: it compares answers with labels."""
    package, _, last = name.rpartition(".")
    return (package == "torch.nn" and last.endswith("Loss")) or package == "torch.nn.functional"


def compared(run: Interpreter, args: Sequence[Value]) -> None:
    """A loss of answers (the first argument) and labels: the answers are put beside them."""
    if len(args) < 2:
        return
    answers, labels = run.data(args[0]), run.data(args[1])
    if labels.rows is not None:
        run.compared.update((number, labels.inputs) for number in answers.learned_at if number < 0)
