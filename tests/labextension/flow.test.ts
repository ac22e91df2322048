import { describe, expect, it } from 'vitest';

import { cellOf, shownLines } from '../../labextension/src/components/preview';
import {
  arcsOf,
  byNames,
  curveOf,
  neighboursOf
} from '../../labextension/src/flow';

const EDGES = [
  { from: 0, to: 1, names: ['df'] },
  { from: 1, to: 2, names: ['X', 'y'] },
  { from: 0, to: 2, names: ['seed'] }
];

describe('The map', () => {
  it('joins the cells of the study to those of the editor', () => {
    const arcs = arcsOf(EDGES, ['a', 'b', 'c'], new Set(['a', 'b', 'c']));
    expect(arcs.map(arc => `${arc.from}→${arc.to}`)).toEqual([
      'a→b',
      'b→c',
      'a→c'
    ]);
  });

  it('leaves out streams of cells that are gone', () => {
    const arcs = arcsOf(EDGES, ['a', 'b', 'c'], new Set(['a', 'c']));
    expect(arcs).toEqual([{ from: 'a', to: 'c', names: ['seed'] }]);
  });

  it('knows what a cell takes and gives', () => {
    const arcs = arcsOf(EDGES, ['a', 'b', 'c'], new Set(['a', 'b', 'c']));
    const { into, out } = neighboursOf(arcs, 'b');
    expect([...into]).toEqual([['a', ['df']]]);
    expect([...out]).toEqual([['c', ['X', 'y']]]);
  });

  it('joins streams that carry the same names', () => {
    const streams = new Map([
      ['b', ['X', 'y']],
      ['c', ['df']],
      ['d', ['y', 'X']]
    ]);
    expect(byNames(streams)).toEqual([
      { names: ['X', 'y'], ids: ['b', 'd'] },
      { names: ['df'], ids: ['c'] }
    ]);
  });

  it('bends further out the further apart, and stays in its gutter', () => {
    const reach = (height: number) =>
      Number(/C([\d.-]+)/.exec(curveOf(0, height, 26))?.[1]);
    expect(reach(200)).toBeLessThan(reach(20));
    expect(reach(100_000)).toBeGreaterThanOrEqual(0);
  });
});

describe('The preview', () => {
  const file = {
    path: 'features.py',
    text: 'a\nb\nc\n',
    before: 'a\nx\nc\n',
    lines: []
  };

  it('numbers the lines of a file', () => {
    expect(shownLines(file, false).map(line => line.number)).toEqual([1, 2, 3]);
  });

  it('shows what was added and removed since the newest version', () => {
    expect(
      shownLines(file, true).map(line => [line.number, line.text, line.change])
    ).toEqual([
      [1, 'a', null],
      [null, 'x', 'removed'],
      [2, 'b', 'added'],
      [3, 'c', null]
    ]);
  });

  it('has no changes to show of a file that no version has', () => {
    const lines = shownLines({ ...file, before: null }, true);
    expect(lines.every(line => line.change === null)).toBe(true);
  });

  it.each([
    ['what the notebook gives now, by the place', null, 'c1', 'here'],
    ['a version, by the id of the cell', 3, 'here', 'here'],
    ['a version whose cell is gone', 3, 'gone', undefined],
    ['a version of a notebook whose cells have no ids', 3, null, undefined]
  ])('leads to the cell of %s', (_, version, cell_id, expected) => {
    const line = { line: 1, cell: 0, cell_id, notebook_line: 1 };
    expect(cellOf(line, ['here', 'there'], version)).toBe(expected);
  });
});
