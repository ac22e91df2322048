/**
 * The package to read: its files, line by line, with the notebook's lines that they come from.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { diffLines } from 'diff';
import React from 'react';

import type { IPreview, IPreviewFile, IPreviewLine } from '../api';
import { CommandIDs } from '../tokens';
import type { Execute } from './common';

/** A line of a file as it is shown; `number` is null for a line that only the newest version has. */
export interface IShownLine {
  readonly number: number | null;
  readonly text: string;
  readonly change: 'added' | 'removed' | null;
}

/** Puts highlighted code into an element. */
export type Highlight = (code: string, element: HTMLElement) => Promise<void>;

/** A place in the notebook: the cell's id in the editor, and a line (1-based). */
export interface IPlace {
  readonly cellId: string;
  readonly line: number;
}

/** The lines of a file; where the newest version has another text, with what is added and removed. */
export function shownLines(
  file: IPreviewFile,
  withChanges: boolean
): IShownLine[] {
  if (!withChanges || file.before === null) {
    return file.text
      .replace(/\n$/, '')
      .split('\n')
      .map((text, index) => ({ number: index + 1, text, change: null }));
  }
  let number = 0;
  return diffLines(file.before, file.text).flatMap(part =>
    part.value
      .replace(/\n$/, '')
      .split('\n')
      .map((text): IShownLine => {
        if (part.removed) {
          return { number: null, text, change: 'removed' };
        }
        number += 1;
        return { number, text, change: part.added ? 'added' : null };
      })
  );
}

/**
 * The cell that a line of a package comes from, by its id in the editor, where the notebook has it.
 *
 * A version's lines count the cells as they stood when it was made: there the cell's own id tells.
 */
export function cellOf(
  line: IPreviewLine,
  ids: readonly string[],
  version: number | null
): string | undefined {
  return version === null
    ? ids[line.cell]
    : ids.find(id => id === line.cell_id);
}

interface IPreviewProps {
  readonly preview: IPreview;
  readonly ids: readonly string[];
  /** Where the cursor stands in the notebook. */
  readonly cursor: IPlace | null;
  readonly highlight: Highlight;
  readonly execute: Execute;
  readonly trans: TranslationBundle;
}

/** The files as tabs, and the chosen one below. */
export function Preview(props: IPreviewProps): React.ReactElement {
  const { preview, trans } = props;
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [withChanges, setWithChanges] = React.useState(false);
  const file =
    preview.files.find(each => each.path === chosen) ??
    preview.files.find(each => each.lines.length > 0) ??
    preview.files[0];
  const hasChanges = preview.files.some(
    each => each.before !== null && each.before !== each.text
  );
  return (
    <div className="nbprod-Preview">
      <div className="nbprod-Preview-bar">
        <div role="tablist" aria-label={trans.__('Files of the package')}>
          {preview.files.map(each => (
            <button
              key={each.path}
              type="button"
              role="tab"
              className="nbprod-Preview-tab"
              aria-selected={each === file}
              data-changed={
                (each.before !== null && each.before !== each.text) || undefined
              }
              onClick={() => {
                setChosen(each.path);
              }}
            >
              {each.path}
            </button>
          ))}
        </div>
        <label className="nbprod-Preview-changes">
          <input
            type="checkbox"
            checked={withChanges}
            disabled={!hasChanges}
            onChange={event => {
              setWithChanges(event.target.checked);
            }}
          />
          {preview.compared_to === null
            ? trans.__('No version to compare with')
            : preview.version === null
              ? trans.__('Changes since version %1', preview.compared_to)
              : trans.__('Compared with version %1', preview.compared_to)}
        </label>
      </div>
      {file && (
        <FileView
          key={file.path}
          file={file}
          withChanges={withChanges}
          {...props}
        />
      )}
    </div>
  );
}

function FileView(
  props: IPreviewProps & { file: IPreviewFile; withChanges: boolean }
): React.ReactElement {
  const { file, withChanges, ids, cursor, highlight, execute, trans } = props;
  const { version } = props.preview;
  const body = React.useRef<HTMLDivElement>(null);
  const lines = React.useMemo(
    () => shownLines(file, withChanges),
    [file, withChanges]
  );
  const places = React.useMemo(
    () => new Map(file.lines.map(each => [each.line, each])),
    [file]
  );
  const isAtCursor = (number: number | null) => {
    const place = number === null ? undefined : places.get(number);
    return (
      place !== undefined &&
      cursor !== null &&
      cellOf(place, ids, version) === cursor.cellId &&
      place.notebook_line === cursor.line
    );
  };
  React.useEffect(() => {
    body.current
      ?.querySelector('[data-at-cursor]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [cursor?.cellId, cursor?.line, file]);
  return (
    <div
      className="nbprod-Preview-file"
      ref={body}
      role="tabpanel"
      tabIndex={0}
      aria-label={file.path}
    >
      {lines.map((line, index) => {
        const place =
          line.number === null ? undefined : places.get(line.number);
        const cellId = place && cellOf(place, ids, version);
        const cell = cellId === undefined ? -1 : ids.indexOf(cellId);
        return (
          <div
            key={index}
            className="nbprod-Preview-line"
            data-change={line.change ?? undefined}
            data-at-cursor={isAtCursor(line.number) || undefined}
          >
            <span className="nbprod-Preview-number">{line.number}</span>
            {place && cellId !== undefined ? (
              <button
                type="button"
                className="nbprod-Preview-place"
                title={trans.__(
                  'From cell %1, line %2',
                  cell,
                  place.notebook_line
                )}
                aria-label={trans.__(
                  'Go to cell %1, line %2',
                  cell,
                  place.notebook_line
                )}
                onClick={() => {
                  execute(CommandIDs.goToCell, {
                    cellId,
                    line: place.notebook_line
                  });
                }}
              >
                {`${cell}:${place.notebook_line}`}
              </button>
            ) : (
              <span className="nbprod-Preview-place" />
            )}
            <Code text={line.text} path={file.path} highlight={highlight} />
          </div>
        );
      })}
    </div>
  );
}

/** One line of code, highlighted where it is Python. */
function Code(props: {
  text: string;
  path: string;
  highlight: Highlight;
}): React.ReactElement {
  const { text, path, highlight } = props;
  const element = React.useRef<HTMLElement>(null);
  React.useEffect(() => {
    const node = element.current;
    if (node === null) {
      return;
    }
    node.textContent = text;
    if (path.endsWith('.py') && text.trim() !== '') {
      const made = document.createElement('code');
      void highlight(text, made).then(() => {
        if (node.textContent === text) {
          node.replaceChildren(...made.childNodes);
        }
      });
    }
  }, [text, path, highlight]);
  return <code className="nbprod-Preview-code" ref={element} />;
}
