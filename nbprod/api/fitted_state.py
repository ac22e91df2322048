"""What the newest fitted version of a package knows, told from its JSON files alone: nothing is loaded or unpickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod import versions
from nbprod.api.learned_text import learned_text, text_of
from nbprod.api.packages import Target
from nbprod.api.proving import proof_of
from nbprod.api.raw_columns import raw_columns
from nbprod.model.plan import Feature, LearnedSite
from nbprod.model.run import Version


class Fitted(Struct, frozen=True):
    """A fitted version: what it learned by the name of the site, the columns of its raw rows, its features' digests."""

    version: Version
    folder: Path
    learned: Mapping[str, Any]
    expressions: Mapping[str, str]
    columns: Mapping[str, Mapping[str, Any]]
    policy: str
    digests: Mapping[str, str]
    proof: Mapping[str, Any]

    def value(self, site: LearnedSite) -> str | None:
        """What was learned at a site, as short text without secrets; None where it learns something else by now."""
        if self.expressions.get(site.name) != site.expression or site.name not in self.learned:
            return None
        return learned_text(site.name, self.learned[site.name], self.folder / "state")

    def has(self, feature: Feature) -> bool:
        """Whether this version makes a feature as the notebook does."""
        return self.digests.get(feature.name) == feature.digest

    def missing(self, feature: Feature) -> str | None:
        """What serving does where a raw column of a feature has no value."""
        said = [f"{name}: {_of_missing(column, self.policy)}" for name, column in self._inputs(feature)]
        return "; ".join(said) or None

    def unseen(self, feature: Feature) -> str | None:
        """What serving does where a raw column of a feature has a value that training never saw."""
        said = [
            f"{name}: {text}" for name, column in self._inputs(feature) if (text := _of_unseen(column, self.policy))
        ]
        return "; ".join(said) or None

    def _inputs(self, feature: Feature) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((name, self.columns[name]) for name in feature.inputs if name in self.columns)


def fitted_state(target: Target) -> Fitted | None:
    """The newest fitted version of a package; None where there is none, or its files can't be read."""
    version = versions.latest_fitted(target.root, target.name)
    if version is None:
        return None
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest = versions.read_manifest(folder)
    learned, schema, contract = (
        versions.read_object(folder / path) or {}
        for path in ("state/learned.json", "state/schema.json", "contract.json")
    )
    if manifest is None:
        return None
    return Fitted(
        version,
        folder,
        learned,
        {site["name"]: site["expression"] for step in manifest.get("steps", ()) for site in step.get("sites", ())},
        raw_columns(contract, schema),
        str(contract.get("policy", "flag")),
        {each["name"]: each["digest"] for each in manifest.get("features", ())},
        proof_of(target, version) or {},
    )


_THEN = {"flag": "predicted and flagged", "reject": "refused", "default": "answered with the default"}


def _of_missing(column: Mapping[str, Any], policy: str) -> str:
    if column.get("on_missing") == "reject":
        return "refused, as is declared"
    policy = column.get("on_missing") or policy
    if column.get("filled"):
        return f"the notebook's code fills it, though training had every value: {_THEN.get(policy, policy)}"
    if column.get("nullable", True):
        return f"as in training, where {100 * float(column.get('missing', 0)):.1f} % were missing"
    return "refused: training had every value, and the notebook's code fills none"


def _of_unseen(column: Mapping[str, Any], policy: str) -> str | None:
    policy = column.get("on_unseen") or policy
    then = _THEN.get(policy, policy)
    categories = column.get("categories")
    if categories is not None:
        return f"other than the {len(categories)} values of training: {then}"
    if column.get("min") is not None:
        return f"outside of {text_of(column['min'], Path())} to {text_of(column['max'], Path())}: {then}"
    return None
