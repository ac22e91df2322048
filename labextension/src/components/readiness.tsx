/**
 * The checklist for production: each item with its evidence, and the next step where there is one.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IProblem, IReadinessItem } from '../api';
import type { IPackageState } from '../package';
import { CommandIDs } from '../tokens';
import type { Execute, ISectionProps, Tone } from './common';
import { Action, Mark } from './common';
import { Waiting } from './problem';

const TONES: Record<IReadinessItem['status'], Tone> = {
  yes: 'good',
  no: 'bad',
  unknown: 'quiet'
};

/** The items by section; what is not known is never shown as done. */
export function Readiness(
  props: ISectionProps<IPackageState> & {
    ids: readonly string[];
    studyProblem: IProblem | null;
  }
): React.ReactElement {
  const { state, trans } = props;
  if (state.readiness === null) {
    return (
      <Waiting
        text={trans.__('Gathering evidence…')}
        problem={props.studyProblem ?? state.loadProblem}
        trans={trans}
      />
    );
  }
  const { items } = state.readiness;
  const sections = [...new Set(items.map(item => item.section))];
  const done = items.filter(item => item.status === 'yes').length;
  return (
    <div className="nbprod-Readiness">
      <div className="nbprod-Readiness-sum">
        <progress
          value={done}
          max={items.length}
          aria-label={trans.__(
            '%1 of %2 items have evidence',
            done,
            items.length
          )}
        />
        <span>{trans.__('%1 of %2', done, items.length)}</span>
      </div>
      {sections.map(section => (
        <section key={section} aria-label={section}>
          <h3 className="nbprod-Heading">{section}</h3>
          <ul className="nbprod-List">
            {items
              .filter(item => item.section === section)
              .map(item => (
                <Item key={item.id} item={item} {...props} />
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Item(props: {
  item: IReadinessItem;
  ids: readonly string[];
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement {
  const { item, trans } = props;
  const labels = {
    yes: trans.__('yes'),
    no: trans.__('no'),
    unknown: trans.__('not known')
  };
  return (
    <li className="nbprod-Item" data-status={item.status}>
      <Mark tone={TONES[item.status]} label={labels[item.status]} />
      <div className="nbprod-Item-text">
        <div className="nbprod-Item-title">{item.title}</div>
        <div className="nbprod-Item-evidence">{item.evidence}</div>
        {item.contradicts !== null && (
          <div className="nbprod-Item-contradicts">
            {trans.__('Contradicts: %1', item.contradicts)}
          </div>
        )}
      </div>
      <ItemAction {...props} />
    </li>
  );
}

function ItemAction(props: {
  item: IReadinessItem;
  ids: readonly string[];
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { item, ids, execute, trans } = props;
  if (item.action === null) {
    return null;
  }
  switch (item.action.kind) {
    case 'export':
      return (
        <Action
          label={trans.__('Export')}
          onClick={() => {
            execute(CommandIDs.exportPackage);
          }}
        />
      );
    case 'run':
      return (
        <Action
          label={trans.__('Run')}
          onClick={() => {
            execute(CommandIDs.run);
          }}
        />
      );
    case 'declare': {
      const key = item.action.key ?? '';
      return (
        <Action
          label={trans.__('Declare')}
          title={trans.__('Open the configuration at `%1`', key)}
          onClick={() => {
            execute(CommandIDs.declare, { key });
          }}
        />
      );
    }
    case 'workflow':
      return (
        <Action
          label={trans.__('Add')}
          title={trans.__('Add a GitHub workflow that checks on every push')}
          onClick={() => {
            execute(CommandIDs.addWorkflow);
          }}
        />
      );
    case 'open-cell': {
      const cellId = ids[item.action.cell ?? -1];
      return cellId === undefined ? null : (
        <Action
          label={trans.__('Show')}
          onClick={() => {
            execute(CommandIDs.goToCell, { cellId });
          }}
        />
      );
    }
  }
}
