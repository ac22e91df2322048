import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type {
  IJob,
  IReadiness,
  IRuns,
  IVersions
} from '../../labextension/src/api';
import { ApiError } from '../../labextension/src/api';
import type { IPackageClient } from '../../labextension/src/package';
import { PackageModel } from '../../labextension/src/package';

const VERSIONS: IVersions = { name: 'a', versions: [] };
const READINESS: IReadiness = {
  notebook: 'a.ipynb',
  name: 'a',
  version: 1,
  at: '2026-01-01 00:00',
  items: [],
  sections: [],
  score: 0,
  lowest: 'NB',
  blockers: [],
  open: [],
  ml_test_score: { sections: {}, score: 0, band: '' },
  maturity: '',
  next: [],
  standings: [],
  configuration: 'nbprod.toml'
};
const RUNNING: IJob = {
  id: 'one',
  kind: 'run',
  path: 'a.ipynb',
  state: 'running',
  started: '2026-01-01T00:00:00Z',
  ended: null,
  progress: { stage: 'run', text: 'cell 1', done: 1, total: 3, cell: 0 },
  result: null,
  error: null
};
const DONE: IJob = {
  ...RUNNING,
  state: 'done',
  ended: '2026-01-01T00:01:00Z',
  progress: null
};

/** A client that answers with one known job after the other, the last one for good. */
class Client implements IPackageClient {
  constructor(readonly answers: IJob[] = [RUNNING, DONE]) {}
  asked: string[] = [];
  known: IJob[] = [];
  failure: ApiError | null = null;

  exportPackage = () => this._next('export');
  run = (_path: string, _parameters: object, anew: boolean) =>
    this._next(anew ? 'run anew' : 'run');
  verify = () => this._next('verify');
  gather = (_path: string, items: readonly string[]) =>
    this._next(`gather ${items.join(' ')}`);
  reproduce = (_path: string, run: string) => this._next(`reproduce ${run}`);
  job = () => this._next('job');
  cancel = async () => {
    this.asked.push('cancel');
    return { ...DONE, state: 'cancelled' as const };
  };
  jobs = async () => ({ jobs: this.known });
  lost: ApiError | null = null;
  slow: Promise<void> = Promise.resolve();
  versions = async () => {
    if (this.lost) {
      throw this.lost;
    }
    return VERSIONS;
  };
  promote = async (_path: string, version: number) => {
    this.asked.push(`promote ${version}`);
    await this.slow;
    if (this.failure) {
      throw this.failure;
    }
    return VERSIONS;
  };
  rollback = async () => VERSIONS;
  runs = async (): Promise<IRuns> => ({ runs: [] });
  readiness = async (): Promise<IReadiness> => READINESS;

  private async _next(what: string): Promise<IJob> {
    this.asked.push(what);
    if (this.failure) {
      throw this.failure;
    }
    const answer =
      this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    return answer as IJob;
  }
}

async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(10);
}

