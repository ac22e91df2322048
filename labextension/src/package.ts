/**
 * What is known of the notebook's package beside its text: versions, runs, readiness, and the work under way.
 */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  IJob,
  IProblem,
  IReadiness,
  IRuns,
  IVersions,
  JobKind
} from './api';
import { ApiError } from './api';

/** What the model of a package needs of the server. */
export interface IPackageClient {
  exportPackage(path: string): Promise<IJob>;
  run(
    path: string,
    parameters: Readonly<Record<string, unknown>>
  ): Promise<IJob>;
  verify(path: string): Promise<IJob>;
  jobs(path: string): Promise<{ readonly jobs: readonly IJob[] }>;
  job(id: string): Promise<IJob>;
  cancel(id: string): Promise<IJob>;
  versions(path: string): Promise<IVersions>;
  promote(path: string, version: number): Promise<IVersions>;
  rollback(path: string): Promise<IVersions>;
  runs(path: string): Promise<IRuns>;
  readiness(path: string): Promise<IReadiness>;
}

/** What the panels show of a package; null where it is not known yet. */
export interface IPackageState {
  readonly path: string | null;
  readonly versions: IVersions | null;
  readonly runs: IRuns | null;
  readonly readiness: IReadiness | null;
  /** The work under way, or the last that ended in this page. */
  readonly job: IJob | null;
  /** Why the last request failed, or null. */
  readonly problem: IProblem | null;
}

const NOTHING: IPackageState = {
  path: null,
  versions: null,
  runs: null,
  readiness: null,
  job: null,
  problem: null
};

/** Follows the package of one notebook at a time; work under way is found again after the page was reloaded. */
export class PackageModel implements IDisposable {
  constructor(options: PackageModel.IOptions) {
    this._client = options.client;
    this._pollDelay = options.pollDelay ?? 500;
  }

  get state(): IPackageState {
    return this._state;
  }

  get stateChanged(): ISignal<this, IPackageState> {
    return this._stateChanged;
  }

  /** Emitted when work has ended, whichever way: the notebook's package may be another. */
  get jobEnded(): ISignal<this, IJob> {
    return this._jobEnded;
  }

  get path(): string | null {
    return this._state.path;
  }
  set path(path: string | null) {
    if (path === this._state.path) {
      return;
    }
    clearTimeout(this._pollTimer);
    this._setState({ ...NOTHING, path });
    if (path !== null) {
      void this.refresh();
      void this._findJob(path);
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._pollTimer);
      Signal.clearData(this);
    }
  }

  /** Whether work on the notebook is under way. */
  get isBusy(): boolean {
    return this._state.job?.state === 'running';
  }

  /** Ask for versions, runs and readiness anew. */
  async refresh(): Promise<void> {
    const { path } = this._state;
    if (path === null) {
      return;
    }
    await Promise.all([
      this._fill(path, 'versions', this._client.versions(path)),
      this._fill(path, 'runs', this._client.runs(path)),
      this._fill(path, 'readiness', this._client.readiness(path))
    ]);
  }

  /** Start work on the notebook; nothing happens where some is under way. */
  async start(
    kind: JobKind,
    parameters: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    const { path } = this._state;
    if (path === null || this.isBusy) {
      return;
    }
    const job = await this._tried(path, () => {
      switch (kind) {
        case 'export':
          return this._client.exportPackage(path);
        case 'run':
          return this._client.run(path, parameters);
        case 'verify':
          return this._client.verify(path);
      }
    });
    if (job) {
      this._follow(path, job);
    }
  }

  /** Stop the work under way. */
  async cancel(): Promise<void> {
    const { path, job } = this._state;
    if (path !== null && job?.state === 'running') {
      const stopped = await this._tried(path, () =>
        this._client.cancel(job.id)
      );
      if (stopped) {
        this._follow(path, stopped);
      }
    }
  }

  /** Forget the work that has ended: its message is put away. */
  dismiss(): void {
    if (!this.isBusy) {
      this._setState({ ...this._state, job: null, problem: null });
    }
  }

  /** Let `production` stand for a version. */
  async promote(version: number): Promise<void> {
    await this._changeVersions(path => this._client.promote(path, version));
  }

  /** Let `production` stand again for what it stood for before. */
  async rollback(): Promise<void> {
    await this._changeVersions(path => this._client.rollback(path));
  }

  private async _changeVersions(
    change: (path: string) => Promise<IVersions>
  ): Promise<void> {
    const { path } = this._state;
    if (path === null) {
      return;
    }
    const versions = await this._tried(path, () => change(path));
    if (versions) {
      this._setState({ ...this._state, versions });
      await this.refresh();
    }
  }

  private async _findJob(path: string): Promise<void> {
    const found = await this._tried(path, () => this._client.jobs(path));
    const running = found?.jobs.find(job => job.state === 'running');
    if (running) {
      this._follow(path, running);
    }
  }

  private _follow(path: string, job: IJob): void {
    if (path !== this._state.path || this._isDisposed) {
      return;
    }
    const wasRunning = this._state.job?.id === job.id && this.isBusy;
    this._setState({ ...this._state, job, problem: null });
    clearTimeout(this._pollTimer);
    if (job.state === 'running') {
      this._pollTimer = setTimeout(() => {
        void this._poll(path, job.id);
      }, this._pollDelay);
    } else {
      if (wasRunning || job.ended !== null) {
        this._jobEnded.emit(job);
      }
      void this.refresh();
    }
  }

  private async _poll(path: string, id: string): Promise<void> {
    try {
      this._follow(path, await this._client.job(id));
    } catch (error) {
      const problem = problemOf(error);
      if (path !== this._state.path) {
        return;
      }
      // The server may be restarting: the work is looked for again until it says that there is none.
      const isGone = problem.code === 'no-job';
      this._setState({
        ...this._state,
        job: isGone ? null : this._state.job,
        problem
      });
      if (!isGone && !this._isDisposed) {
        this._pollTimer = setTimeout(() => {
          void this._poll(path, id);
        }, 4 * this._pollDelay);
      }
    }
  }

  private async _fill<Key extends 'versions' | 'runs' | 'readiness'>(
    path: string,
    key: Key,
    asked: Promise<IPackageState[Key]>
  ): Promise<void> {
    try {
      const answer = await asked;
      if (path === this._state.path) {
        this._setState({ ...this._state, [key]: answer });
      }
    } catch (error) {
      const problem = problemOf(error);
      if (path === this._state.path) {
        this._setState({ ...this._state, problem });
      }
    }
  }

  private async _tried<T>(
    path: string,
    ask: () => Promise<T>
  ): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      const problem = problemOf(error);
      if (path === this._state.path) {
        this._setState({ ...this._state, problem });
      }
      return null;
    }
  }

  private _setState(state: IPackageState): void {
    this._state = state;
    this._stateChanged.emit(state);
  }

  private readonly _client: IPackageClient;
  private readonly _pollDelay: number;
  private readonly _stateChanged = new Signal<this, IPackageState>(this);
  private readonly _jobEnded = new Signal<this, IJob>(this);
  private _state: IPackageState = NOTHING;
  private _pollTimer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

/** What belongs to `PackageModel`. */
export namespace PackageModel {
  /** What a model is made from; the delay between two looks at work under way is in milliseconds. */
  export interface IOptions {
    client: IPackageClient;
    pollDelay?: number;
  }
}

function problemOf(error: unknown): IProblem {
  if (error instanceof ApiError) {
    return error.problem;
  }
  throw error;
}
