/**
 * The sidebar's content.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import React from 'react';

import type { IProblem } from '../api';
import type { INotebookState, NbprodState } from '../model';
import { CommandIDs } from '../tokens';
import { CellList } from './cell-list';
import { Notice } from './notice';

/** Runs a command of the application. */
export type Execute = (
  command: string,
  args?: ReadonlyPartialJSONObject
) => void;

/** What the panel and its parts are given. */
export interface IPanelProps<State> {
  readonly state: State;
  readonly execute: Execute;
  readonly trans: TranslationBundle;
}

/** The whole panel: a message, or the current notebook. */
export function Panel(props: IPanelProps<NbprodState>): React.ReactElement {
  const { state, execute, trans } = props;
  switch (state.kind) {
    case 'no-notebook':
      return (
        <Notice title={trans.__('No notebook is open')}>
          {trans.__('Open a notebook to see its cells and their roles here.')}
        </Notice>
      );
    case 'other-language':
      return (
        <Notice
          title={trans.__('This notebook is written in %1', state.language)}
        >
          {trans.__('Pipelines are made from Python notebooks.')}
        </Notice>
      );
    case 'notebook':
      return <NotebookPanel state={state} execute={execute} trans={trans} />;
  }
}

function NotebookPanel(props: IPanelProps<INotebookState>): React.ReactElement {
  const { state, trans } = props;
  return (
    <>
      <Header {...props} />
      {state.problem && <ProblemNotice problem={state.problem} trans={trans} />}
      {state.cells.length > 0 ? (
        <CellList {...props} />
      ) : (
        <Notice title={trans.__('This notebook has no code cells')} />
      )}
    </>
  );
}

function Header(props: IPanelProps<INotebookState>): React.ReactElement {
  const { state, execute, trans } = props;
  const tagged = state.cells.filter(cell => cell.role !== null).length;
  const suggested = state.cells.filter(cell => cell.suggestion !== null).length;
  return (
    <header className="nbprod-Header">
      <h2 className="nbprod-Header-title" title={state.path}>
        {state.path.split('/').pop()}
      </h2>
      <div className="nbprod-Header-count">
        {trans._n(
          '%2 of %1 cell has a role',
          '%2 of %1 cells have a role',
          state.cells.length,
          tagged
        )}
      </div>
      {suggested > 0 && (
        <button
          type="button"
          className="jp-Button jp-mod-styled jp-mod-minimal nbprod-Header-apply"
          onClick={() => {
            execute(CommandIDs.acceptSuggestions);
          }}
        >
          {trans._n('Apply %1 suggestion', 'Apply %1 suggestions', suggested)}
        </button>
      )}
    </header>
  );
}

function ProblemNotice(props: {
  problem: IProblem;
  trans: TranslationBundle;
}): React.ReactElement {
  const { problem, trans } = props;
  switch (problem.code) {
    case 'server-missing':
      return (
        <Notice title={trans.__('The server part of nbprod is not running')}>
          {trans.__(
            'Roles can be set; suggestions need it. Install nbprod where Jupyter runs and start Jupyter again.'
          )}
        </Notice>
      );
    case 'unreachable':
      return (
        <Notice title={trans.__('The Jupyter server does not answer')}>
          {trans.__('Roles can be set; suggestions come back with the server.')}
        </Notice>
      );
    case 'server-failed':
      return (
        <Notice title={trans.__('The notebook could not be inspected')}>
          {trans.__('%1. The server’s log says more.', problem.message)}
        </Notice>
      );
    default:
      return <Notice title={problem.message}>{problem.hint}</Notice>;
  }
}
