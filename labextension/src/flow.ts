/**
 * The dataflow between cells, as the map of the pipeline draws it.
 */
import type { IEdge } from './api';

/** A stream of variables from one row of the map to another. */
export interface IArc {
  readonly from: string;
  readonly to: string;
  readonly names: readonly string[];
}

/** The edges of a study between the cells of an editor; cells that are gone since then have none. */
export function arcsOf(
  edges: readonly IEdge[],
  ids: readonly string[],
  present: ReadonlySet<string>
): IArc[] {
  return edges.flatMap(edge => {
    const from = ids[edge.from];
    const to = ids[edge.to];
    return from !== undefined &&
      to !== undefined &&
      present.has(from) &&
      present.has(to)
      ? [{ from, to, names: edge.names }]
      : [];
  });
}

/** What flows between one cell and each other cell: the names by the id of the other. */
export function neighboursOf(
  arcs: readonly IArc[],
  id: string | null
): {
  into: Map<string, readonly string[]>;
  out: Map<string, readonly string[]>;
} {
  const into = new Map<string, readonly string[]>();
  const out = new Map<string, readonly string[]>();
  for (const arc of arcs) {
    if (arc.to === id) {
      into.set(arc.from, arc.names);
    } else if (arc.from === id) {
      out.set(arc.to, arc.names);
    }
  }
  return { into, out };
}

/** Streams to or from several cells that carry the same names, as one: the names with the ids of the cells. */
export function byNames(
  streams: ReadonlyMap<string, readonly string[]>
): { names: readonly string[]; ids: readonly string[] }[] {
  const grouped = new Map<
    string,
    { names: readonly string[]; ids: string[] }
  >();
  for (const [id, names] of streams) {
    const key = [...names].sort().join('\n');
    const group = grouped.get(key);
    if (group) {
      group.ids.push(id);
    } else {
      grouped.set(key, { names, ids: [id] });
    }
  }
  return [...grouped.values()];
}

/**
 * A curve in a gutter of `width` pixels between two heights; the further apart, the further out it bends.
 */
export function curveOf(from: number, to: number, width: number): string {
  const reach = Math.min(width - 2, 4 + Math.sqrt(Math.abs(to - from)) * 1.1);
  const x = width - reach;
  return `M${width} ${from}C${x} ${from} ${x} ${to} ${width} ${to}`;
}
