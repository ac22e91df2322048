/**
 * What did not work, and what to do about it, in calm words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IProblem } from '../api';
import { Action } from './common';
import { Notice } from './notice';

/** A problem above the sections. */
export function ProblemNotice(props: {
  problem: IProblem;
  trans: TranslationBundle;
  dismiss?: () => void;
}): React.ReactElement {
  const { problem, trans } = props;
  const { title, text } = problemText(problem, trans);
  return (
    <Notice title={title}>
      {text}
      {props.dismiss && (
        <Action label={trans.__('Dismiss')} onClick={props.dismiss} />
      )}
    </Notice>
  );
}

/** In the place of what is not known yet, or of what can't be had. */
export function Waiting(props: {
  text: string;
  problem: IProblem | null;
  trans: TranslationBundle;
}): React.ReactElement {
  const { problem, trans } = props;
  if (problem === null) {
    return <Notice title={props.text} />;
  }
  const { title, text } = problemText(problem, trans);
  return <Notice title={trans.__('Not known: %1', title)}>{text}</Notice>;
}

/** What is so, and what to do. */
export function problemText(
  problem: IProblem,
  trans: TranslationBundle
): { title: string; text: string | null } {
  switch (problem.code) {
    case 'server-missing':
      return {
        title: trans.__('The server part of nbprod is not running'),
        text: trans.__(
          'Roles can be set; the rest needs it. Install nbprod where Jupyter runs, in the version of this extension, and start Jupyter again.'
        )
      };
    case 'server-differs':
      return {
        title: trans.__('The server part of nbprod is another version'),
        text: trans.__(
          '%1. Roles can be set; for the rest, start Jupyter again and reload this page.',
          problem.message
        )
      };
    case 'unreachable':
      return {
        title: trans.__('The Jupyter server does not answer'),
        text: trans.__('Roles can be set; the rest comes back with the server.')
      };
    case 'server-failed':
      return {
        title: trans.__('The notebook could not be inspected'),
        text: trans.__('%1. The server’s log says more.', problem.message)
      };
    case 'no-job':
      return {
        title: trans.__('The work ended with the Jupyter server'),
        text: trans.__(
          'Jupyter was started again while it was under way. Nothing of it goes on: run it again.'
        )
      };
    case 'not-found':
      return {
        title: trans.__('The notebook’s file is not there any more'),
        text: trans.__(
          'It was renamed, moved or deleted outside of this page. Save the notebook to write it there again, or open it under its new name.'
        )
      };
    default:
      return { title: problem.message, text: problem.hint };
  }
}
