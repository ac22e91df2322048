/**
 * The notebook's code cells in order, each with its role.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { roleLabel } from '../labels';
import type { ICellState, INotebookState } from '../model';
import { ROLES } from '../roles';
import { CommandIDs } from '../tokens';
import { ClearMark, RoleChip, RoleToggle } from './chip';
import type { Execute, IPanelProps } from './panel';

/** The list; arrow keys move through it, Enter goes to the cell. */
export function CellList(
  props: IPanelProps<INotebookState>
): React.ReactElement {
  const { state, execute, trans } = props;
  const list = React.useRef<HTMLUListElement>(null);
  const active = state.cells.some(cell => cell.id === state.activeCellId)
    ? state.activeCellId
    : state.cells[0]?.id;
  React.useEffect(() => {
    list.current
      ?.querySelector('[aria-current="true"]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [state.activeCellId]);
  return (
    <ul
      ref={list}
      className="nbprod-CellList"
      aria-label={trans.__('Code cells')}
    >
      {state.cells.map(cell => (
        <CellRow
          key={cell.id}
          cell={cell}
          isActive={cell.id === state.activeCellId}
          isTabStop={cell.id === active}
          execute={execute}
          trans={trans}
        />
      ))}
    </ul>
  );
}

interface IRowProps {
  cell: ICellState;
  isActive: boolean;
  isTabStop: boolean;
  execute: Execute;
  trans: TranslationBundle;
}

function CellRow(props: IRowProps): React.ReactElement {
  const { cell, isActive, isTabStop, execute, trans } = props;
  return (
    <li
      className="nbprod-CellRow"
      data-nbprod-role={cell.role ?? undefined}
      aria-current={isActive}
    >
      <div className="nbprod-CellRow-line">
        <button
          type="button"
          className="nbprod-CellRow-cell"
          tabIndex={isTabStop ? 0 : -1}
          aria-label={rowLabel(cell, trans)}
          onKeyDown={moveFocus}
          onClick={() => {
            execute(CommandIDs.goToCell, { cellId: cell.id });
          }}
        >
          <span className="nbprod-CellRow-index">{cell.index}</span>
          <code className="nbprod-CellRow-code">
            {cell.firstLine || trans.__('(empty)')}
          </code>
        </button>
        {!isActive && <RowRole {...props} />}
      </div>
      {isActive && <RoleStrip {...props} />}
    </li>
  );
}

/** The cell's role, as a button that clears it; or the suggestion, as a button that accepts it. */
function RowRole(props: IRowProps): React.ReactElement | null {
  const { cell, isTabStop, execute, trans } = props;
  const tabIndex = isTabStop ? 0 : -1;
  if (cell.role !== null && cell.markedBy !== 'tag') {
    return <RoleChip role={cell.role} trans={trans} />;
  }
  if (cell.role !== null) {
    return (
      <button
        type="button"
        className="nbprod-Chip nbprod-SetRole"
        data-nbprod-role={cell.role}
        tabIndex={tabIndex}
        aria-label={trans.__(
          'Clear the role %1 of cell %2',
          roleLabel(cell.role, trans),
          cell.index
        )}
        title={trans.__('Clear this role')}
        onClick={() => {
          execute(CommandIDs.clearRole, { cellId: cell.id });
        }}
      >
        {roleLabel(cell.role, trans)}
        <ClearMark />
      </button>
    );
  }
  if (cell.suggestion !== null) {
    const { role, reason } = cell.suggestion;
    const label = roleLabel(role, trans);
    return (
      <button
        type="button"
        className="nbprod-Chip nbprod-Suggestion"
        data-nbprod-role={role}
        tabIndex={tabIndex}
        aria-label={trans.__(
          'Set the suggested role %1 for cell %2',
          label,
          cell.index
        )}
        title={trans.__('Suggested: %1. Click to set it.', reason)}
        onClick={() => {
          execute(CommandIDs.acceptSuggestions, { cellId: cell.id });
        }}
      >
        {trans.__('%1?', label)}
      </button>
    );
  }
  return null;
}

/** All roles, to set or clear with one click, and what is to be said about the cell's role. */
function RoleStrip(props: IRowProps): React.ReactElement {
  const { cell, execute, trans } = props;
  const isWritten = cell.markedBy === 'comment' || cell.markedBy === 'magic';
  return (
    <div className="nbprod-RoleStrip">
      <div
        role="group"
        aria-label={trans.__('Role of cell %1', cell.index)}
        className="nbprod-RoleStrip-roles"
      >
        {ROLES.map(role => {
          const pressed = cell.role === role;
          return (
            <RoleToggle
              key={role}
              role={role}
              pressed={pressed}
              suggested={cell.suggestion?.role === role}
              disabled={isWritten}
              trans={trans}
              onToggle={() => {
                if (pressed) {
                  execute(CommandIDs.clearRole, { cellId: cell.id });
                } else {
                  execute(CommandIDs.setRole, { cellId: cell.id, role });
                }
              }}
            />
          );
        })}
      </div>
      <StripNote cell={cell} trans={trans} />
    </div>
  );
}

function StripNote(props: {
  cell: ICellState;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { cell, trans } = props;
  const text = noteOf(cell, trans);
  return text === null ? null : (
    <div className="nbprod-RoleStrip-note">{text}</div>
  );
}

function noteOf(cell: ICellState, trans: TranslationBundle): string | null {
  if (cell.markedBy === 'comment') {
    return trans.__('The cell’s first line sets its role; change it there.');
  }
  if (cell.markedBy === 'magic') {
    return trans.__('The cell’s magic sets its role; change it there.');
  }
  if (cell.conflict.length > 1) {
    return trans.__(
      'The cell is tagged with several roles (%1): choose one.',
      cell.conflict.map(role => roleLabel(role, trans)).join(', ')
    );
  }
  if (cell.suggestion !== null) {
    return trans.__(
      'Suggested: %1 (%2 %). %3',
      roleLabel(cell.suggestion.role, trans),
      Math.round(cell.suggestion.confidence * 100),
      cell.suggestion.reason
    );
  }
  return null;
}

function rowLabel(cell: ICellState, trans: TranslationBundle): string {
  const code = cell.firstLine || trans.__('(empty)');
  return cell.role === null
    ? trans.__('Go to cell %1: %2', cell.index, code)
    : trans.__(
        'Go to cell %1 (%2): %3',
        cell.index,
        roleLabel(cell.role, trans),
        code
      );
}

/** Arrow keys, Home and End move the focus among the rows. */
function moveFocus(event: React.KeyboardEvent<HTMLButtonElement>): void {
  const rows = [
    ...(event.currentTarget
      .closest('ul')
      ?.querySelectorAll<HTMLButtonElement>('.nbprod-CellRow-cell') ?? [])
  ];
  const here = rows.indexOf(event.currentTarget);
  const target = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[
    event.key
  ];
  if (target !== undefined) {
    event.preventDefault();
    event.stopPropagation();
    rows.at(event.key === 'End' ? -1 : Math.max(target, 0))?.focus();
  }
}
