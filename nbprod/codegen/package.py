"""All files of a version folder, with the manifest that describes them."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from nbprod import __version__
from nbprod.codegen.module import Module
from nbprod.codegen.requirements import requirements_lock
from nbprod.codegen.runtime import ROOT_FILES, RUNTIME_FILES, SERVING_FILES, TEST_FILES
from nbprod.codegen.sources import evaluate_module, features_module, idioms_module, train_module
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan, Step

Json = dict[str, Any]

_RUNTIME_INIT = b'"""What runs this version: the same modules in every package, copied as they are."""\n'
_SERVING_INIT = b'"""The service in front of the versions: `python -m` the package\'s name with `serve` starts it."""\n'


def version_files(plan: FeaturePlan, notebook: Notebook, name: str) -> dict[str, bytes]:
    """Relative path → content of one version: the same plan gives the same bytes."""
    contents, modules = _contents(plan, notebook, name)
    manifest = _manifest(plan, notebook, name, contents, modules)
    return {**contents, "manifest.json": _json(manifest)}


def manifest_of(plan: FeaturePlan, notebook: Notebook, name: str) -> Json:
    """The manifest that `version_files` writes."""
    contents, modules = _contents(plan, notebook, name)
    return _manifest(plan, notebook, name, contents, modules)


def manifest_without_files(plan: FeaturePlan, notebook: Notebook, name: str) -> Json:
    """What the manifest says of the plan: that of `version_files` without its files and where their lines are from."""
    return _manifest(plan, notebook, name, {}, {})


def root_files(name: str) -> dict[str, bytes]:
    """The files beside the version folders."""
    del name  # the package finds its own name
    own = {target: _runtime(source) for source, target in ROOT_FILES}
    return {
        **own,
        "serving/__init__.py": _SERVING_INIT,
        **{f"serving/{path}": _runtime(path) for path in SERVING_FILES},
    }


def support_files() -> dict[str, bytes]:
    """The files that are the same in every version: the modules that run it, and its tests."""
    sources = {f"runtime/{path}": _runtime(path) for path in RUNTIME_FILES}
    tests = {f"tests/{path}": _runtime(f"tests/{path}") for path in TEST_FILES}
    return {"runtime/__init__.py": _RUNTIME_INIT, **sources, **tests}


def _contents(plan: FeaturePlan, notebook: Notebook, name: str) -> tuple[dict[str, bytes], dict[str, Module]]:
    origin = notebook.path.replace("\\", "/").rpartition("/")[2]
    modules = {
        "features.py": features_module(plan, notebook, name, origin),
        "train.py": train_module(plan, name, origin),
        "evaluate.py": evaluate_module(plan, name, origin),
    }
    contents: dict[str, bytes] = {"__init__.py": f'"""One version of {name}, extracted from {origin}."""\n'.encode()}
    contents.update({path: module.text().encode() for path, module in modules.items()})
    idioms = idioms_module(plan)
    if idioms is not None:
        contents["idioms.py"] = idioms.encode()
    contents.update(support_files())
    contents["contract.json"] = _json(_contract(plan, name))
    contents["requirements.lock"] = requirements_lock(plan).encode()
    return contents, modules


def _runtime(path: str) -> bytes:
    return files("nbprod.codegen").joinpath("runtime", path).read_bytes()


