"""The three modules that are the notebook's own: features, training and evaluation."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import chain, count

from nbprod.analysis.scopes import free_names
from nbprod.analysis.tables import library_kind
from nbprod.codegen.module import INDENT, Module, add_body, add_steps, import_lines
from nbprod.idiom import find_idiom, serving_source
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan, Step
from nbprod.notebook.parsed import syntax_tree
from nbprod.plan.liveness import defined_names

TURNED_BACK = "The model's predictions in the units of the target, turned back as the notebook does it."


def features_module(plan: FeaturePlan, notebook: Notebook, name: str, origin: str) -> Module:
    """`features.py`: the one text that fit and transform run."""
    module = Module()
    definitions = needed_definitions(plan, _feature_code(plan))
    functions = idiom_functions(plan)
    code = [*_feature_code(plan), *(step.code for step in definitions)]
    used = names_of(code)
    imports = [text for bound, text in plan.imports if bound in used]
    if not any(bound == "pd" for bound, _ in plan.imports if bound in used):
        imports.append("import pandas as pd")
    module.add(
        f'"""Features of {name}, extracted from {origin}.',
        "",
        "One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back",
        "in transform. Change the notebook and export again rather than this file.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *import_lines([*imports, "from typing import Any"]),
        "",
    )
    if functions:
        imported = (name if name == own else f"{own} as {name}" for own, name in sorted(functions.items()))
        module.add(f"from .idioms import {', '.join(imported)}")
    module.add("from .runtime.learned import Learned, LearnedTransformer", "")
    _add_definitions(module, definitions)
    taken = {bound for step in definitions for bound in defined_names(step.code)} | {bound for bound, _ in plan.imports}
    prepare, answer = (_free_name(function, taken) for function in ("prepare", "answer"))
    module.add(
        "",
        f"def {prepare}({plan.parameter}: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:",
        f'{INDENT}"""Raw rows to the model\'s input; with the labels where the rows have a target."""',
    )
    for bound in plan.initial:
        module.add(f"{INDENT}{bound} = None")
    if plan.initial:
        module.add("")
    add_body(module, plan.steps, {cell.index: cell.heading for cell in notebook.cells})
    if plan.handed_over:
        given = ", ".join(f"{name}={name}" for name in plan.handed_over)
        module.add("", f"{INDENT}if learned.fitting:", f"{INDENT * 2}learned.hand_over({given})")
    module.add("", f"{INDENT}return {plan.matrix}, {plan.labels}", "", "")
    by_function = plan.answer is not None and plan.answer_site is None
    if by_function:
        module.add(
            f"def {answer}(predicted: Any) -> Any:",
            f'{INDENT}"""{TURNED_BACK}"""',
            f"{INDENT}return {plan.answer}",
            "",
            "",
        )
    module.add(
        "class Features(LearnedTransformer):",
        f'{INDENT}"""What the model of {name} sees of raw rows: fit learns from them, transform replays."""',
        "",
        f"{INDENT}prepare = staticmethod({prepare})",
        *([f"{INDENT}answer = staticmethod({answer})"] if by_function else []),
    )
    if plan.around:
        module.add(*_tuple_lines("around", plan.around))
    if plan.target is not None:
        module.add(f"{INDENT}target_columns = ({plan.target!r},)".replace("'", '"'))
    if not plan.open_inputs:
        module.add(*_tuple_lines("required", plan.inputs))
    trusted = [f'"{library}"' for library in _libraries_of_estimators(plan, used)]
    if any(step.code.lstrip("#").find("class ") >= 0 for step in definitions):
        trusted.insert(0, "__name__")
    if trusted:
        module.add(f"{INDENT}trusted = ({', '.join(trusted)}{',' if len(trusted) == 1 else ''})")
    if plan.answer_site is not None:
        module.add(
            "",
            f"{INDENT}def answer(self, predicted: Any) -> Any:",
            f'{INDENT * 2}"""{TURNED_BACK}"""',
            f'{INDENT * 2}return self.learned_.turned_back("{plan.answer_site}", predicted)',
        )
    return module


def _libraries_of_estimators(plan: FeaturePlan, used: set[str]) -> list[str]:
    """The libraries beside scikit-learn whose estimators are fitted, so that what they hold may be loaded again."""
    used = used | names_of(step.code for step in plan.model.steps)
    imported = {text.split()[1].partition(".")[0] for bound, text in plan.imports if bound in used}
    return sorted(name for name in imported - {"sklearn"} if library_kind(name) == "estimators")


