/**
 * The values that a notebook's lines learned in a run, as short texts to stand after the line.
 */
import type { IFeature, IStudy } from './api';

/** What one line (from 1) of a cell learned. */
export interface IHint {
  readonly line: number;
  /** The values, long ones cut short. */
  readonly text: string;
  /** The values in full. */
  readonly full: string;
}

const LONGEST = 60;

/** The hints of a study by the id that the cell has in the editor: `ids` holds it for each index in the study. */
export function hintsOf(
  study: IStudy,
  ids: readonly string[]
): ReadonlyMap<string, readonly IHint[]> {
  const lines = new Map<string, ILine>();
  for (const feature of study.features) {
    for (const { cell, line, site, value } of feature.learned) {
      const id = ids[cell];
      if (id !== undefined && value !== null) {
        const key = JSON.stringify([id, line]);
        const known = lines.get(key) ?? { id, line, values: [] };
        known.values.push({ feature, site, value });
        lines.set(key, known);
      }
    }
  }
  const found = new Map<string, IHint[]>();
  for (const { id, line, values } of lines.values()) {
    const full = textOf(values);
    const hint = { line, text: shortened(full), full };
    found.set(id, [...(found.get(id) ?? []), hint]);
  }
  return found;
}

interface IValue {
  readonly feature: IFeature;
  readonly site: string;
  readonly value: string;
}

interface ILine {
  readonly id: string;
  readonly line: number;
  readonly values: IValue[];
}

/** Each value once; with the feature's name where one place learned another value for each feature. */
function textOf(values: readonly IValue[]): string {
  const distinct = new Map(
    values.map(value => [JSON.stringify([value.site, value.value]), value])
  );
  const bySite = new Map<string, number>();
  for (const { site } of distinct.values()) {
    bySite.set(site, (bySite.get(site) ?? 0) + 1);
  }
  return [...distinct.values()]
    .map(({ site, feature, value }) =>
      (bySite.get(site) ?? 0) > 1 ? `${feature.name} ${value}` : value
    )
    .join(', ');
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}
