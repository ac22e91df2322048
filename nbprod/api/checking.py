"""The verbs `check` and `diff`: the notebook against its package, and versions against each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from nbprod import codegen, versions
from nbprod.api.absent import unchecked
from nbprod.api.cells import finding_as_json
from nbprod.api.exporting import named_in_project
from nbprod.api.inside import is_notebook
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, package_of, recorded, split_reference, target_of
from nbprod.api.studying import Study, study
from nbprod.divergence import compare, diff_versions
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Comparison, Verdict
from nbprod.model.run import Version
from nbprod.undisturbed import undisturbed

Manifest = Mapping[str, Any]


@undisturbed()
def check_notebook(
    path: str,
    content: str | Mapping[str, Any] | None = None,
    *,
    output: str | None = None,
    name: str | None = None,
    reference: str | None = None,
    model: str | None = None,
) -> dict[str, Any]:
    """Divergence from the exported package, and findings (schemas/check.json).

    The newest version is meant, or the one that `reference` names. A notebook that was exported and gives no plan
    any more is `unknown`, with the reason as `plan_error`. Raises NbprodError where there is no notebook or the
    ledger is damaged.
    """
    target = target_of(path, output=output, name=name)
    before = recorded(target)
    known = study(notebook_of(path, content), model=model or target.settings.model, recorded=before)
    findings = [finding_as_json(finding) for finding in known.findings]
    version = _version(target, reference)
    if version is None:
        comparison = Comparison(path, None, Verdict.NOT_EXPORTED)
    else:
        comparison = compared(known, target, version)
    return {
        "notebook": path,
        "package": comparison.package,
        "verdict": comparison.verdict,
        "divergences": [to_builtins(each) for each in comparison.divergences],
        "findings": findings,
        "plan_error": known.failure.as_json() if known.failure else None,
        "unchecked": unchecked(known.notebook, known.outline.analysis, before.columns),
    }


def compared(known: Study, target: Target, version: Version) -> Comparison:
    """The notebook as studied against one version of its package."""
    folder = versions.version_folder(target.root, target.name, version.number)
    edits = versions.hand_edits(target.root, target.name, version.number)
    if known.plan is None:
        return Comparison(known.notebook.path, folder.as_posix(), Verdict.UNKNOWN)
    new = codegen.manifest_without_files(known.plan, named_in_project(known.notebook, target), target.name)
    return compare(new, _manifest(folder), hand_edits=edits, package=folder.as_posix())


def diff(before: str, after: str, *, output: str | None = None, model: str | None = None) -> dict[str, Any]:
    """All that differs from one side to the other, by feature (schemas/diff.json).

    A side is a notebook or `NAME`, `NAME@VERSION`, or a number or alias of the other side's package. Raises
    NbprodError for a side that is neither.
    """
    old_label, old = _side(before, after, output, model)
    new_label, new = _side(after, before, output, model)
    features = _features(old, new)
    return {
        "before": old_label,
        "after": new_label,
        "verdict": compare(new, old).verdict,
        "divergences": [to_builtins(each) for each in diff_versions(old, new)],
        "features": features,
    }


def _side(text: str, other: str, output: str | None, model: str | None) -> tuple[str, Manifest]:
    if is_notebook(text) and Path(text).is_file():
        target = target_of(text, output=output)
        known = study(notebook_of(text), model=model or target.settings.model, recorded=recorded(target))
        if known.plan is None:
            assert known.failure is not None
            raise known.failure
        return text, codegen.manifest_of(known.plan, named_in_project(known.notebook, target), target.name)
    if is_notebook(text):
        raise NbprodError("there is no such notebook", code="not-found", where=Where(text))
    name, reference = split_reference(text)
    if reference is None and _is_reference(name) and not _is_reference(other):
        name, reference = _name_of(other, output), name
    target = package_of(name, output=output)
    version = versions.resolve(target.root, name, reference or "latest")
    folder = versions.version_folder(target.root, name, version.number)
    return folder.as_posix(), _manifest(folder)


def _is_reference(text: str) -> bool:
    return text.removeprefix("v").isdecimal() or text in {"latest", "production", "champion", "challenger"}


def _name_of(text: str, output: str | None) -> str:
    if is_notebook(text):
        return target_of(text, output=output).name
    return split_reference(text)[0]


def _version(target: Target, reference: str | None) -> Version | None:
    if reference is not None:
        return versions.resolve(target.root, target.name, reference)
    return versions.latest(target.root, target.name)


def _manifest(folder: Path) -> Manifest:
    manifest = versions.read_manifest(folder)
    if manifest is None:
        raise NbprodError(
            "the manifest of this version can't be read",
            code="damaged-version",
            where=Where(str(folder / "manifest.json")),
            hint="restore it from version control, or export again",
        )
    return manifest


def _features(old: Manifest, new: Manifest) -> dict[str, list[str]]:
    before, after = ({each["name"]: each["digest"] for each in side.get("features", ())} for side in (old, new))
    both = [name for name in after if name in before]
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": [name for name in both if before[name] != after[name]],
        "same": [name for name in both if before[name] == after[name]],
    }