def _free_name(function: str, taken: set[str]) -> str:
    """The name of a function of the package: another where the notebook's own code has it."""
    names = chain((function, f"{function}_rows"), (f"{function}_{n}" for n in count(2)))
    return next(name for name in names if name not in taken)


def idiom_functions(plan: FeaturePlan) -> dict[str, str]:
    """The serving forms that the features need, with their names in the extracted code."""
    return {idiom.function: name for operation, name in plan.idioms if (idiom := find_idiom(operation)) is not None}


def idioms_module(plan: FeaturePlan) -> str | None:
    """`idioms.py`: the serving forms that the features need, None when there are none."""
    functions = idiom_functions(plan)
    if not functions:
        return None
    source = serving_source(functions)
    imports = ["from typing import Any"]
    used = names_of([source])
    if "np" in used:
        imports.append("import numpy as np")
    if "pd" in used:
        imports.append("import pandas as pd")
    head = [
        '"""Operations that look over all rows and write to each: learned in fit, applied in transform."""',
        "",
        "from __future__ import annotations",
        "",
        *import_lines(imports),
        "",
        "",
    ]
    return "\n".join(head) + "\n" + source + "\n"


def train_module(plan: FeaturePlan, name: str, origin: str) -> Module:
    """`train.py`: the model as the notebook fits it."""
    module = Module()
    code = [step.code for step in plan.model.steps]
    own, shared = _split_definitions(plan, code)
    used = names_of([*code, *(step.code for step in own)])
    module.add(f'"""Training of {name}, extracted from {origin}."""', "", "from __future__ import annotations", "")
    module.add(*import_lines([text for bound, text in plan.imports if bound in used] + ["from typing import Any"]), "")
    taken = {"fit_model", "train"} & _defined(own, shared)
    at_module = {"Features"} if taken else {"Features", *shared}
    module.add(f"from .features import {', '.join(sorted(at_module, key=str.lower))}", _pipeline_import(used), "")
    if not taken:
        _add_definitions(module, own)
    matrix, labels = plan.model.parameters
    handed = ", **features.handed_over()" if plan.handed_over else ""
    further = "".join(f", {name}: Any" for name in plan.handed_over)
    module.add("", f"def fit_model({matrix}: Any, {labels}: Any{further}) -> Any:")
    module.add(f'{INDENT}"""The notebook\'s model, fitted on features and labels."""')
    if taken:
        _add_inside(module, own, shared)
    add_steps(module, plan.model.steps)
    module.add(
        f"{INDENT}return {plan.model.name}",
        "",
        "",
        f"def train(frame: Any) -> {_pipeline_name(used)}:",
        f'{INDENT}"""Fit features and model on raw rows (a DataFrame with the target), as the notebook does."""',
        f"{INDENT}features = Features()",
        f"{INDENT}{matrix}, {labels} = features.fit_rows(frame)",
        f"{INDENT}return {_pipeline_name(used)}(features, fit_model({matrix}, {labels}{handed}))",
    )
    return module


def evaluate_module(plan: FeaturePlan, name: str, origin: str) -> Module:
    """`evaluate.py`: the notebook's metrics on any labelled rows."""
    module = Module()
    code = [*(step.code for step in plan.evaluate_steps), *(text for _, text in plan.metrics)]
    own, shared = _split_definitions(plan, code)
    used = names_of([*code, *(step.code for step in own)])
    module.add(f'"""Evaluation of {name}, extracted from {origin}."""', "", "from __future__ import annotations", "")
    module.add(*import_lines([text for bound, text in plan.imports if bound in used] + ["from typing import Any"]), "")
    taken = {"evaluate"} & _defined(own, shared)
    if shared and not taken:
        module.add(f"from .features import {', '.join(sorted(shared, key=str.lower))}")
    module.add(_pipeline_import(used), "")
    if not taken:
        _add_definitions(module, own)
    module.add(
        "",
        f"def evaluate(pipeline: {_pipeline_name(used)}, frame: Any) -> dict[str, float]:",
        f'{INDENT}"""The metrics of a pipeline on raw rows that have the target."""',
    )
    if plan.labels is None and not plan.metrics:
        module.add(f"{INDENT}return {{}}  # the model is fitted without labels, and the notebook does not measure it")
        return module
    values = {
        "model": "pipeline.model",
        "matrix": "pipeline.features.model_input(frame)",
        "labels": "pipeline.labels(frame)",
    }
    if not plan.metrics:
        module.add(f'{INDENT}return {{"score": float(pipeline.model.score({values["matrix"]}, {values["labels"]}))}}')
        return module
    if taken:
        _add_inside(module, own, shared)
    for bound, what in plan.evaluate_bindings:
        module.add(f"{INDENT}{bound} = {values[what]}")
    for step in plan.evaluate_steps:
        module.add_step(step, INDENT)
    module.add(f"{INDENT}return {{")
    module.add(*(f'{INDENT * 2}"{key}": float({text}),' for key, text in plan.metrics))
    module.add(f"{INDENT}}}")
    return module


