/**
 * The server extension as a typed client: every request and every answer is named here.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';

import type { Role } from './roles';

/** How a cell carries its role. */
export type MarkedBy = 'tag' | 'comment' | 'magic';

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

/** Something worth a person's look, at a cell and line. */
export interface IFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly cell: number;
  readonly cell_id: string;
  readonly line: number;
  readonly end_line: number;
  readonly hint: string | null;
  readonly related: readonly {
    readonly cell: number;
    readonly line: number;
    readonly message: string;
  }[];
}

/** Variables that go from one cell to another. */
export interface IEdge {
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

/** One statement of the plan: when it happens, and how sure its serving form is. */
export interface IPlanStep {
  readonly cell: number;
  readonly line: number;
  readonly end_line: number;
  readonly binding: 'constant' | 'learned' | 'row' | 'train-only';
  readonly status: 'proven' | 'observed' | 'assumed' | 'refused';
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
  readonly model: {
    readonly name: string;
    readonly estimator: string;
    readonly why: string | null;
  };
  readonly inputs: readonly string[];
  readonly features: readonly {
    readonly name: string;
    readonly digest: string;
    readonly steps: readonly number[];
  }[];
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

/** The notebook against its newest exported version. */
export interface ICheck {
  /** The package's name. */
  readonly name: string;
  readonly version: number | null;
  readonly verdict:
    | 'same'
    | 'cosmetic'
    | 'training-only'
    | 'diverges'
    | 'unknown'
    | 'not-exported';
  readonly divergences: readonly IDivergence[];
}

/** A value that a feature learns: where, and what it is after a run. */
export interface ILearned {
  readonly site: string;
  readonly expression: string;
  readonly cell: number;
  readonly line: number;
  /** As text, or null before a run. */
  readonly value: string | null;
}

/** One feature of the model: where it comes from, and what serving does with it. */
export interface IFeature {
  readonly name: string;
  readonly status: IPlanStep['status'];
  readonly inputs: readonly string[];
  readonly cells: readonly number[];
  readonly learned: readonly ILearned[];
  /** What serving does with a missing value, and with one that training never saw; null where it is not known. */
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

/** An inspection, with what the exported package adds to it: all that the panels show live. */
export interface IStudy extends IInspection {
  readonly check: ICheck;
  readonly features: readonly IFeature[];
  readonly left_out: readonly ILeftOut[];
}

/** What the server extension says of itself. */
export interface IStatus {
  readonly version: string;
  readonly api: number;
}

/** Why a request failed: what happened, where, and what to do next. */
export interface IProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** A request that the server extension did not answer as asked. */
export class ApiError extends Error {
  constructor(readonly problem: IProblem) {
    super(problem.message);
  }
}

/** What the model needs of the server. */
export interface INbprodClient {
  /**
   * Study the notebook at `path`; `content` is the notebook as edited, or null for the saved file.
   *
   * @throws ApiError, with the code `server-missing` where the server extension is not there.
   */
  study(
    path: string,
    content: nbformat.INotebookContent | null
  ): Promise<IStudy>;
}

/** The client that asks the Jupyter server of this page. */
export class NbprodClient implements INbprodClient {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  status(): Promise<IStatus> {
    return this._request<IStatus>('status', { method: 'GET' });
  }

  study(
    path: string,
    content: nbformat.INotebookContent | null
  ): Promise<IStudy> {
    return this._request<IStudy>('study', {
      method: 'POST',
      body: JSON.stringify({ path, content })
    });
  }

  private async _request<T>(route: string, init: RequestInit): Promise<T> {
    const url = URLExt.join(
      this._settings.baseUrl,
      'nbprod',
      'api',
      'v1',
      route
    );
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw new ApiError({
        code: 'unreachable',
        message: String(error),
        hint: null
      });
    }
    if (response.ok) {
      return (await response.json()) as T;
    }
    throw new ApiError(await problemOf(response));
  }

  private readonly _settings: ServerConnection.ISettings;
}

async function problemOf(response: Response): Promise<IProblem> {
  const text = await response.text();
  let body: { error?: Partial<IProblem>; message?: string } | null = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A page and no JSON: the status says all that there is to say.
  }
  if (body?.error?.message) {
    return {
      code: body.error.code ?? 'error',
      message: body.error.message,
      hint: body.error.hint ?? null
    };
  }
  return {
    code: response.status === 404 ? 'server-missing' : 'server-failed',
    message: body?.message ?? `${response.status} ${response.statusText}`,
    hint: null
  };
}
