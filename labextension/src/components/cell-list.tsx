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
import type { ILeftOut, IStudy } from '../api';
import { arcsOf, byNames, curveOf, neighboursOf } from '../flow';
import type { IArc } from '../flow';
import type { IMarkedCell, RunMark } from '../run-marks';
import type { INote, NoteKind } from '../notes';
import { notesOfState, worstKind } from '../notes';
import type { Execute, ISectionProps, Tone } from './common';
import { Mark, PlaceButton } from './common';

/** Above this many, only the streams of the cell at hand are drawn. */
const MOST_ARCS = 150;
const GUTTER = 26;

/** The list; arrow keys move through it, Enter goes to the cell. Beside it, what flows from cell to cell. */
export function CellList(
  props: ISectionProps<INotebookState> & { marked: IMarkedCell | null }
): React.ReactElement {
  const { state, marked, execute, trans } = props;
  const list = React.useRef<HTMLUListElement>(null);
  const [pointed, setPointed] = React.useState<string | null>(null);
  const active = state.cells.some(cell => cell.id === state.activeCellId)
    ? state.activeCellId
    : state.cells[0]?.id;
  React.useEffect(() => {
    list.current
      ?.querySelector('[aria-current="true"]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [state.activeCellId]);
  const { cells, study, studiedIds } = state;
  const shown = React.useMemo(
    () => mapOf(cells, study, studiedIds),
    [cells, study, studiedIds]
  );
  const notes = notesOfState(state, trans);
  const around = pointed ?? state.activeCellId;
  const neighbours = React.useMemo(
    () => neighboursOf(shown.arcs, around),
    [shown, around]
  );
  const flow = React.useMemo(
    () => neighboursOf(shown.arcs, state.activeCellId),
    [shown, state.activeCellId]
  );
  return (
    <div className="nbprod-Map">
      <Arcs
        arcs={shown.arcs}
        around={around}
        list={list}
        layout={`${cells.length} ${state.activeCellId} ${studiedIds.length}`}
      />
      <ul
        ref={list}
        className="nbprod-CellList"
        aria-label={trans.__('Code cells')}
        onMouseLeave={() => {
          setPointed(null);
        }}
        onBlur={() => {
          setPointed(null);
        }}
      >
        {cells.map(cell => {
          const isActive = cell.id === state.activeCellId;
          return (
            <CellRow
              key={cell.id}
              cell={cell}
              isActive={isActive}
              isTabStop={cell.id === active}
              isReadOnly={state.isReadOnly}
              gives={neighbours.into.get(cell.id) ?? null}
              takes={neighbours.out.get(cell.id) ?? null}
              notes={notes.get(cell.id) ?? NO_NOTES}
              mark={marked?.id === cell.id ? marked.mark : null}
              leftOut={shown.leftOut.get(cell.id) ?? null}
              flow={isActive ? flow : null}
              indexOf={isActive ? shown.indexOf : null}
              execute={execute}
              trans={trans}
              onPoint={setPointed}
            />
          );
        })}
      </ul>
    </div>
  );
}

const NO_NOTES: readonly INote[] = [];

/** What the map shows beside the cells themselves. */
function mapOf(
  cells: readonly ICellState[],
  study: IStudy | null,
  ids: readonly string[]
) {
  const present = new Set(cells.map(cell => cell.id));
  const leftOut = new Map<string, ILeftOut>();
  for (const each of study?.left_out ?? []) {
    const id = ids[each.cell];
    if (id !== undefined) {
      leftOut.set(id, each);
    }
  }
  return {
    arcs: arcsOf(study?.edges ?? [], ids, present),
    leftOut,
    indexOf: new Map(cells.map(cell => [cell.id, cell.index]))
  };
}

/** The streams as curves in the gutter, those of the cell at hand above the rest. */
function Arcs(props: {
  arcs: readonly IArc[];
  around: string | null;
  list: React.RefObject<HTMLUListElement>;
  layout: unknown;
}): React.ReactElement {
  const { arcs, around, list, layout } = props;
  const [heights, setHeights] = React.useState(new Map<string, number>());
  React.useLayoutEffect(() => {
    const found = new Map<string, number>();
    for (const row of list.current?.querySelectorAll<HTMLElement>(
      '.nbprod-CellRow'
    ) ?? []) {
      found.set(row.dataset['cell'] ?? '', row.offsetTop + 13);
    }
    setHeights(found);
  }, [layout, list]);
  const near = (arc: IArc) => arc.from === around || arc.to === around;
  const drawn =
    arcs.length > MOST_ARCS
      ? arcs.filter(near)
      : [...arcs.filter(arc => !near(arc)), ...arcs.filter(near)];
  return (
    <svg
      className="nbprod-Arcs"
      width={GUTTER}
      height={list.current?.scrollHeight ?? 0}
      aria-hidden="true"
    >
      {drawn.map(arc => {
        const from = heights.get(arc.from);
        const to = heights.get(arc.to);
        return from === undefined || to === undefined ? null : (
          <path
            key={`${arc.from} ${arc.to}`}
            data-near={near(arc) || undefined}
            d={curveOf(from, to, GUTTER)}
          >
            <title>{arc.names.join(', ')}</title>
          </path>
        );
      })}
    </svg>
  );
}

interface IRowProps {
  cell: ICellState;
  isActive: boolean;
  isTabStop: boolean;
  isReadOnly: boolean;
  /** The variables that it gives to the cell at hand, and those that it takes from it. */
  gives: readonly string[] | null;
  takes: readonly string[] | null;
  notes: readonly INote[];
  mark: RunMark | null;
  leftOut: ILeftOut | null;
  /** Of the active cell: all that it takes and gives, and the indices of the cells. */
  flow: ReturnType<typeof neighboursOf> | null;
  indexOf: ReadonlyMap<string, number> | null;
  execute: Execute;
  trans: TranslationBundle;
  onPoint: (id: string | null) => void;
}

function Row(props: IRowProps): React.ReactElement {
  const { cell, isActive, isTabStop, notes, leftOut, execute, trans } = props;
  return (
    <li
      className="nbprod-CellRow"
      data-cell={cell.id}
      data-nbprod-role={cell.role ?? undefined}
      data-left-out={leftOut !== null || undefined}
      aria-current={isActive}
      onMouseEnter={() => {
        props.onPoint(cell.id);
      }}
    >
      <div className="nbprod-CellRow-line">
        <button
          type="button"
          className="nbprod-CellRow-cell"
          tabIndex={isTabStop ? 0 : -1}
          aria-label={rowLabel(cell, trans)}
          title={leftOut?.why}
          onKeyDown={moveFocus}
          onFocus={() => {
            props.onPoint(cell.id);
          }}
          onClick={() => {
            execute(CommandIDs.goToCell, { cellId: cell.id });
          }}
        >
          <span className="nbprod-CellRow-index">{cell.index}</span>
          <code className="nbprod-CellRow-code">
            {cell.firstLine || trans.__('(empty)')}
          </code>
        </button>
        <StreamNames {...props} />
        <NotesMark notes={notes} trans={trans} />
        <RunsMark mark={props.mark} trans={trans} />
        {!isActive && <RowRole {...props} />}
      </div>
      {isActive && <RoleStrip {...props} />}
    </li>
  );
}

/** A cell; drawn anew only where something of it is another, as there may be hundreds. */
const CellRow = React.memo(Row);

/** The names that flow between a row and the cell at hand, with their direction. */
function StreamNames(props: IRowProps): React.ReactElement | null {
  const { gives, takes, trans } = props;
  const names = (gives ?? takes)?.join(', ');
  return names === undefined ? null : (
    <span
      className="nbprod-CellRow-streams"
      title={gives ? trans.__('Gives %1', names) : trans.__('Takes %1', names)}
    >
      {gives ? `${names} →` : `→ ${names}`}
    </span>
  );
}

const TONES: Record<NoteKind, Tone> = {
  error: 'bad',
  refusal: 'bad',
  divergence: 'bad',
  warning: 'warn',
  info: 'quiet'
};

function NotesMark(props: {
  notes: readonly INote[];
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { notes, trans } = props;
  const worst = worstKind(notes);
  if (worst === null) {
    return null;
  }
  const count = trans._n('%1 finding', '%1 findings', notes.length);
  return (
    <Mark
      tone={TONES[worst]}
      label={`${count}: ${notes.map(each => each.message).join('; ')}`}
    />
  );
}

/** Whether a run is at this cell, or failed at it. */
function RunsMark(props: {
  mark: RunMark | null;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { mark, trans } = props;
  switch (mark) {
    case null:
      return null;
    case 'failed':
      return <Mark tone="bad" label={trans.__('The run failed here')} />;
    case 'running': {
      const label = trans.__('The run is at this cell');
      return (
        <span
          className="nbprod-Spinner"
          role="img"
          aria-label={label}
          title={label}
        />
      );
    }
  }
}

/** The cell's role, as a button that clears it; or the suggestion, as a button that accepts it. */
function RowRole(props: IRowProps): React.ReactElement | null {
  const { cell, isTabStop, execute, trans } = props;
  const tabIndex = isTabStop ? 0 : -1;
  if (cell.role !== null && (props.isReadOnly || cell.markedBy !== 'tag')) {
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
        disabled={props.isReadOnly}
        aria-label={trans.__(
          'Set the suggested role %1 for cell %2',
          label,
          cell.index
        )}
        title={
          props.isReadOnly
            ? trans.__('Suggested: %1', reason)
            : trans.__('Suggested: %1. Click to set it.', reason)
        }
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
  const isWritten =
    props.isReadOnly ||
    cell.markedBy === 'comment' ||
    cell.markedBy === 'magic';
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
      <StripNote cell={cell} isReadOnly={props.isReadOnly} trans={trans} />
      <Streams {...props} />
    </div>
  );
}

/** What the cell takes from which cells, what it gives to which, and why it is left out. */
function Streams(props: IRowProps): React.ReactElement | null {
  const { flow, leftOut, indexOf, execute, trans } = props;
  const parts = [
    { title: trans.__('Takes'), streams: flow?.into },
    { title: trans.__('Gives'), streams: flow?.out }
  ].filter(part => (part.streams?.size ?? 0) > 0);
  if (parts.length === 0 && leftOut === null) {
    return null;
  }
  return (
    <dl className="nbprod-Facts nbprod-RoleStrip-facts">
      {parts.map(({ title, streams }) => (
        <React.Fragment key={title}>
          <dt>{title}</dt>
          <dd>
            {byNames(streams ?? new Map()).map(({ names, ids }) => (
              <div key={names.join()} className="nbprod-Stream">
                <code>{names.join(', ')}</code>
                {ids.map(id => (
                  <PlaceButton
                    key={id}
                    cell={indexOf?.get(id) ?? 0}
                    cellId={id}
                    execute={execute}
                    trans={trans}
                  />
                ))}
              </div>
            ))}
          </dd>
        </React.Fragment>
      ))}
      {leftOut !== null && (
        <>
          <dt>{trans.__('Left out')}</dt>
          <dd>{leftOut.why}</dd>
        </>
      )}
    </dl>
  );
}

function StripNote(props: {
  cell: ICellState;
  isReadOnly: boolean;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { cell, trans } = props;
  const text = props.isReadOnly
    ? trans.__('The file is read-only: roles can’t be set.')
    : noteOf(cell, trans);
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