def _pipeline_name(used: set[str]) -> str:
    """The package's own pipeline, under another name where the notebook uses scikit-learn's."""
    return "ServedPipeline" if "Pipeline" in used else "Pipeline"


def _pipeline_import(used: set[str]) -> str:
    name = _pipeline_name(used)
    return "from .runtime.pipeline import Pipeline" + ("" if name == "Pipeline" else f" as {name}")


def _feature_code(plan: FeaturePlan) -> list[str]:
    code = [step.code + ("\n" + step.otherwise if step.otherwise else "") for step in plan.steps]
    answer = plan.answer if plan.answer is not None and plan.answer_site is None else "None"
    return [*code, plan.matrix, plan.labels or "None", answer]


def needed_definitions(plan: FeaturePlan, code: Iterable[str]) -> list[Step]:
    """The plan's functions, classes and constants that this code needs, directly or through each other."""
    by_name = {name: step for step in plan.definitions for name in defined_names(step.code)}
    wanted: set[int] = set()
    names = names_of(code)
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        step = by_name.get(name)
        if step is not None:
            wanted.add(id(step))
            names |= names_of([step.code])
    return [step for step in plan.definitions if id(step) in wanted]


def _split_definitions(plan: FeaturePlan, code: Sequence[str]) -> tuple[list[Step], set[str]]:
    """Definitions of this module's own, and names that it takes from the features module."""
    in_features = needed_definitions(plan, _feature_code(plan))
    wanted = needed_definitions(plan, code)
    shared = [step for step in wanted if step in in_features]
    own = [step for step in wanted if step not in in_features]
    direct = names_of([*code, *(step.code for step in own)])
    return own, {name for step in shared for name in defined_names(step.code) if name in direct}


def _defined(own: Sequence[Step], shared: set[str]) -> set[str]:
    return shared | {name for step in own for name in defined_names(step.code)}


def _add_inside(module: Module, own: Sequence[Step], shared: set[str]) -> None:
    """Definitions inside of the function that needs them, where one is called like a function of the package."""
    if shared:
        module.add(f"{INDENT}from .features import {', '.join(sorted(shared, key=str.lower))}", "")
    add_steps(module, own)
    if own:
        module.add("")


def _add_definitions(module: Module, definitions: Sequence[Step]) -> None:
    previous = ""
    for step in definitions:
        block = "\ndef " in "\n" + step.code or "\nclass " in "\n" + step.code or "\n@" in "\n" + step.code
        if block or previous == "block":
            module.add("", "")
        elif previous == "" and module.lines[-1] != "":
            module.add("")
        module.add_step(step)
        previous = "block" if block else "line"
    if definitions:
        module.add("")


def names_of(code: Iterable[str]) -> set[str]:
    """All names that pieces of code mention, annotations included, and not those that functions bind for themselves."""
    names: set[str] = set()
    for text in code:
        tree = syntax_tree(text)
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= free_names(tree)
    return names


def _tuple_lines(name: str, values: Sequence[str]) -> list[str]:
    items = [_quoted(value) for value in values]
    one = f"{INDENT}{name} = ({', '.join(items)}{',' if len(items) == 1 else ''})"
    if len(one) <= 110:
        return [one]
    return [f"{INDENT}{name} = (", *(f"{INDENT * 2}{item}," for item in items), f"{INDENT})"]


def _quoted(value: str) -> str:
    text = repr(value)
    return f'"{value}"' if '"' not in value and text == f"'{value}'" else text
