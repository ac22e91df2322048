/**
 * Notes as a small card: what is wrong, what to do, and where else to look.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { INote, IPlace } from '../notes';
import { kindLabel } from '../notes';

/** Goes to a place in the notebook. */
export type GoTo = (place: Pick<IPlace, 'cellId' | 'line'>) => void;

/** The card for the notes of one line. */
export function cardOf(
  notes: readonly INote[],
  goTo: GoTo,
  trans: TranslationBundle
): HTMLElement {
  const card = element('div', 'nbprod-Card');
  card.tabIndex = -1;
  card.setAttribute('role', 'dialog');
  card.setAttribute(
    'aria-label',
    notes.map(note => sentenceOf(note, trans)).join(' ')
  );
  card.append(...notes.map(note => noteOf(note, goTo, trans)));
  return card;
}

/** A note as one sentence, for a screen reader and for plain tooltips. */
export function sentenceOf(note: INote, trans: TranslationBundle): string {
  const start = `${kindLabel(note.kind, trans)}: ${note.message}.`;
  return note.hint === null
    ? start
    : `${start} ${trans.__('What to do: %1', note.hint)}`;
}

function noteOf(
  note: INote,
  goTo: GoTo,
  trans: TranslationBundle
): HTMLElement {
  const section = element('section', 'nbprod-Card-note');
  section.dataset.nbprodKind = note.kind;
  const head = element('div', 'nbprod-Card-head');
  const shape = element('span', 'nbprod-Shape');
  shape.setAttribute('aria-hidden', 'true');
  head.append(
    shape,
    element('span', 'nbprod-Card-kind', kindLabel(note.kind, trans)),
    element('code', 'nbprod-Card-rule', note.rule)
  );
  section.append(head, element('p', 'nbprod-Card-message', note.message));
  if (note.change) {
    section.append(changeOf(note.change, trans));
  }
  if (note.hint !== null) {
    const hint = element('p', 'nbprod-Card-hint');
    hint.append(
      element('strong', '', trans.__('What to do')),
      element('span', '', note.hint)
    );
    section.append(hint);
  }
  if (note.related.length > 0) {
    const list = element('ul', 'nbprod-Card-places');
    list.append(...note.related.map(place => placeOf(place, goTo, trans)));
    section.append(list);
  }
  return section;
}

function changeOf(
  change: { before: string; after: string },
  trans: TranslationBundle
): HTMLElement {
  const list = element('dl', 'nbprod-Card-change');
  for (const [name, text] of [
    [trans.__('Package'), change.before],
    [trans.__('Notebook'), change.after]
  ] as const) {
    const value = element('dd', '');
    value.append(element('code', '', text || trans.__('(nothing)')));
    list.append(element('dt', '', name), value);
  }
  return list;
}

function placeOf(
  place: IPlace,
  goTo: GoTo,
  trans: TranslationBundle
): HTMLElement {
  const button = element('button', 'nbprod-Card-place');
  button.type = 'button';
  button.title = place.message;
  button.append(
    element(
      'span',
      'nbprod-Card-where',
      trans.__('Cell %1, line %2', place.cell, place.line)
    ),
    element('span', 'nbprod-Card-what', place.message)
  );
  button.addEventListener('click', () => {
    goTo(place);
  });
  const item = element('li', '');
  item.append(button);
  return item;
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text?: string
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}
