/**
 * Small parts that the sections share.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import React from 'react';

import type { IRun } from '../api';
import { CommandIDs } from '../tokens';

/** Runs a command of the application. */
export type Execute = (
  command: string,
  args?: ReadonlyPartialJSONObject
) => void;

/** What every section is given. */
export interface ISectionProps<State> {
  readonly state: State;
  readonly execute: Execute;
  readonly trans: TranslationBundle;
}

/** The tones of a mark; each has a shape of its own, so that colour alone tells nothing. */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet';

const SHAPES: Record<Tone, string> = {
  good: 'M3.2 8.4l3 3 6.6-6.8',
  bad: 'M4 4l8 8M12 4l-8 8',
  warn: 'M8 3.4v6M8 12.4v.2',
  quiet: 'M4 8h8'
};

/** A mark with a meaning: the words are for the reader and for the screen reader alike. */
export function Mark(props: { tone: Tone; label: string }): React.ReactElement {
  return (
    <span
      className="nbprod-Mark"
      data-tone={props.tone}
      role="img"
      aria-label={props.label}
      title={props.label}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[props.tone]} />
      </svg>
    </span>
  );
}

/** A button in the text, in JupyterLab's own look. */
export function Action(props: {
  label: string;
  title?: string;
  disabled?: boolean;
  primary?: boolean;
  onClick: () => void;
}): React.ReactElement {
  return (
    <button
      type="button"
      className={`jp-Button jp-mod-styled nbprod-Action ${
        props.primary ? 'jp-mod-accept' : 'jp-mod-minimal'
      }`}
      title={props.title}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

/** A button that opens the notebook as a run executed it. */
export function ExecutedAction(props: {
  label: string;
  run: IRun;
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement {
  const { label, run, execute, trans } = props;
  return (
    <Action
      label={label}
      title={trans.__(
        'Open the notebook as this run executed it, with its outputs'
      )}
      onClick={() => {
        execute(CommandIDs.openExecuted, { run: run.run_id });
      }}
    />
  );
}

/** A button that goes to a place in the notebook. */
export function PlaceButton(props: {
  cell: number;
  line?: number;
  cellId: string | undefined;
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement {
  const { cell, line, cellId, execute, trans } = props;
  return (
    <button
      type="button"
      className="nbprod-Place"
      disabled={cellId === undefined}
      title={
        line === undefined
          ? trans.__('Go to cell %1', cell)
          : trans.__('Go to cell %1, line %2', cell, line)
      }
      onClick={() => {
        execute(CommandIDs.goToCell, {
          cellId: cellId ?? '',
          ...(line === undefined ? {} : { line })
        });
      }}
    >
      {line === undefined
        ? trans.__('cell %1', cell)
        : trans.__('cell %1:%2', cell, line)}
    </button>
  );
}

/** A moment as a person would say it today, and in full for the tooltip. */
export function Moment(props: { at: string }): React.ReactElement {
  const date = new Date(props.at);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday
    ? date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return (
    <time dateTime={props.at} title={date.toLocaleString()}>
      {text}
    </time>
  );
}

/** A number with as many digits as a reader wants. */
export function shownNumber(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : Number(value.toPrecision(4)).toString();
}
