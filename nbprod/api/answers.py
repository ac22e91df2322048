"""What the server answers, as values: from them come the TypeScript types (`python -m nbprod.server.typescript`).

Nothing is left out of an answer and nothing added: a field that a verb gives and no answer knows is an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from nbprod.model.finding import Severity, Verdict
from nbprod.model.notebook import MarkedBy, Role
from nbprod.model.plan import Binding, Status
from nbprod.model.readiness import ActionKind, State


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


class JobKind(StrEnum):
    """What work on a notebook does."""

    EXPORT = "export"
    RUN = "run"
    VERIFY = "verify"
    REPRODUCE = "reproduce"
    GATHER = "gather"


class JobState(StrEnum):
    """How far work on a notebook is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobProgress(Answer, frozen=True, forbid_unknown_fields=True):
    """Where work stands: `done` of `total` parts of a stage, and the code cell that runs."""

    stage: str
    text: str
    done: int
    total: int
    cell: int | None


class Job(Answer, frozen=True, forbid_unknown_fields=True):
    """Work on a notebook that goes on without the page; `result` is what the command line prints as JSON."""

    id: str
    kind: JobKind
    path: str
    state: JobState
    started: str
    ended: str | None = None
    progress: JobProgress | None = None
    result: dict[str, Any] | None = None
    error: Problem | None = None


class Jobs(Answer, frozen=True, forbid_unknown_fields=True):
    """Work on notebooks, the newest first."""

    jobs: tuple[Job, ...]


class FeatureChanges(Answer, frozen=True, forbid_unknown_fields=True):
    """Features by their names, against the version before."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class Version(Answer, frozen=True, forbid_unknown_fields=True):
    """One version of a package.

    `reason` says why it was made, `features` is null for the first, `verify` the outcome of its last replay here, and
    `one_row` how one row is answered, where it is fitted.
    """

    number: int
    created: str
    digest: str
    fitted: bool
    run_id: str | None
    aliases: tuple[str, ...]
    reason: str
    features: FeatureChanges | None
    metrics: dict[str, float]
    verify: str | None
    one_row: str | None


class Versions(Answer, frozen=True, forbid_unknown_fields=True):
    """The versions of a package, the oldest first; none where it was never exported."""

    name: str
    versions: tuple[Version, ...]


class Run(Answer, frozen=True, forbid_unknown_fields=True):
    """One tracked run; `executed` is the executed notebook below the server's folder, or null where it is not here."""

    run_id: str
    started: str
    ended: str | None
    status: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    version: int | None
    verify: str | None
    executed: str | None


class Runs(Answer, frozen=True, forbid_unknown_fields=True):
    """The runs of a package, the newest first."""

    runs: tuple[Run, ...]


class RunParameter(Answer, frozen=True, forbid_unknown_fields=True):
    """A name that the notebook's cell of parameters sets, its default as text, and its type as an annotation says it.

    A text stands without its quotes. `kind` is null where nothing says the type: a default of None, or a call. A
    `required` one has no default. `description` is the comment at its line; `choices` are the values that its type
    counts up, if it does.
    """

    name: str
    default: str
    kind: str | None
    required: bool = False
    secret: bool = False
    description: str = ""
    choices: tuple[str, ...] = ()


class RunParameters(Answer, frozen=True, forbid_unknown_fields=True):
    """What a run of the saved notebook can be given, in the order of the cell."""

    parameters: tuple[RunParameter, ...]


class Executed(Answer, frozen=True, forbid_unknown_fields=True):
    """A copy of the notebook as it was executed, beside the notebook: its path below the server's folder."""

    path: str


