/**
 * The marks beside the lines that have notes: one shape for each kind, which opens the card.
 */
import type { EditorState, Extension } from '@codemirror/state';
import type { BlockInfo, EditorView } from '@codemirror/view';
import { gutter, GutterMarker } from '@codemirror/view';

import type { NoteKind } from '../notes';
import { worstKind } from '../notes';
import { marksBetween, setNotes } from './note-marks';

/** A gutter with the most urgent kind of each line's notes; `describe` says them in words. */
export function noteGutter(
  describe: (state: EditorState, from: number, to: number) => string,
  open: (view: EditorView, position: number) => void
): Extension {
  return gutter({
    class: 'nbprod-Gutter',
    lineMarker: (view, line) => markerOf(view, line, describe),
    lineMarkerChange: update =>
      update.docChanged ||
      update.transactions.some(transaction =>
        transaction.effects.some(effect => effect.is(setNotes))
      ),
    domEventHandlers: {
      mousedown: (view, line, event) => {
        const [mark] = marksBetween(view.state, line.from, line.to);
        if (!mark) {
          return false;
        }
        event.preventDefault();
        open(view, mark.from);
        return true;
      }
    }
  });
}

class NoteMarker extends GutterMarker {
  constructor(
    readonly kind: NoteKind,
    readonly text: string
  ) {
    super();
  }

  override eq(other: NoteMarker): boolean {
    return other.kind === this.kind && other.text === this.text;
  }

  override toDOM(): Node {
    const shape = document.createElement('span');
    shape.className = 'nbprod-Shape nbprod-Gutter-mark';
    shape.dataset.nbprodKind = this.kind;
    shape.title = this.text;
    return shape;
  }
}

function markerOf(
  view: EditorView,
  line: BlockInfo,
  describe: (state: EditorState, from: number, to: number) => string
): GutterMarker | null {
  const marks = marksBetween(view.state, line.from, line.to);
  const kind = worstKind(marks.map(mark => mark.note));
  return kind === null
    ? null
    : new NoteMarker(kind, describe(view.state, line.from, line.to));
}
