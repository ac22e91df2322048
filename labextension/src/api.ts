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

/** What can be known of a notebook without running it. */
export interface IInspection {
  readonly notebook: string;
  readonly schema: number;
  readonly cells: readonly IInspectedCell[];
  readonly findings: readonly IFinding[];
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
   * Inspect the notebook at `path`; `content` is the notebook as edited, or null for the saved file.
   *
   * @throws ApiError, with the code `server-missing` where the server extension is not there.
   */
  inspect(
    path: string,
    content: nbformat.INotebookContent | null
  ): Promise<IInspection>;
}

/** The client that asks the Jupyter server of this page. */
export class NbprodClient implements INbprodClient {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  status(): Promise<IStatus> {
    return this._request<IStatus>('status', { method: 'GET' });
  }

  inspect(
    path: string,
    content: nbformat.INotebookContent | null
  ): Promise<IInspection> {
    return this._request<IInspection>('inspect', {
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
