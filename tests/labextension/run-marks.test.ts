import { describe, expect, it } from 'vitest';

import type { IJob, IRun } from '../../labextension/src/api';
import { nullTranslator } from '@jupyterlab/translation';

import {
  executedOf,
  outcomeOf
} from '../../labextension/src/components/header';
import { markedCell, placeOf } from '../../labextension/src/run-marks';

const IDS = ['a', 'b', 'c'];

function job(said: Partial<IJob>): IJob {
  return {
    id: 'one',
    kind: 'run',
    path: 'a.ipynb',
    state: 'running',
    started: '2026-01-01T10:00:00Z',
    ended: null,
    progress: null,
    result: null,
    error: null,
    ...said
  };
}

const at = (cell: number | null) => ({
  progress: { stage: 'run', text: '', done: 0, total: 3, cell }
});

const failed = (cell: number | null, line: number | null): Partial<IJob> => ({
  state: 'failed',
  error: {
    code: 'cell-failed',
    message: 'x',
    hint: null,
    where: { path: 'a.ipynb', cell, cell_id: null, line }
  }
});

describe('The cell that work is at', () => {
  it.each<[string, IJob | null, unknown]>([
    ['without work', null, null],
    ['before the first cell', job({}), null],
    ['while a cell runs', job(at(1)), { id: 'b', mark: 'running' }],
    ['between cells', job(at(null)), null],
    ['of a cell that is gone', job(at(7)), null],
    ['after a cell failed', job(failed(2, 4)), { id: 'c', mark: 'failed' }],
    ['after a failure at no cell', job(failed(null, null)), null],
    ['after it went well', job({ ...at(1), state: 'done' }), null]
  ])('%s', (_, work, expected) => {
    expect(markedCell(work, IDS)).toEqual(expected);
  });
});

const reproduced = (cause: unknown): Partial<IJob> => ({
  kind: 'reproduce',
  state: 'done',
  result: { status: 'different', cause }
});

describe('The place that work leads to', () => {
  it.each<[string, IJob, unknown]>([
    ['is where it failed', job(failed(2, 4)), { cell: 2, line: 4 }],
    ['is not known of every failure', job(failed(null, null)), null],
    [
      'is the seed that is missing',
      job(reproduced({ cell: 1, line: 2 })),
      { cell: 1, line: 2 }
    ],
    [
      'is no cell where a file is another',
      job(reproduced({ cell: null, line: null })),
      null
    ],
    ['is none where the outcome is the same', job(reproduced(null)), null],
    [
      'is none of work that went well',
      job({ state: 'done', result: { version: 1 } }),
      null
    ]
  ])('%s', (_, work, expected) => {
    expect(placeOf(work)).toEqual(expected);
  });
});

describe('The executed notebook of work that failed', () => {
  const run = (started: string, executed: string | null): IRun => ({
    run_id: started,
    started,
    ended: null,
    status: 'FAILED',
    parameters: {},
    metrics: {},
    version: null,
    verify: null,
    executed
  });
  const before = run('2026-01-01T09:00:00Z', 'old.ipynb');
  const since = run('2026-01-01T10:00:05Z', 'new.ipynb');
  const unkept = run('2026-01-01T10:00:05Z', null);

  it.each<[string, IJob, IRun[], IRun | null]>([
    ['is that of the run it made', job(failed(1, 1)), [since, before], since],
    ['is not that of an earlier run', job(failed(1, 1)), [before], null],
    [
      'is not there where it was not kept',
      job(failed(1, 1)),
      [unkept, before],
      null
    ],
    [
      'is of no interest where the work went well',
      job({ state: 'done' }),
      [since],
      null
    ],
    [
      'is none where nothing was run',
      job({ ...failed(1, 1), kind: 'export' }),
      [since],
      null
    ]
  ])('%s', (_, work, runs, expected) => {
    expect(executedOf(work, runs)).toBe(expected);
  });
});

describe('A run that was made again', () => {
  const trans = nullTranslator.load('nbprod');
  const cause = { text: 'rows.csv has other content than then' };

  it.each([
    ['identical', null, 'good', /last bit/, /the same/],
    ['within-tolerance', null, 'good', /tolerance/, /last digits/],
    [
      'different',
      cause,
      'bad',
      /something else: 2 of 9 predictions/,
      /rows.csv has other content/
    ]
  ])('says that it is %s', (status, why, tone, title, detail) => {
    const result = {
      status,
      cause: why,
      verify: { status: 'proven', predictions: 9, predictions_equal: 2 }
    };
    const said = outcomeOf(
      job({ kind: 'reproduce', state: 'done', result }),
      trans
    );
    expect(said.tone).toBe(tone);
    expect(said.title).toMatch(title);
    expect(said.detail).toMatch(detail);
  });
});
