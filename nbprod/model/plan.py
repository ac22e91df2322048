"""What is extracted: steps with their binding times, learned sites, the model, and what is refused."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Binding(StrEnum):
    """When a value is known: before any data, after fit, or only with the row at hand."""

    CONSTANT = "constant"
    LEARNED = "learned"
    ROW = "row"
    TRAIN_ONLY = "train-only"


class Status(StrEnum):
    """How far a step is to be trusted."""

    PROVEN = "proven"
    OBSERVED = "observed"
    ASSUMED = "assumed"
    REFUSED = "refused"


class LearnedSite(Struct, frozen=True):
    """A place where a learned value crosses into row code.

    `name` is the key under which fit records the value; `expression` the author's text.
    """

    name: str
    expression: str
    cell: int
    line: int


class Step(Struct, frozen=True):
    """One top-level statement of the extracted text.

    `code` is the author's text with the sites wrapped, dedented, without trailing newline; `source` is the
    author's text as it stands. `lines` are the cell's 1-based lines that `code` keeps, one for each line of
    `code` where that is known (source map). `guard` is `fitting` for what only training does, `labelled` for what
    only rows with a target get; `otherwise` is what serving does instead.
    """

    cell: int
    line: int
    end_line: int
    binding: Binding
    status: Status
    source: str
    code: str
    sites: tuple[LearnedSite, ...] = ()
    idiom: str | None = None
    lines: tuple[int, ...] = ()
    guard: str = ""
    otherwise: str = ""


class Feature(Struct, frozen=True):
    """A column that the model sees. `digest` is over its normalised dataflow; `steps` index into the plan."""

    name: str
    digest: str
    steps: tuple[int, ...]
    inputs: tuple[str, ...] = ()


class Refusal(Struct, frozen=True):
    """What cannot be extracted, with its place, the reason and the way out."""

    cell: int
    line: int
    construct: str
    reason: str
    hint: str


class CallPlace(Struct, frozen=True):
    """A call in the notebook: code cell, 1-based line and 0-based column of its expression, and its text.

    The end matters where calls nest: `a.fit(X).predict(X)` are two calls at one start.
    """

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class FurtherTable(Struct, frozen=True):
    """A table beside the raw frame: the place that reads it, its reader, and its path where that is a literal."""

    cell: int
    line: int
    reader: str
    path: str | None
    call: str


class LookupTable(Struct, frozen=True):
    """A second table that each row is looked up in, learned as `name`: the rows' key columns, and the notebook's join.

    `keys` is None for the rows' index. `path` is the table's file where it is a literal. Where `how` is `inner`,
    training leaves out the rows that have no row in the table.
    """

    name: str
    keys: tuple[str, ...] | None
    how: str
    path: str | None
    cell: int
    line: int


class RawSource(Struct, frozen=True):
    """Where the raw rows enter: the statement that reads them, and the reader's call, at `place`.

    `name` is the raw frame's in the extracted function: the author's where the statement does nothing but bind it.
    `path` is the file's path where it is a literal; `reader` the qualified function (`pandas.read_csv`).
    `call` is the author's text of the reading expression.
    """

    cell: int
    line: int
    end_line: int
    name: str
    call: str
    place: CallPlace
    reader: str = ""
    path: str | None = None


class ModelPlan(Struct, frozen=True):
    """The model that is served: its variable, class, training call and the calls that use it.

    `why` says how it was chosen among several where neither the caller nor the notebook told.
    """

    name: str
    estimator: str
    fit: CallPlace
    predicts: tuple[CallPlace, ...] = ()
    steps: tuple[Step, ...] = ()
    digest: str = ""
    parameters: tuple[str, str] = ("X", "y")
    why: str = ""


class FeaturePlan(Struct, frozen=True):
    """Everything that code generation, replay and divergence need to know of a notebook.

    `digest` covers what serving does, `training_digest` what only training does.
    `parameter` is the name of the raw frame in the extracted function; `matrix` and `labels` the author's
    names of what the model is fitted on. `definitions` are functions, classes and constants at module level,
    `imports` the import statements by the name they bind; `idioms` are the operations that have a serving form, with
    the name of its function in the extracted code; `evaluate_bindings` maps names in the evaluation to what
    they stand for (`model`, `matrix`, `labels`); `training_metrics` are names of metrics that the notebook computes on
    the very rows that it trains on, with their cells;
    `other_reads` are the calls that read rows that the model predicts,
    where they have a table of their own; `training_inputs` are further tables that only training reads; `lookups` those
    of them that are learned; `input_tables` are those whose joined rows are the raw rows; `joins` says what each join
    of the notebook is, by its text; `answer` turns predictions back into the target's units, by what `answer_site` has
    fitted where that is told; `initial` names need a value before training-only code sets them; `columns` are the raw
    table's where its header was at hand; `around` are the features that are made of the rows around a row (`*` stands
    for any): then whole batches are served, and no single row.
    `handed_over` are values of the preparation that training needs besides matrix and labels, such as a validation set.
    """

    digest: str
    training_digest: str
    target: str | None
    raw: RawSource
    parameter: str
    matrix: str
    labels: str | None
    inputs: tuple[str, ...]
    open_inputs: bool
    features: tuple[Feature, ...]
    steps: tuple[Step, ...]
    evaluate_steps: tuple[Step, ...]
    metrics: tuple[tuple[str, str], ...]
    model: ModelPlan
    refusals: tuple[Refusal, ...] = ()
    idioms: tuple[tuple[str, str], ...] = ()
    other_reads: tuple[CallPlace, ...] = ()
    answer: str | None = None
    answer_site: str | None = None
    training_inputs: tuple[FurtherTable, ...] = ()
    lookups: tuple[LookupTable, ...] = ()
    input_tables: tuple[FurtherTable, ...] = ()
    joins: tuple[tuple[str, str], ...] = ()
    definitions: tuple[Step, ...] = ()
    imports: tuple[tuple[str, str], ...] = ()
    evaluate_bindings: tuple[tuple[str, str], ...] = ()
    training_metrics: tuple[tuple[str, int], ...] = ()
    initial: tuple[str, ...] = ()
    handed_over: tuple[str, ...] = ()
    dropped: tuple[tuple[str, int, int], ...] = ()
    read_options: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    pandas: int = 3
    around: tuple[str, ...] = ()
