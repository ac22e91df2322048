import { EditorState } from '@codemirror/state';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { hintsOf } from '../../labextension/src/learned';
import {
  allMarks,
  noteMarks,
  setNotes
} from '../../labextension/src/editor/note-marks';
import { CellStore } from '../../labextension/src/editor/cell-store';
import type { INote } from '../../labextension/src/notes';
import { notesOf, worstKind } from '../../labextension/src/notes';
import { neighbour } from '../../labextension/src/places';
import { DEFAULTS, valuesOf } from '../../labextension/src/settings';
import type { ISaid } from './studies';
import { studyOf } from './studies';

const trans = nullTranslator.load('nbprod');
const notes = (said: ISaid, ids = ['a', 'b']) =>
  notesOf(studyOf(said), ids, trans);

describe('notes', () => {
  it('stand at the cell that the editor has at the index', () => {
    const found = notes({
      findings: [
        { cell: 1, line: 3, related: [{ cell: 0, line: 2, message: 'there' }] }
      ]
    });
    expect([...found.keys()]).toEqual(['b']);
    expect(found.get('b')?.[0]).toMatchObject({
      kind: 'warning',
      line: 3,
      related: [{ cellId: 'a', cell: 0, line: 2, message: 'there' }]
    });
  });

  it('leave out cells that the editor does not have', () => {
    const found = notes({
      findings: [{ cell: 7 }, { related: [{ cell: 9, line: 1, message: '' }] }]
    });
    expect([...found.keys()]).toEqual(['a']);
    expect(found.get('a')?.[0]?.related).toEqual([]);
  });

  it('come from findings, refusals and divergences, by line and then urgency', () => {
    const found = notes({
      findings: [
        { line: 2, severity: 'info' },
        { line: 1, severity: 'error' }
      ],
      refusals: [{ line: 2 }],
      divergences: [{ line: 2 }],
      version: 3
    }).get('a');
    expect(found?.map(note => note.kind)).toEqual([
      'error',
      'refusal',
      'divergence',
      'info'
    ]);
    expect(found?.[2]).toMatchObject({
      message: 'age differs from version 3',
      change: { before: 'x', after: 'y' }
    });
  });

  it('say a thing once', () => {
    const found = notes({
      findings: [{ message: 'a reason' }],
      refusals: [{}, { line: 2 }]
    });
    expect(found.get('a')?.map(note => note.line)).toEqual([1, 2]);
  });

  it('know the most urgent kind among them', () => {
    const found = notes({ findings: [{ severity: 'info' }], refusals: [{}] });
    expect(worstKind(found.get('a') ?? [])).toBe('refusal');
    expect(worstKind([])).toBeNull();
  });
});

describe('underlines', () => {
  const editor = (text: string, said: ISaid) =>
    EditorState.create({
      doc: text,
      extensions: noteMarks(() => notes(said).get('a') ?? [])
    });
  const underlined = (state: EditorState) =>
    allMarks(state).map(mark => state.sliceDoc(mark.from, mark.to));

  it('go from the first character that is no blank to the end of the line', () => {
    const state = editor('for x in y:\n    fit(x)  \n', {
      findings: [{ line: 2 }]
    });
    expect(underlined(state)).toEqual(['fit(x)']);
  });

  it('are not drawn at an empty line, nor beyond the end', () => {
    expect(underlined(editor('', { findings: [{}] }))).toEqual([]);
    expect(underlined(editor('x', { findings: [{ line: 9 }] }))).toEqual(['x']);
  });

  it('move with the text, and go with it', () => {
    const state = editor('a = 1\nfit(a)', { findings: [{ line: 2 }] });
    const moved = state.update({ changes: { from: 0, insert: 'b = 2\n' } });
    expect(underlined(moved.state)).toEqual(['fit(a)']);
    expect(allMarks(moved.state)[0]?.from).toBe(12);
    const gone = moved.state.update({
      changes: { from: 6, to: moved.state.doc.length }
    });
    expect(underlined(gone.state)).toEqual([]);
  });

  it('are replaced by the next notes', () => {
    const state = editor('a = 1\nfit(a)', { findings: [{ line: 2 }] });
    const next: readonly INote[] =
      notes({ findings: [{ line: 1 }] }).get('a') ?? [];
    expect(
      underlined(state.update({ effects: setNotes.of(next) }).state)
    ).toEqual(['a = 1']);
    expect(
      underlined(state.update({ effects: setNotes.of([]) }).state)
    ).toEqual([]);
  });
});

