/**
 * What the status bar says of a notebook and its package.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IStudy } from './api';
import { verdictText } from './components/header';
import type { NbprodState } from './model';
import type { NoteKind } from './notes';
import { notesOfState, worstKind } from './notes';

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
  const notes = [...notesOfState(state, trans).values()].flat();
  const text = textOf(state.study, notes.length, trans);
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
  const { name, version } = study.check;
  return [
    version === null ? 'nbprod' : name,
    verdictText(study.check, trans).text,
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
