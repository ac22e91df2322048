/**
 * The server extension as a typed client: every request is named here, and every answer in generated.ts.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';

import type {
  IDeclarations,
  IExecuted,
  IExtension,
  IInitialised,
  IJob,
  IJobs,
  IPreview,
  IProblem,
  IReadiness,
  IRunParameters,
  IRuns,
  IStudy,
  IVersions
} from './generated';
import { VERSION } from './version';

export type {
  ICheck,
  IDeclaration,
  IDeclarations,
  IDivergence,
  IEdge,
  IFeature,
  IFinding,
  IInspectedCell,
  IInspection,
  IJob,
  IJobProgress,
  ILearned,
  ILeftOut,
  IPlan,
  IPlanStep,
  IPreview,
  IPreviewFile,
  IPreviewLine,
  IProblem,
  IReadiness,
  IReadinessItem,
  IRefusal,
  IRun,
  IRunParameter,
  IRuns,
  IStudy,
  ISuggestion,
  IVersion,
  IVersions,
  JobKind,
  MarkedBy
} from './generated';

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
   * @throws ApiError, with the code `server-missing` where the server extension is not there, and `server-differs`
   * where it is not the one that belongs to this front end.
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

  async study(
    path: string,
    content: nbformat.INotebookContent | null
  ): Promise<IStudy> {
    await this._meet();
    return this._post('study', { path, content, page: this._page });
  }

  exportPackage(path: string): Promise<IJob> {
    return this._post('export', { path });
  }

  run(
    path: string,
    parameters: Readonly<Record<string, unknown>>,
    anew: boolean
  ): Promise<IJob> {
    return this._post('run', { path, parameters, anew, auto: true });
  }

  verify(path: string): Promise<IJob> {
    return this._post('verify', { path });
  }

  gather(path: string, items: readonly string[]): Promise<IJob> {
    return this._post('gather', { path, items, anew: items.length > 0 });
  }

  declarations(path: string): Promise<IDeclarations> {
    return this._post('declarations', { path });
  }

  declare(
    path: string,
    values: Readonly<Record<string, string>>
  ): Promise<IDeclarations> {
    return this._post('declare', { path, values });
  }

  reproduce(path: string, run: string): Promise<IJob> {
    return this._post('reproduce', { path, run_id: run });
  }

  jobs(path: string): Promise<IJobs> {
    return this._post('jobs', { path });
  }

  job(id: string): Promise<IJob> {
    return this._post('job', { id });
  }

  cancel(id: string): Promise<IJob> {
    return this._post('cancel', { id });
  }

  versions(path: string): Promise<IVersions> {
    return this._post('versions', { path });
  }

  promote(path: string, version: number): Promise<IVersions> {
    return this._post('promote', { path, version });
  }

  rollback(path: string): Promise<IVersions> {
    return this._post('rollback', { path });
  }

  runs(path: string): Promise<IRuns> {
    return this._post('runs', { path });
  }

  /** What a run of the saved notebook can be given. */
  parameters(path: string): Promise<IRunParameters> {
    return this._post('parameters', { path });
  }

  /** A copy of a run's executed notebook that can be opened. */
  executed(path: string, run: string): Promise<IExecuted> {
    return this._post('executed', { path, run_id: run });
  }

  /** Write the project's configuration, and a hook or a workflow. */
  init(
    path: string,
    what: { readonly pre_commit?: boolean; readonly github?: boolean }
  ): Promise<IInitialised> {
    return this._post('init', { path, ...what });
  }

  readiness(path: string): Promise<IReadiness> {
    return this._post('readiness', { path });
  }

  /** The package as the notebook would give it now, or as `version` lies on disk. */
  preview(
    path: string,
    content: nbformat.INotebookContent | null,
    version: number | null
  ): Promise<IPreview> {
    return this._post('preview', { path, content, version });
  }

  /** Ask once which server part is there: answers of another one may mean anything. */
  private async _meet(): Promise<void> {
    if (this._isMet) {
      return;
    }
    const { version } = await this._request<IExtension>('status', {});
    if (version !== VERSION) {
      throw new ApiError({
        code: 'server-differs',
        message: `nbprod ${version} runs in Jupyter, this page has ${VERSION}`,
        hint: null
      });
    }
    this._isMet = true;
  }

  private _post<T>(route: string, body: object): Promise<T> {
    return this._request<T>(route, {
      method: 'POST',
      body: JSON.stringify(body)
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
      this._isMet = false; // It may be another one that answers next.
      throw new ApiError({
        code: 'unreachable',
        message: String(error),
        hint: null
      });
    }
    if (!response.ok) {
      throw new ApiError(await problemOf(response));
    }
    try {
      return (await response.json()) as T;
    } catch (error) {
      // A page in the place of an answer, such as that of a login that has expired.
      throw new ApiError({
        code: 'server-failed',
        message: String(error),
        hint: null
      });
    }
  }

  private _isMet = false;
  private readonly _settings: ServerConnection.ISettings;
  /** Of the questions of one page the server answers the newest alone. */
  private readonly _page = UUID.uuid4();
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

/** The problem of a request that failed as requests do; any other error goes on. */
export function problemOfError(error: unknown): IProblem {
  if (error instanceof ApiError) {
    return error.problem;
  }
  throw error;
}