describe('what is known of cells', () => {
  const notebook = {};
  const cell = { cell_type: 'code', notebook, getId: () => 'a' };

  it('is kept by notebook and cell', () => {
    const store = new CellStore<number>();
    store.set(notebook, new Map([['a', [1]]]));
    expect(store.of(cell)).toEqual([1]);
    expect(store.of({ ...cell, notebook: {} })).toEqual([]);
    expect(store.of({ ...cell, notebook: null })).toEqual([]);
  });

  it('is hidden and shown again', () => {
    const store = new CellStore<number>();
    const heard: unknown[] = [];
    store.changed.connect((_, changed) => heard.push(changed));
    store.set(notebook, new Map([['a', [1]]]));
    store.isShown = false;
    expect(store.of(cell)).toEqual([]);
    store.isShown = true;
    expect(store.of(cell)).toEqual([1]);
    expect(heard).toEqual([notebook, null, null]);
  });
});

describe('hints of learned values', () => {
  const site = {
    site: 'median',
    expression: 'df.median()',
    cell: 0,
    line: 2,
    value: '28.0'
  };
  const hints = (...features: ISaid['features'] & object) =>
    hintsOf(studyOf({ features }), ['a'])
      .get('a')
      ?.map(hint => [hint.line, hint.text]);

  it('say a value once, however many features need it', () => {
    expect(
      hints({ learned: [site] }, { name: 'fare', learned: [site] })
    ).toEqual([[2, '28.0']]);
  });

  it('name the features where one place learned several values', () => {
    const other = { ...site, value: '14.5' };
    expect(
      hints({ learned: [site] }, { name: 'fare', learned: [other] })
    ).toEqual([[2, 'age 28.0, fare 14.5']]);
  });

  it('are not there before a run', () => {
    expect(hints({ learned: [{ ...site, value: null }] })).toBeUndefined();
  });

  it('cut long values short, on one line', () => {
    const value = `{\n  'a': ${'1'.repeat(100)}}`;
    const [hint] =
      hintsOf(studyOf({ features: [{ learned: [{ ...site, value }] }] }), [
        'a'
      ]).get('a') ?? [];
    expect(hint?.text).toMatch(/^\{ 'a': 1+…$/);
    expect(hint?.full).toBe(value);
  });
});

describe('the next place', () => {
  const places = [
    { cell: 3, line: 1 },
    { cell: 1, line: 5 },
    { cell: 1, line: 2 }
  ];
  it.each([
    [{ cell: 0, line: 0 }, 1, { cell: 1, line: 2 }],
    [{ cell: 1, line: 2 }, 1, { cell: 1, line: 5 }],
    [{ cell: 3, line: 1 }, 1, { cell: 1, line: 2 }],
    [{ cell: 1, line: 5 }, -1, { cell: 1, line: 2 }],
    [{ cell: 1, line: 2 }, -1, { cell: 3, line: 1 }]
  ] as const)('after %o, going %i, is %o', (here, step, expected) => {
    expect(neighbour(places, here, step)).toEqual(expected);
  });

  it('is nowhere where there are none', () => {
    expect(neighbour([], { cell: 0, line: 1 }, 1)).toBeNull();
  });
});

describe('settings', () => {
  it('hold as they are stored', () => {
    const stored = {
      diagnostics: false,
      hints: false,
      delay: 0,
      exportOnSave: true
    };
    expect(valuesOf(stored)).toEqual(stored);
  });

  it('fall back to the defaults for what is no such value', () => {
    expect(valuesOf({ delay: -1, hints: 'no' })).toEqual(DEFAULTS);
  });
});
