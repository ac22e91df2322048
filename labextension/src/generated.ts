/**
 * The answers of the server extension.
 *
 * Made from nbprod/api/answers.py by `python -m nbprod.server.typescript`: edit
 * them there.
 */

/** What a person can do about an item of the checklist. */
export type ActionKind =
  | 'export'
  | 'run'
  | 'declare'
  | 'open-cell'
  | 'tag'
  | 'plan'
  | 'workflow'
  | 'gather'
  | 'wait';

/**
 * When a value is known: before any data, after fit, or only with the row at
 * hand.
 */
export type Binding = 'constant' | 'learned' | 'row' | 'train-only';

/** What work on a notebook does. */
export type JobKind = 'export' | 'run' | 'verify' | 'reproduce' | 'gather';

/** How far work on a notebook is. */
export type JobState = 'running' | 'done' | 'failed' | 'cancelled';

/**
 * How a cell carries its role: `metadata.tags`, `#| nbprod: features`, or
 * `%%features`.
 */
export type MarkedBy = 'tag' | 'comment' | 'magic';

/** What a cell is for. `explore` marks a cell that is left out. */
export type Role =
  'parameters' | 'data' | 'features' | 'train' | 'evaluate' | 'explore';

export type Severity = 'error' | 'warning' | 'info';

/**
 * How an item of the checklist stands. Only `proved` rests on evidence of a
 * machine that is still fresh.
 */
export type State =
  | 'proved'
  | 'declared'
  | 'contradicted'
  | 'stale'
  | 'missing'
  | 'not-applicable';

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

/**
 * Where work stands: `done` of `total` parts of a stage, and the code cell that
 * runs.
 */
export interface IJobProgress {
  readonly stage: string;
  readonly text: string;
  readonly done: number;
  readonly total: number;
  readonly cell: number | null;
}

/**
 * Work on a notebook that goes on without the page; `result` is what the
 * command line prints as JSON.
 */
export interface IJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly path: string;
  readonly state: JobState;
  readonly started: string;
  readonly ended: string | null;
  readonly progress: IJobProgress | null;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: IProblem | null;
}

/** Work on notebooks, the newest first. */
export interface IJobs {
  readonly jobs: readonly IJob[];
}

/** Features by their names, against the version before. */
export interface IFeatureChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/**
 * One version of a package.
 *
 * `reason` says why it was made, `features` is null for the first, `verify` the
 * outcome of its last replay here, and `one_row` how one row is answered, where
 * it is fitted.
 */
export interface IVersion {
  readonly number: number;
  readonly created: string;
  readonly digest: string;
  readonly fitted: boolean;
  readonly run_id: string | null;
  readonly aliases: readonly string[];
  readonly reason: string;
  readonly features: IFeatureChanges | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly verify: string | null;
  readonly one_row: string | null;
}

/**
 * The versions of a package, the oldest first; none where it was never
 * exported.
 */
export interface IVersions {
  readonly name: string;
  readonly versions: readonly IVersion[];
}

/**
 * One tracked run; `executed` is the executed notebook below the server's
 * folder, or null where it is not here.
 */
export interface IRun {
  readonly run_id: string;
  readonly started: string;
  readonly ended: string | null;
  readonly status: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly version: number | null;
  readonly verify: string | null;
  readonly executed: string | null;
}

/** The runs of a package, the newest first. */
export interface IRuns {
  readonly runs: readonly IRun[];
}

/**
 * A name that the notebook's cell of parameters sets, its default as text, and
 * its type as an annotation says it.
 *
 * A text stands without its quotes. `kind` is null where nothing says the type:
 * a default of None, or a call. A `required` one has no default. `description`
 * is the comment at its line; `choices` are the values that its type counts up,
 * if it does.
 */
export interface IRunParameter {
  readonly name: string;
  readonly default: string;
  readonly kind: string | null;
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
  readonly choices: readonly string[];
}

/** What a run of the saved notebook can be given, in the order of the cell. */
export interface IRunParameters {
  readonly parameters: readonly IRunParameter[];
}

/**
 * A copy of the notebook as it was executed, beside the notebook: its path
 * below the server's folder.
 */
export interface IExecuted {
  readonly path: string;
}

/**
 * Files of the project that were written or added to, and those that said it
 * already; below the server's folder.
 */
