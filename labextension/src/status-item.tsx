/**
 * What the status bar says of a notebook and its package.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ICheck, IStudy } from './api';
import type { NbprodState } from './model';
import type { NoteKind } from './notes';
import { notesOf, worstKind } from './notes';

/** The item, as a button that opens the sidebar. */
export function StatusItem(props: {
  state: NbprodState;
  open: () => void;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { state, open, trans } = props;
  if (state.kind !== 'notebook') {
    return null;
  }
  const { study, studiedIds } = state;
  const notes = study ? allNotes(study, studiedIds, trans) : [];
  const text = textOf(study, notes.length, trans);
  return (
    <button
      type="button"
      className="nbprod-Status"
      aria-label={trans.__('Production pipeline: %1', text)}
      title={trans.__('Show the production pipeline')}
      onClick={open}
    >
      <Mark kind={worstKind(notes)} />
      {text}
    </button>
  );
}

/** The item's text. */
export function textOf(
  study: IStudy | null,
  findings: number,
  trans: TranslationBundle
): string {
  if (study === null) {
    return trans.__('nbprod: not checked');
  }
  const { name, version, verdict } = study.check;
  return [
    version === null ? 'nbprod' : `${name} v${version}`,
    verdictLabel(verdict, trans),
    ...(findings > 0 ? [trans._n('%1 finding', '%1 findings', findings)] : [])
  ].join(' · ');
}

function Mark(props: { kind: NoteKind | null }): React.ReactElement | null {
  return props.kind === null ? null : (
    <span
      className="nbprod-Shape"
      data-nbprod-kind={props.kind}
      aria-hidden="true"
    />
  );
}

function allNotes(
  study: IStudy,
  ids: readonly string[],
  trans: TranslationBundle
) {
  return [...notesOf(study, ids, trans).values()].flat();
}

function verdictLabel(
  verdict: ICheck['verdict'],
  trans: TranslationBundle
): string {
  switch (verdict) {
    case 'same':
      return trans.__('same as the notebook');
    case 'cosmetic':
      return trans.__('same but for spelling');
    case 'training-only':
      return trans.__('training differs');
    case 'diverges':
      return trans.__('differs from the notebook');
    case 'unknown':
      return trans.__('can’t be compared');
    case 'not-exported':
      return trans.__('not exported');
  }
}
