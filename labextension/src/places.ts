/**
 * The order of places in a notebook.
 */

/** A line (from 1) of a cell; `cell` counts all cells from 0. */
export interface ICellLine {
  readonly cell: number;
  readonly line: number;
}

/** The place after (`step` 1) or before (-1) `here`, around the end; null where there are none. */
export function neighbour(
  places: readonly ICellLine[],
  here: ICellLine,
  step: 1 | -1
): ICellLine | null {
  const compare = (a: ICellLine, b: ICellLine) =>
    a.cell - b.cell || a.line - b.line;
  const ordered = [...places].sort((a, b) => step * compare(a, b));
  return (
    ordered.find(place => step * compare(place, here) > 0) ?? ordered[0] ?? null
  );
}
