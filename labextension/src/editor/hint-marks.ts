/**
 * Hints in an editor: a quiet text after the line, which moves with it until the next hints come.
 */
import type { Extension, Text } from '@codemirror/state';
import { StateEffect, StateField } from '@codemirror/state';
import type { DecorationSet } from '@codemirror/view';
import { Decoration, EditorView, WidgetType } from '@codemirror/view';

import type { IHint } from '../learned';

/** Replaces an editor's hints. */
export const setHints = StateEffect.define<readonly IHint[]>();

/** The hints of an editor that starts with these; `label` makes the text that is shown. */
export function hintMarks(
  initial: () => readonly IHint[],
  label: (value: string) => string
): Extension {
  const marksOf = (hints: readonly IHint[], doc: Text): DecorationSet =>
    Decoration.set(
      hints
        .filter(hint => hint.line >= 1 && hint.line <= doc.lines)
        .map(hint =>
          Decoration.widget({
            widget: new HintWidget(label(hint.text), label(hint.full)),
            side: 1
          }).range(doc.line(hint.line).to)
        ),
      true
    );
  return StateField.define<DecorationSet>({
    create: state => marksOf(initial(), state.doc),
    update: (marks, transaction) => {
      let moved = marks.map(transaction.changes);
      for (const effect of transaction.effects) {
        if (effect.is(setHints)) {
          moved = marksOf(effect.value, transaction.state.doc);
        }
      }
      return moved;
    },
    provide: field => EditorView.decorations.from(field)
  });
}

class HintWidget extends WidgetType {
  constructor(
    readonly text: string,
    readonly full: string
  ) {
    super();
  }

  override eq(other: HintWidget): boolean {
    return other.text === this.text && other.full === this.full;
  }

  override toDOM(): HTMLElement {
    const hint = document.createElement('span');
    hint.className = 'nbprod-Hint';
    hint.textContent = this.text;
    hint.title = this.full;
    return hint;
  }
}
