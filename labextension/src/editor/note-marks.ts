/**
 * Notes in an editor: the underlines, which move with the text until the next notes come.
 */
import type { EditorState, Extension, Range, Text } from '@codemirror/state';
import { StateEffect, StateField } from '@codemirror/state';
import type { DecorationSet } from '@codemirror/view';
import { Decoration, EditorView } from '@codemirror/view';

import type { INote } from '../notes';

/** A note where its line stands now. */
export interface IMark {
  readonly from: number;
  readonly to: number;
  readonly note: INote;
}

/** Replaces an editor's notes. */
export const setNotes = StateEffect.define<readonly INote[]>();

const underlines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    let moved = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setNotes)) {
        moved = marksOf(effect.value, transaction.state.doc);
      }
    }
    return moved;
  },
  provide: field => EditorView.decorations.from(field)
});

/** The underlines of an editor that starts with these notes. */
export function noteMarks(initial: () => readonly INote[]): Extension {
  return underlines.init(state => marksOf(initial(), state.doc));
}

/** The notes between two positions, as they stand now, from first to last. */
export function marksBetween(
  state: EditorState,
  from: number,
  to: number
): IMark[] {
  const found: IMark[] = [];
  state.field(underlines, false)?.between(from, to, (start, end, value) => {
    found.push({ from: start, to: end, note: value.spec.note as INote });
  });
  return found;
}

/** All notes of an editor. */
export function allMarks(state: EditorState): IMark[] {
  return marksBetween(state, 0, state.doc.length);
}

function marksOf(notes: readonly INote[], doc: Text): DecorationSet {
  return Decoration.set(
    notes.flatMap(note => markOf(note, doc)),
    true
  );
}

/** From the line's first character that is no blank to its end; an empty line can't be underlined. */
function markOf(note: INote, doc: Text): Range<Decoration>[] {
  const line = doc.line(Math.min(Math.max(note.line, 1), doc.lines));
  const start = line.text.search(/\S/);
  const end = line.text.trimEnd().length;
  if (start < 0) {
    return [];
  }
  const mark = Decoration.mark({
    class: `nbprod-Underline nbprod-mod-${note.kind}`,
    note
  });
  return [mark.range(line.from + start, line.from + end)];
}
