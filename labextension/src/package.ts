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
import { problemOfError } from './api';

/** What the model of a package needs of the server. */
export interface IPackageClient {
  exportPackage(path: string): Promise<IJob>;
  run(
    path: string,
    parameters: Readonly<Record<string, unknown>>,
    anew: boolean
  ): Promise<IJob>;
  verify(path: string): Promise<IJob>;
  gather(path: string, items: readonly string[]): Promise<IJob>;
  reproduce(path: string, run: string): Promise<IJob>;
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
  /** Why the last thing that was asked to be done was not done, or null. */
  readonly problem: IProblem | null;
  /** Why versions, runs or readiness are not known, or null. */
  readonly loadProblem: IProblem | null;
}

const NOTHING: IPackageState = {
  path: null,
  versions: null,
  runs: null,
  readiness: null,
  job: null,
  problem: null,
  loadProblem: null
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
    const asked = await Promise.allSettled([
      this._client.versions(path),
      this._client.runs(path),
      this._client.readiness(path)
    ]);
    if (path !== this._state.path) {
      return; // The answers are about another notebook than the one at hand.
    }
    const [versions, runs, readiness] = asked;
    const failed = asked.find(each => each.status === 'rejected');
    this._setState({
      ...this._state,
      versions: valueOf(versions) ?? this._state.versions,
      runs: valueOf(runs) ?? this._state.runs,
      readiness: valueOf(readiness) ?? this._state.readiness,
      loadProblem: failed ? problemOfError(failed.reason) : null
    });
  }

  /** Start work on the notebook, with `anew` all of its stages; nothing happens where some is under way. */
  async start(
    kind: Exclude<JobKind, 'reproduce' | 'gather'>,
    parameters: Readonly<Record<string, unknown>> = {},
    anew = false
  ): Promise<void> {
    await this._begin(path => {
      switch (kind) {
        case 'export':
          return this._client.exportPackage(path);
        case 'run':
          return this._client.run(path, parameters, anew);
        case 'verify':
          return this._client.verify(path);
      }
    });
  }

  /** Start to make a recorded run again, and to compare the two; nothing happens where work is under way. */
  async reproduce(run: string): Promise<void> {
    await this._begin(path => this._client.reproduce(path, run));
  }

  /** Start to gather evidence of items of the checklist, or of all that is open; nothing happens where work is under way. */
  async gather(items: readonly string[]): Promise<void> {
    await this._begin(path => this._client.gather(path, items));
  }

  private async _begin(ask: (path: string) => Promise<IJob>): Promise<void> {
    const { path } = this._state;
    if (path === null || this.isBusy) {
      return;
    }
    const job = await this._tried(path, () => ask(path));
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

  /** Put the messages away: of work that has ended, and of what was not done. */
  dismiss(): void {
    const { job } = this._state;
    if (job !== null && job.state !== 'running') {
      this._dismissed.add(job.id);
    }
    this._setState({
      ...this._state,
      job: this.isBusy ? job : null,
      problem: null
    });
  }

  /** Let `champion` stand for a version. */
  async promote(version: number): Promise<void> {
    await this._changeVersions(path => this._client.promote(path, version));
  }

  /** Let `champion` stand again for what it stood for before. */
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
    if (await this._tried(path, () => change(path))) {
      await this.refresh();
    }
  }

  /** Find the newest work again: that under way, or how it ended while the page looked elsewhere. */
  private async _findJob(path: string): Promise<void> {
    const found = await this._tried(path, () => this._client.jobs(path));
    const jobs = found?.jobs ?? [];
    const newest = jobs.find(job => job.state === 'running') ?? jobs[0];
    if (newest?.state === 'running') {
      this._follow(path, newest);
    } else if (
      newest &&
      path === this._state.path &&
      !this._dismissed.has(newest.id)
    ) {
      this._setState({ ...this._state, job: newest });
    }
  }

  private _follow(path: string, job: IJob): void {
    if (path !== this._state.path || this._isDisposed) {
      return;
    }
    const isNews = JSON.stringify(job) !== JSON.stringify(this._state.job);
    if (isNews || this._state.problem !== null) {
      this._setState({ ...this._state, job, problem: null });
    }
    clearTimeout(this._pollTimer);
    if (job.state === 'running') {
      this._pollTimer = setTimeout(() => {
        void this._poll(path, job.id);
      }, this._pollDelay);
    } else {
      this._jobEnded.emit(job);
      void this.refresh();
    }
  }

  private async _poll(path: string, id: string): Promise<void> {
    try {
      this._follow(path, await this._client.job(id));
    } catch (error) {
      const problem = problemOfError(error);
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

  private async _tried<T>(
    path: string,
    ask: () => Promise<T>
  ): Promise<T | null> {
    try {
      const answer = await ask();
      if (path === this._state.path && this._state.problem !== null) {
        this._setState({ ...this._state, problem: null });
      }
      return answer;
    } catch (error) {
      const problem = problemOfError(error);
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
  private readonly _dismissed = new Set<string>();
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

function valueOf<T>(settled: PromiseSettledResult<T>): T | null {
  return settled.status === 'fulfilled' ? settled.value : null;
}