export interface IInitialised {
  readonly written: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Which line of a code cell a line of a module comes from; lines count from 1.
 *
 * `cell` counts from 0 as the cells stood when the module was made, and
 * `cell_id` is the cell's own id.
 */
export interface IPreviewLine {
  readonly line: number;
  readonly cell: number;
  readonly cell_id: string | null;
  readonly notebook_line: number;
}

/**
 * One file of a package; `before` is its text in the version that it is
 * compared to, or null.
 */
export interface IPreviewFile {
  readonly path: string;
  readonly text: string;
  readonly before: string | null;
  readonly lines: readonly IPreviewLine[];
}

/**
 * The package of a notebook, to read: as the notebook would give it now, or
 * `version` as it lies on disk.
 *
 * `compared_to` is the newest version, which has the files' text before, or
 * null where there is none yet; `verdict` compares the notebook with it.
 */
export interface IPreview {
  readonly name: string;
  readonly version: number | null;
  readonly compared_to: number | null;
  readonly verdict: Verdict;
  readonly files: readonly IPreviewFile[];
}

/**
 * The next step of an item: `cell` is the code cell to open, `key` what to
 * declare in the configuration.
 */
export interface IReadinessAction {
  readonly kind: ActionKind;
  readonly cell: number | null;
  readonly key: string | null;
}

/**
 * One item of the checklist; never `proved` without evidence. `section` is the
 * title of its section.
 *
 * Nothing goes to production while a `blocking` item is contradicted;
 * `gathered` says that its evidence takes time, and `numbers` are its figures,
 * null where there are none.
 */
export interface IReadinessItem {
  readonly id: string;
  readonly title: string;
  readonly section: string;
  readonly state: State;
  readonly evidence: string;
  readonly contradicts: string | null;
  readonly action: IReadinessAction | null;
  readonly blocking: boolean;
  readonly gathered: boolean;
  readonly is_promise: boolean;
  readonly why: string;
  readonly source: string;
  readonly step: string;
  readonly keys: readonly string[];
  readonly tests: readonly string[];
  readonly numbers: Readonly<Record<string, unknown>> | null;
}

/**
 * The points of a section, of so many applicable items; `score` is their share
 * in 0…1.
 */
export interface IReadinessSection {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly of: number;
  readonly score: number | null;
}

/**
 * The ML Test Score: points of its four sections, the least of them, and how
 * its authors read that.
 */
export interface IMlTestScore {
  readonly sections: Readonly<Record<string, number>>;
  readonly score: number;
  readonly band: string;
}

/**
 * One thing to do, in words, the items that it is for, and how many of these
 * block going to production.
 */
export interface IReadinessStep {
  readonly text: string;
  readonly items: readonly string[];
  readonly blocking: number;
}

/**
 * How the checklist stood when evidence was gathered last for a version; `when`
 * is in UTC.
 */
export interface IReadinessStanding {
  readonly version: number | null;
  readonly when: string;
  readonly score: number;
  readonly proved: number;
  readonly open: number;
  readonly blockers: number;
}

/**
 * The checklist for production; `configuration` is the file to declare things
 * in, or null where there is none.
 *
 * `score` is that of the lowest section, `lowest`. `blockers` are blocking
 * items that are contradicted, `open` those that are neither proved nor
 * declared. `next` is what to do, the step that brings most first, `standings`
 * how it stood for each version.
 */
export interface IReadiness {
  readonly notebook: string;
  readonly name: string;
  readonly version: number | null;
  readonly at: string;
  readonly items: readonly IReadinessItem[];
  readonly sections: readonly IReadinessSection[];
  readonly score: number;
  readonly lowest: string;
  readonly blockers: readonly string[];
  readonly open: readonly string[];
  readonly ml_test_score: IMlTestScore;
  readonly maturity: string;
  readonly next: readonly IReadinessStep[];
  readonly standings: readonly IReadinessStanding[];
  readonly configuration: string | null;
}

/**
 * A key that can be declared: what it means, an example, and its `value` as one
 * would type it.
 *
 * The value is null where nothing is declared. `choices` are the values that it
 * can have, where these are few; `items` are those of the checklist that go by
 * it. A `rare` one answers for what few pipelines have.
 */
export interface IDeclaration {
  readonly key: string;
  readonly question: string;
  readonly example: string;
  readonly value: string | null;
  readonly choices: readonly string[];
  readonly items: readonly string[];
  readonly rare: boolean;
}

/**
 * What can be declared of a pipeline; `configuration` is the file, or null
 * where there is none yet.
 */
export interface IDeclarations {
  readonly configuration: string | null;
  readonly declarations: readonly IDeclaration[];
}
