/**
 * The answers of the server extension.
 *
 * Made from nbprod/api/answers.py by `python -m nbprod.server.typescript`: edit
 * them there.
 */

/**
 * When a value is known: before any data, after fit, or only with the row at
 * hand.
 */
export type Binding = 'constant' | 'learned' | 'row' | 'train-only';

/**
 * How a cell carries its role: `metadata.tags`, `#| nbprod: features`, or
 * `%%features`.
 */
export type MarkedBy = 'tag' | 'comment' | 'magic';

/** What a cell is for. `explore` marks a cell that is left out. */
export type Role =
  'parameters' | 'data' | 'features' | 'train' | 'evaluate' | 'explore';

export type Severity = 'error' | 'warning' | 'info';

/** How far a step is to be trusted. */
export type Status = 'proven' | 'observed' | 'assumed' | 'refused';

export type Verdict =
  | 'same'
  | 'cosmetic'
  | 'training-only'
  | 'diverges'
  | 'unknown'
  | 'not-exported';

/** What the server extension says of itself. */
export interface IExtension {
  readonly version: string;
  readonly api: number;
}

/**
 * Where something is: a file below the server's folder, and in it a code cell
 * (from 0) and a line (from 1).
 */
export interface IPlace {
  readonly path: string;
  readonly cell: number | null;
  readonly cell_id: string | null;
  readonly line: number | null;
}

/** Why a request failed: what happened, where, and what to do next. */
export interface IProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly where?: IPlace | null;
}

/** A role proposed for an untagged cell; `confidence` lies in 0…1. */
export interface ISuggestion {
  readonly role: Role;
  readonly confidence: number;
  readonly reason: string;
}

/** One code cell of an inspected notebook; `index` counts code cells from 0. */
export interface IInspectedCell {
  readonly index: number;
  readonly id: string;
  readonly role: Role | null;
  readonly marked_by: MarkedBy | null;
  readonly suggestion: ISuggestion | null;
  readonly steps: readonly string[];
  readonly defines: readonly string[];
  readonly updates: readonly string[];
  readonly uses: readonly string[];
}

/** Another place that belongs to a finding, such as its cause. */
export interface IRelated {
  readonly cell: number;
  readonly line: number;
  readonly message: string;
}

/** Something worth a person's look, at a cell and line. */
export interface IFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly cell: number;
  readonly cell_id: string;
  readonly line: number;
  readonly end_line: number;
  readonly hint: string | null;
  readonly related: readonly IRelated[];
}

/** Variables that go from one cell to another. */
export interface IEdge {
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

/**
 * The model that is served; `why` is null where it is told by the caller or by
 * the notebook.
 */
export interface IPlanModel {
  readonly name: string;
  readonly estimator: string;
  readonly why: string | null;
}

/** A feature of the plan; `steps` are the numbers of the steps that make it. */
export interface IPlanFeature {
  readonly name: string;
  readonly digest: string;
  readonly steps: readonly number[];
}

/**
 * One statement of the plan: when it happens, and how sure its serving form is.
 */
export interface IPlanStep {
  readonly cell: number;
  readonly line: number;
  readonly end_line: number;
  readonly binding: Binding;
  readonly status: Status;
  readonly sites: readonly string[];
  readonly idiom: string | null;
}

/** What can't be served, why, and what to do. */
export interface IRefusal {
  readonly cell: number;
  readonly line: number;
  readonly construct: string;
  readonly reason: string;
  readonly hint: string;
}

/** What would be extracted from the notebook. */
export interface IPlan {
  readonly digest: string;
  readonly target: string | null;
  readonly model: IPlanModel;
  readonly inputs: readonly string[];
  readonly features: readonly IPlanFeature[];
  readonly steps: readonly IPlanStep[];
  readonly refusals: readonly IRefusal[];
}

/** One difference between the notebook and its package. */
export interface IDivergence {
  readonly feature: string;
  readonly kind: string;
  readonly cell: number;
  readonly cell_id: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/**
 * The notebook against the newest exported version of its package, whose name
 * is `name`.
 */
export interface ICheck {
  readonly name: string;
  readonly version: number | null;
  readonly verdict: Verdict;
  readonly divergences: readonly IDivergence[];
}

/**
 * A value that a feature learns: where, and what it is after a run, as short
 * text (null before a run).
 */
export interface ILearned {
  readonly site: string;
  readonly expression: string;
  readonly cell: number;
  readonly line: number;
  readonly value: string | null;
}

/**
 * One feature of the model: where it comes from, and what serving does with it.
 *
 * `missing` and `unseen` say what serving does with a missing value, and with
 * one that training never saw; null where it is not known.
 */
export interface IFeature {
  readonly name: string;
  readonly status: Status;
  readonly inputs: readonly string[];
  readonly cells: readonly number[];
  readonly learned: readonly ILearned[];
  readonly missing: string | null;
  readonly unseen: string | null;
}

/** A cell that is no part of the package, and why. */
export interface ILeftOut {
  readonly cell: number;
  readonly why: string;
}

/** What can be known of a notebook without running it. */
export interface IInspection {
  readonly notebook: string;
  readonly schema: number;
  readonly cells: readonly IInspectedCell[];
  readonly edges: readonly IEdge[];
  readonly findings: readonly IFinding[];
  readonly plan: IPlan | null;
  readonly plan_error: IProblem | null;
}

/**
 * An inspection, with what the exported package adds to it: all that the panels
 * show live.
 */
export interface IStudy extends IInspection {
  readonly check: ICheck;
  readonly features: readonly IFeature[];
  readonly left_out: readonly ILeftOut[];
}