class Initialised(Answer, frozen=True, forbid_unknown_fields=True):
    """Files of the project that were written or added to, and those that said it already; below the server's folder."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


class PreviewLine(Answer, frozen=True, forbid_unknown_fields=True):
    """Which line of a code cell a line of a module comes from; lines count from 1.

    `cell` counts from 0 as the cells stood when the module was made, and `cell_id` is the cell's own id.
    """

    line: int
    cell: int
    cell_id: str | None
    notebook_line: int


class PreviewFile(Answer, frozen=True, forbid_unknown_fields=True):
    """One file of a package; `before` is its text in the version that it is compared to, or null."""

    path: str
    text: str
    before: str | None
    lines: tuple[PreviewLine, ...]


class Preview(Answer, frozen=True, forbid_unknown_fields=True):
    """The package of a notebook, to read: as the notebook would give it now, or `version` as it lies on disk.

    `compared_to` is the newest version, which has the files' text before, or null where there is none yet; `verdict`
    compares the notebook with it.
    """

    name: str
    version: int | None
    compared_to: int | None
    verdict: Verdict
    files: tuple[PreviewFile, ...]


class ReadinessAction(Answer, frozen=True, forbid_unknown_fields=True):
    """The next step of an item: `cell` is the code cell to open, `key` what to declare in the configuration."""

    kind: ActionKind
    cell: int | None = None
    key: str | None = None


class ReadinessItem(Answer, frozen=True, forbid_unknown_fields=True):
    """One item of the checklist; never `proved` without evidence. `section` is the title of its section.

    Nothing goes to production while a `blocking` item is contradicted; `gathered` says that its evidence takes time,
    and `numbers` are its figures, null where there are none.
    """

    id: str
    title: str
    section: str
    state: State
    evidence: str
    contradicts: str | None
    action: ReadinessAction | None
    blocking: bool
    gathered: bool
    is_promise: bool
    why: str
    source: str
    step: str
    keys: tuple[str, ...]
    tests: tuple[str, ...]
    numbers: dict[str, Any] | None = None


class ReadinessSection(Answer, frozen=True, forbid_unknown_fields=True):
    """The points of a section, of so many applicable items; `score` is their share in 0…1."""

    id: str
    title: str
    points: float
    of: int
    score: float | None


class MlTestScore(Answer, frozen=True, forbid_unknown_fields=True):
    """The ML Test Score: points of its four sections, the least of them, and how its authors read that."""

    sections: dict[str, float]
    score: float
    band: str


class ReadinessStep(Answer, frozen=True, forbid_unknown_fields=True):
    """One thing to do, in words, the items that it is for, and how many of these block going to production."""

    text: str
    items: tuple[str, ...]
    blocking: int


class ReadinessStanding(Answer, frozen=True, forbid_unknown_fields=True):
    """How the checklist stood when evidence was gathered last for a version; `when` is in UTC."""

    version: int | None
    when: str
    score: float
    proved: int
    open: int
    blockers: int


class Readiness(Answer, frozen=True, forbid_unknown_fields=True):
    """The checklist for production; `configuration` is the file to declare things in, or null where there is none.

    `score` is that of the lowest section, `lowest`. `blockers` are blocking items that are contradicted, `open` those
    that are neither proved nor declared. `next` is what to do, the step that brings most first,
    `standings` how it stood for each version.
    """

    notebook: str
    name: str
    version: int | None
    at: str
    items: tuple[ReadinessItem, ...]
    sections: tuple[ReadinessSection, ...]
    score: float
    lowest: str
    blockers: tuple[str, ...]
    open: tuple[str, ...]
    ml_test_score: MlTestScore
    maturity: str
    next: tuple[ReadinessStep, ...]
    standings: tuple[ReadinessStanding, ...]
    configuration: str | None


class Declaration(Answer, frozen=True, forbid_unknown_fields=True):
    """A key that can be declared: what it means, an example, and its `value` as one would type it.

    The value is null where nothing is declared. `choices` are the values that it can have, where these are few; `items`
    are those of the checklist that go by it. A `rare` one answers for what few pipelines have.
    """

    key: str
    question: str
    example: str
    value: str | None
    choices: tuple[str, ...]
    items: tuple[str, ...]
    rare: bool


class Declarations(Answer, frozen=True, forbid_unknown_fields=True):
    """What can be declared of a pipeline; `configuration` is the file, or null where there is none yet."""

    configuration: str | None
    declarations: tuple[Declaration, ...]