def _json(value: Json) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _contract(plan: FeaturePlan, name: str) -> Json:
    contract: Json = {
        "schema": 1,
        "name": name,
        "digest": plan.digest,
        "target": plan.target,
        "policy": "flag",
        "open": plan.open_inputs,
        "columns": [{"name": column, "required": True} for column in plan.inputs],
        "features": [feature.name for feature in plan.features],
        "dropped": [{"predicate": text, "cell": cell, "line": line} for text, cell, line in plan.dropped],
    }
    if plan.around:
        contract["serves"] = "batch"
    if plan.training_inputs:
        contract["training_inputs"] = [
            {"path": read.path, "reader": read.reader, "cell": read.cell, "line": read.line}
            for read in plan.training_inputs
        ]
    if plan.input_tables:
        contract["input_tables"] = [
            {"path": read.path, "reader": read.reader, "cell": read.cell, "line": read.line}
            for read in plan.input_tables
        ]
        contract["joined_by"] = plan.raw.call
    if plan.lookups:
        contract["lookups"] = [
            {
                "name": table.name,
                "keys": None if table.keys is None else list(table.keys),
                "how": table.how,
                "path": table.path,
                "cell": table.cell,
                "line": table.line,
            }
            for table in plan.lookups
        ]
    reader = plan.raw.reader.rpartition(".")[2]
    if plan.read_options and reader.startswith("read_"):
        options = {key: ast.literal_eval(text) for key, text in plan.read_options}
        contract["read"] = {"function": reader, "kwargs": {k: v for k, v in options.items() if _is_json(v)}}
    return contract


def _is_json(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None) or (
        isinstance(value, list) and all(_is_json(part) for part in value)
    )


def _manifest(
    plan: FeaturePlan, notebook: Notebook, name: str, contents: Mapping[str, bytes], modules: Mapping[str, Module]
) -> Json:
    ids = {cell.index: cell.id for cell in notebook.cells}

    def step(one: Step) -> Json:
        return {
            "cell": one.cell,
            "cell_id": ids[one.cell],
            "line": one.line,
            "end_line": one.end_line,
            "binding": one.binding.value,
            "status": one.status.value,
            "sites": [
                {"name": site.name, "expression": site.expression, "cell": site.cell, "line": site.line}
                for site in one.sites
            ],
            "idiom": one.idiom,
            "source": one.source,
            "code": one.code,
        }

    return {
        "schema": 1,
        "nbprod": __version__,
        "name": name,
        "notebook": notebook.path.replace("\\", "/"),
        "digest": plan.digest,
        "training_digest": plan.training_digest,
        "target": plan.target,
        "answer": plan.answer,
        "inputs": list(plan.inputs),
        "open_inputs": plan.open_inputs,
        **({"serves": "batch"} if plan.around else {}),
        "pandas": plan.pandas,
        "raw": {
            "cell": plan.raw.cell,
            "cell_id": ids[plan.raw.cell],
            "line": plan.raw.line,
            "name": plan.raw.name,
            "call": plan.raw.call,
            "reader": plan.raw.reader,
            "path": plan.raw.path,
            "columns": list(plan.columns) or None,
        },
        **({"joins": dict(plan.joins)} if plan.joins else {}),
        "training_inputs": [
            {"path": read.path, "reader": read.reader, "call": read.call, "cell": read.cell, "line": read.line}
            for read in plan.training_inputs
        ],
        "features": [
            {"name": f.name, "digest": f.digest, "steps": list(f.steps), "inputs": list(f.inputs)}
            for f in plan.features
        ],
        "steps": [step(one) for one in plan.steps],
        "definitions": [step(one) for one in plan.definitions],
        "model": {
            "name": plan.model.name,
            "estimator": plan.model.estimator,
            "digest": plan.model.digest,
            "cell": plan.model.fit.cell,
            "cell_id": ids[plan.model.fit.cell],
            "line": plan.model.fit.line,
            "text": plan.model.fit.text,
            "source": "\n".join(one.source for one in plan.model.steps),
            "steps": [
                {"cell": one.cell, "cell_id": ids[one.cell], "line": one.line, "source": one.source}
                for one in plan.model.steps
            ],
        },
        "refusals": [
            {"cell": r.cell, "line": r.line, "construct": r.construct, "reason": r.reason, "hint": r.hint}
            for r in plan.refusals
        ],
        "roles": {cell.id: cell.role.value for cell in notebook.cells if cell.role is not None},
        "source_map": {
            path: [[line, cell, ids[cell], at] for line, (cell, at) in sorted(module.origins.items())]
            for path, module in sorted(modules.items())
        },
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(contents.items())},
    }
