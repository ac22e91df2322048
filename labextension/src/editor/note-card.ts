/**
 * The card of a line's notes in the editor: under the pointer, or opened from the keyboard or the gutter.
 */
import type { EditorState, Extension } from '@codemirror/state';
import { StateEffect, StateField } from '@codemirror/state';
import type { EditorView, Tooltip } from '@codemirror/view';
import { hoverTooltip, keymap, showTooltip, tooltips } from '@codemirror/view';

import type { INote } from '../notes';
import { marksBetween } from './note-marks';

/** Makes the card's content. */
export type MakeCard = (notes: readonly INote[]) => HTMLElement;

const setCard = StateEffect.define<number | null>();

/** Open the card of the line at `position`, and move the focus into it, as a dialog does. */
export function openCard(view: EditorView, position: number): void {
  view.dispatch({
    selection: { anchor: position },
    effects: setCard.of(position),
    scrollIntoView: true
  });
}

/** The cards of an editor. */
export function noteCards(make: MakeCard): Extension {
  const opened = StateField.define<number | null>({
    create: () => null,
    update: (position, transaction) => {
      for (const effect of transaction.effects) {
        if (effect.is(setCard)) {
          return effect.value;
        }
      }
      return transaction.docChanged || transaction.selection ? null : position;
    },
    provide: field =>
      showTooltip.compute([field], state => {
        const position = state.field(field);
        return position === null
          ? null
          : cardAt(state, position, view => focusable(view, make));
      })
  });
  return [
    opened,
    hoverTooltip((view, position) => {
      const line = view.state.doc.lineAt(position);
      const marks = marksBetween(view.state, position, position);
      return marks.length === 0
        ? null
        : cardAt(view.state, line.from, () => make);
    }),
    keymap.of([{ key: 'Escape', run: closeCard }]),
    // Cells cut off what hangs over their edges.
    tooltips({ parent: document.body })
  ];

  function closeCard(view: EditorView): boolean {
    const isOpen = view.state.field(opened) !== null;
    if (isOpen) {
      view.dispatch({ effects: setCard.of(null) });
    }
    return isOpen;
  }
}

/** The tooltip for all notes of the line at `position`. */
function cardAt(
  state: EditorState,
  position: number,
  maker: (view: EditorView) => MakeCard
): Tooltip | null {
  const line = state.doc.lineAt(Math.min(position, state.doc.length));
  const marks = marksBetween(state, line.from, line.to);
  const [first] = marks;
  if (!first) {
    return null;
  }
  return {
    pos: first.from,
    end: first.to,
    above: false,
    create: view => {
      const dom = maker(view)(marks.map(mark => mark.note));
      return {
        dom,
        mount: () => {
          if (dom.dataset.nbprodFocus) {
            dom.focus({ preventScroll: true });
          }
        }
      };
    }
  };
}

/** A card that takes the focus; Escape gives it back to the text. */
function focusable(view: EditorView, make: MakeCard): MakeCard {
  return notes => {
    const card = make(notes);
    card.dataset.nbprodFocus = 'true';
    card.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        view.dispatch({ effects: setCard.of(null) });
        view.focus();
      }
    });
    card.addEventListener('focusout', event => {
      if (!card.contains(event.relatedTarget as Node | null)) {
        queueMicrotask(() => {
          view.dispatch({ effects: setCard.of(null) });
        });
      }
    });
    return card;
  };
}
