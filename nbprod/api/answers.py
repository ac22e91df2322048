"""What the server answers, as values: from them come the TypeScript types (`python -m nbprod.server.typescript`).

Nothing is left out of an answer and nothing added: a field that a verb gives and no answer knows is an error.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from nbprod.model.finding import Severity, Verdict
from nbprod.model.notebook import MarkedBy, Role
from nbprod.model.plan import Binding, Status


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What all answers share."""


class Extension(Answer, frozen=True, forbid_unknown_fields=True):
    """What the server extension says of itself."""

    version: str
    api: int


class Place(Answer, frozen=True, forbid_unknown_fields=True):
    """Where something is: a file below the server's folder, and in it a code cell (from 0) and a line (from 1)."""

    path: str
    cell: int | None
    cell_id: str | None
    line: int | None


class Problem(Answer, frozen=True, forbid_unknown_fields=True):
    """Why a request failed: what happened, where, and what to do next."""

    code: str
    message: str
    hint: str | None
    where: Place | UnsetType | None = UNSET


class Suggestion(Answer, frozen=True, forbid_unknown_fields=True):
    """A role proposed for an untagged cell; `confidence` lies in 0…1."""

    role: Role
    confidence: float
    reason: str


class InspectedCell(Answer, frozen=True, forbid_unknown_fields=True):
    """One code cell of an inspected notebook; `index` counts code cells from 0."""

    index: int
    id: str
    role: Role | None
    marked_by: MarkedBy | None
    suggestion: Suggestion | None
    steps: tuple[str, ...]
    defines: tuple[str, ...]
    updates: tuple[str, ...]
    uses: tuple[str, ...]


class Related(Answer, frozen=True, forbid_unknown_fields=True):
    """Another place that belongs to a finding, such as its cause."""

    cell: int
    line: int
    message: str


class Finding(Answer, frozen=True, forbid_unknown_fields=True):
    """Something worth a person's look, at a cell and line."""

    rule: str
    severity: Severity
    message: str
    cell: int
    cell_id: str
    line: int
    end_line: int
    hint: str | None
    related: tuple[Related, ...]


class Edge(Answer, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "to": "to"}):
    """Variables that go from one cell to another."""

    source: int
    to: int
    names: tuple[str, ...]


class PlanModel(Answer, frozen=True, forbid_unknown_fields=True):
    """The model that is served; `why` is null where it is told by the caller or by the notebook."""

    name: str
    estimator: str
    why: str | None


class PlanFeature(Answer, frozen=True, forbid_unknown_fields=True):
    """A feature of the plan; `steps` are the numbers of the steps that make it."""

    name: str
    digest: str
    steps: tuple[int, ...]


class PlanStep(Answer, frozen=True, forbid_unknown_fields=True):
    """One statement of the plan: when it happens, and how sure its serving form is."""

    cell: int
    line: int
    end_line: int
    binding: Binding
    status: Status
    sites: tuple[str, ...]
    idiom: str | None


class Refusal(Answer, frozen=True, forbid_unknown_fields=True):
    """What can't be served, why, and what to do."""

    cell: int
    line: int
    construct: str
    reason: str
    hint: str


class Plan(Answer, frozen=True, forbid_unknown_fields=True):
    """What would be extracted from the notebook."""

    digest: str
    target: str | None
    model: PlanModel
    inputs: tuple[str, ...]
    features: tuple[PlanFeature, ...]
    steps: tuple[PlanStep, ...]
    refusals: tuple[Refusal, ...]


class Divergence(Answer, frozen=True, forbid_unknown_fields=True):
    """One difference between the notebook and its package."""

    feature: str
    kind: str
    cell: int
    cell_id: str
    line: int
    before: str
    after: str


class Check(Answer, frozen=True, forbid_unknown_fields=True):
    """The notebook against the newest exported version of its package, whose name is `name`."""

    name: str
    version: int | None
    verdict: Verdict
    divergences: tuple[Divergence, ...]


class Learned(Answer, frozen=True, forbid_unknown_fields=True):
    """A value that a feature learns: where, and what it is after a run, as short text (null before a run)."""

    site: str
    expression: str
    cell: int
    line: int
    value: str | None


class Feature(Answer, frozen=True, forbid_unknown_fields=True):
    """One feature of the model: where it comes from, and what serving does with it.

    `missing` and `unseen` say what serving does with a missing value, and with one that training never saw; null where
    it is not known.
    """

    name: str
    status: Status
    inputs: tuple[str, ...]
    cells: tuple[int, ...]
    learned: tuple[Learned, ...]
    missing: str | None
    unseen: str | None


class LeftOut(Answer, frozen=True, forbid_unknown_fields=True):
    """A cell that is no part of the package, and why."""

    cell: int
    why: str


class Inspection(Answer, frozen=True, forbid_unknown_fields=True):
    """What can be known of a notebook without running it."""

    notebook: str
    schema: int
    cells: tuple[InspectedCell, ...]
    edges: tuple[Edge, ...]
    findings: tuple[Finding, ...]
    plan: Plan | None
    plan_error: Problem | None


class Study(Inspection, frozen=True, forbid_unknown_fields=True):
    """An inspection, with what the exported package adds to it: all that the panels show live."""

    check: Check
    features: tuple[Feature, ...]
    left_out: tuple[LeftOut, ...]
