/**
 * What is to be said at the lines of a notebook's cells: findings, refusals and divergences as one kind of note.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IDivergence, IFinding, IRefusal, IStudy } from './api';

/** How a note looks: each kind has a colour and a shape. */
export type NoteKind = 'error' | 'warning' | 'info' | 'refusal' | 'divergence';

/** Another place that a note speaks of. */
export interface IPlace {
  readonly cellId: string;
  /** The code cell's index, from 0. */
  readonly cell: number;
  readonly line: number;
  readonly message: string;
}

/** Something to be said at one line (from 1) of a cell. */
export interface INote {
  readonly kind: NoteKind;
  /** The rule's or construct's id, as the documentation has it. */
  readonly rule: string;
  readonly line: number;
  readonly message: string;
  /** What to do, or null. */
  readonly hint: string | null;
  /** What a divergence was and is, else null. */
  readonly change: { readonly before: string; readonly after: string } | null;
  readonly related: readonly IPlace[];
}

/** From the most to the least urgent. */
const URGENCY: readonly NoteKind[] = [
  'error',
  'refusal',
  'divergence',
  'warning',
  'info'
];

/** The notes of a study by the id that the cell has in the editor: `ids` holds it for each index in the study. */
export function notesOf(
  study: IStudy,
  ids: readonly string[],
  trans: TranslationBundle
): ReadonlyMap<string, readonly INote[]> {
  const found = new Map<string, INote[]>();
  const add = (cell: number, note: INote) => {
    const id = ids[cell];
    if (id === undefined) {
      return;
    }
    const notes = found.get(id) ?? [];
    found.set(id, notes);
    if (
      !notes.some(
        other => other.line === note.line && other.message === note.message
      )
    ) {
      notes.push(note);
    }
  };
  for (const finding of study.findings) {
    add(finding.cell, ofFinding(finding, ids));
  }
  for (const refusal of study.plan?.refusals ?? []) {
    add(refusal.cell, ofRefusal(refusal));
  }
  for (const divergence of study.check.divergences) {
    add(divergence.cell, ofDivergence(divergence, study.check.version, trans));
  }
  for (const notes of found.values()) {
    notes.sort((a, b) => a.line - b.line || urgency(a.kind) - urgency(b.kind));
  }
  return found;
}

/** The notes of what the state's study says, made once for each study. */
export function notesOfState(
  state: {
    readonly study: IStudy | null;
    readonly studiedIds: readonly string[];
  },
  trans: TranslationBundle
): ReadonlyMap<string, readonly INote[]> {
  const { study, studiedIds } = state;
  if (study === null) {
    return NONE;
  }
  let found = NOTES.get(study);
  if (found === undefined) {
    found = notesOf(study, studiedIds, trans);
    NOTES.set(study, found);
  }
  return found;
}

const NONE: ReadonlyMap<string, readonly INote[]> = new Map();
const NOTES = new WeakMap<IStudy, ReadonlyMap<string, readonly INote[]>>();

/** How many notes there are in all. */
export function countOf(notes: ReadonlyMap<string, readonly INote[]>): number {
  return [...notes.values()].reduce((sum, each) => sum + each.length, 0);
}

/** The most urgent kind among notes, or null where there are none. */
export function worstKind(notes: readonly INote[]): NoteKind | null {
  return URGENCY.find(kind => notes.some(note => note.kind === kind)) ?? null;
}

/** What a kind of note is called. */
export function kindLabel(kind: NoteKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'error':
      return trans.__('Error');
    case 'warning':
      return trans.__('Warning');
    case 'info':
      return trans.__('Note');
    case 'refusal':
      return trans.__('Cannot be served');
    case 'divergence':
      return trans.__('Differs from the package');
  }
}

function urgency(kind: NoteKind): number {
  return URGENCY.indexOf(kind);
}

function ofFinding(finding: IFinding, ids: readonly string[]): INote {
  return {
    kind: finding.severity,
    rule: finding.rule,
    line: finding.line,
    message: finding.message,
    hint: finding.hint,
    change: null,
    related: finding.related.flatMap(({ cell, line, message }) => {
      const cellId = ids[cell];
      return cellId === undefined ? [] : [{ cellId, cell, line, message }];
    })
  };
}

function ofRefusal(refusal: IRefusal): INote {
  return {
    kind: 'refusal',
    rule: refusal.construct,
    line: refusal.line,
    message: refusal.reason,
    hint: refusal.hint,
    change: null,
    related: []
  };
}

function ofDivergence(
  divergence: IDivergence,
  version: number | null,
  trans: TranslationBundle
): INote {
  const { feature, kind, line, before, after } = divergence;
  return {
    kind: 'divergence',
    rule: kind,
    line,
    message:
      version === null
        ? trans.__('%1 differs from the package', feature)
        : trans.__('%1 differs from version %2', feature, version),
    hint: trans.__('Export a new version, or take the change back.'),
    change: { before, after },
    related: []
  };
}