function started(client: Client): PackageModel {
  const model = new PackageModel({ client, pollDelay: 100 });
  model.path = 'a.ipynb';
  return model;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('The package of a notebook', () => {
  it('is asked for as soon as there is a notebook', async () => {
    const model = started(new Client());
    await settled();
    expect(model.state.versions).toBe(VERSIONS);
    expect(model.state.readiness).toBe(READINESS);
  });

  it('follows work until it ends, and says so', async () => {
    const client = new Client([RUNNING, RUNNING, DONE]);
    const model = started(client);
    const ended: string[] = [];
    model.jobEnded.connect((_, job) => ended.push(job.state));
    await model.start('run');
    expect(model.isBusy).toBe(true);
    await vi.advanceTimersByTimeAsync(110);
    expect([model.isBusy, ended]).toEqual([true, []]);
    await vi.advanceTimersByTimeAsync(110);
    expect([model.isBusy, ended]).toEqual([false, ['done']]);
  });

  it('runs all stages anew where that is asked', async () => {
    const client = new Client([DONE]);
    const model = started(client);
    await model.start('run');
    await model.start('run', {}, true);
    expect(client.asked).toEqual(['run', 'run anew']);
  });

  it('starts nothing while work is under way, and makes a run again by its id', async () => {
    const client = new Client([RUNNING]);
    const model = started(client);
    await model.reproduce('abc');
    await model.start('run');
    await model.reproduce('def');
    expect(client.asked).toEqual(['reproduce abc']);
  });

  it('finds work again after the page was loaded anew', async () => {
    const client = new Client([RUNNING]);
    client.known = [DONE, RUNNING];
    const model = started(client);
    await settled();
    expect(model.state.job).toBe(RUNNING);
  });

  it('can be cancelled', async () => {
    const client = new Client([RUNNING]);
    const model = started(client);
    await model.start('run');
    await model.cancel();
    expect(model.state.job?.state).toBe('cancelled');
    await vi.advanceTimersByTimeAsync(500);
    expect(client.asked).toEqual(['run', 'cancel']);
  });

  it('keeps looking while the server is away', async () => {
    const client = new Client([RUNNING, RUNNING, DONE]);
    const model = started(client);
    await model.start('run');
    client.failure = new ApiError({
      code: 'unreachable',
      message: 'x',
      hint: null
    });
    await vi.advanceTimersByTimeAsync(110);
    expect(model.state.problem?.code).toBe('unreachable');
    expect(model.isBusy).toBe(true);
    client.failure = null;
    await vi.advanceTimersByTimeAsync(600);
    expect(model.state.job?.state).toBe('done');
  });

  it('tells why work could not be started', async () => {
    const client = new Client();
    client.failure = new ApiError({
      code: 'busy',
      message: 'runs already',
      hint: null
    });
    const model = started(client);
    await settled();
    await model.start('run');
    expect(model.state.problem?.message).toBe('runs already');
    expect(model.state.job).toBeNull();
  });

  it('is another one for another notebook', async () => {
    const client = new Client([RUNNING]);
    const model = started(client);
    await model.start('run');
    model.path = 'b.ipynb';
    expect(model.state.job).toBeNull();
    await vi.advanceTimersByTimeAsync(500);
    expect(client.asked).toEqual(['run']);
  });

  it('is promoted by number', async () => {
    const client = new Client();
    const model = started(client);
    await model.promote(3);
    expect(client.asked).toContain('promote 3');
  });

  it('shows how work ended while the page looked elsewhere, until it is put away', async () => {
    const client = new Client([DONE]);
    client.known = [DONE];
    const model = started(client);
    const ended = vi.fn();
    model.jobEnded.connect(ended);
    await settled();
    expect(model.state.job).toBe(DONE);
    expect(ended).not.toHaveBeenCalled();
    model.dismiss();
    model.path = 'b.ipynb';
    model.path = 'a.ipynb';
    await settled();
    expect(model.state.job).toBeNull();
  });

  it('says what is not known, and forgets it once it is', async () => {
    const client = new Client();
    client.lost = new ApiError({ code: 'damaged', message: 'x', hint: null });
    const model = started(client);
    await settled();
    expect(model.state.versions).toBeNull();
    expect(model.state.loadProblem?.code).toBe('damaged');
    expect(model.state.readiness).toBe(READINESS);
    client.lost = null;
    await model.refresh();
    expect([model.state.loadProblem, model.state.versions]).toEqual([
      null,
      VERSIONS
    ]);
  });

  it('forgets a refused promotion after the next one worked, or when it is put away', async () => {
    const client = new Client();
    const refused = new ApiError({ code: 'no', message: 'x', hint: null });
    client.failure = refused;
    const model = started(client);
    await settled();
    await model.promote(1);
    expect(model.state.problem?.code).toBe('no');
    client.failure = null;
    await model.promote(2);
    expect(model.state.problem).toBeNull();
    client.failure = refused;
    await model.promote(1);
    model.dismiss();
    expect(model.state.problem).toBeNull();
  });

  it('keeps a late answer about another notebook to itself', async () => {
    const client = new Client();
    let answer: () => void = () => undefined;
    client.slow = new Promise(resolve => {
      answer = resolve;
    });
    const model = started(client);
    await settled();
    client.failure = new ApiError({ code: 'no', message: 'x', hint: null });
    const promoted = model.promote(1);
    model.path = 'b.ipynb';
    await settled();
    answer();
    await promoted;
    expect(model.state.problem).toBeNull();
  });
});
