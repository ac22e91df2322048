/**
 * The pipeline: how many cells have a role, what is suggested, and the map of the cells.
 */
import React from 'react';

import type { INotebookState } from '../model';
import { CommandIDs } from '../tokens';
import type { ISectionProps } from './common';
import { Action } from './common';
import { Notice } from './notice';

/** The map of the cells below a line that sums it up. */
export function Pipeline(
  props: ISectionProps<INotebookState> & { children: React.ReactNode }
): React.ReactElement {
  const { state, execute, trans } = props;
  if (state.cells.length === 0) {
    return <Notice title={trans.__('This notebook has no code cells')} />;
  }
  const tagged = state.cells.filter(cell => cell.role !== null).length;
  const suggested = state.cells.filter(cell => cell.suggestion !== null).length;
  return (
    <div className="nbprod-Pipeline">
      <div className="nbprod-Pipeline-sum">
        <span>
          {trans._n(
            '%2 of %1 cell has a role',
            '%2 of %1 cells have a role',
            state.cells.length,
            tagged
          )}
        </span>
        {suggested > 0 && !state.isReadOnly && (
          <Action
            label={trans._n(
              'Apply %1 suggestion',
              'Apply %1 suggestions',
              suggested
            )}
            title={trans.__(
              'Set the suggested roles; one undo takes them back'
            )}
            onClick={() => {
              execute(CommandIDs.acceptSuggestions);
            }}
          />
        )}
      </div>
      {props.children}
    </div>
  );
}
