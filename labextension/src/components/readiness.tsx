/**
 * The checklist for production: each item with its state, its evidence, and the next step where there is one.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IProblem, IReadiness, IReadinessItem } from '../api';
import type { IPackageState } from '../package';
import { CommandIDs } from '../tokens';
import type { Execute, ISectionProps, Tone } from './common';
import { Action, Mark } from './common';
import { Waiting } from './problem';

type State = IReadinessItem['state'];

const TONES: Record<State, Tone> = {
  proved: 'good',
  declared: 'quiet',
  contradicted: 'bad',
  stale: 'warn',
  missing: 'quiet',
  'not-applicable': 'quiet'
};

/** The states in which something is left to do. */
const OPEN: ReadonlySet<State> = new Set(['contradicted', 'stale', 'missing']);

type Filter = 'all' | 'open' | 'blocking';

interface IProps extends ISectionProps<IPackageState> {
  ids: readonly string[];
  studyProblem: IProblem | null;
  isBusy: boolean;
}

/** The items by section; only what is proved is shown as done. */
export function Readiness(props: IProps): React.ReactElement {
  const { state, trans } = props;
  const [filter, setFilter] = React.useState<Filter>('all');
  if (state.readiness === null) {
    return (
      <Waiting
        text={trans.__('Gathering evidence…')}
        problem={props.studyProblem ?? state.loadProblem}
        trans={trans}
      />
    );
  }
  const { items, sections } = state.readiness;
  const shown = items.filter(item => isShown(item, filter));
  return (
    <div className="nbprod-Readiness">
      <Summary readiness={state.readiness} {...props} />
      <Filters filter={filter} onChange={setFilter} trans={trans} />
      {shown.length === 0 && (
        <p className="nbprod-Note">
          {trans.__('Nothing is left of what is asked for here.')}
        </p>
      )}
      {sections.map(section => {
        const inside = shown.filter(item => item.section === section.title);
        return (
          inside.length > 0 && (
            <section key={section.id} aria-label={section.title}>
              <h3 className="nbprod-Heading nbprod-Readiness-heading">
                <span>{section.title}</span>
                <span className="nbprod-Readiness-points">
                  {trans.__('%1 of %2', section.points, section.of)}
                </span>
              </h3>
              <ul className="nbprod-List">
                {inside.map(item => (
                  <Item key={item.id} item={item} {...props} />
                ))}
              </ul>
            </section>
          )
        );
      })}
    </div>
  );
}

function isShown(item: IReadinessItem, filter: Filter): boolean {
  if (filter === 'all') {
    return true;
  }
  return OPEN.has(item.state) && (filter === 'open' || item.blocking);
}

/** How it stands as a whole, and what to do first. */
function Summary(props: {
  readiness: IReadiness;
  execute: Execute;
  trans: TranslationBundle;
  isBusy: boolean;
}): React.ReactElement {
  const { readiness, execute, trans } = props;
  const proved = readiness.items.filter(each => each.state === 'proved').length;
  const verdict =
    readiness.blockers.length > 0
      ? trans.__(
          'May not go live, contradicted: %1',
          readiness.blockers.join(', ')
        )
      : readiness.open.length > 0
        ? trans._n(
            '%1 blocking item is open',
            '%1 blocking items are open',
            readiness.open.length
          )
        : trans.__('No blocking item is open');
  const tone =
    readiness.blockers.length > 0
      ? 'bad'
      : readiness.open.length > 0
        ? 'warn'
        : 'good';
  return (
    <>
      <div className="nbprod-Readiness-sum">
        <progress
          value={proved}
          max={readiness.items.length}
          aria-label={trans.__(
            '%1 of %2 items are proved',
            proved,
            readiness.items.length
          )}
        />
        <span>
          {trans.__('%1 of %2 proved', proved, readiness.items.length)}
        </span>
      </div>
      <div className="nbprod-Readiness-verdict" data-tone={tone}>
        {verdict}
      </div>
      {readiness.standings.length > 1 && (
        <div className="nbprod-Readiness-trend">
          {readiness.standings
            .slice(-5)
            .map(each =>
              trans.__('v%1: %2 proved', each.version ?? '–', each.proved)
            )
            .join(' → ')}
        </div>
      )}
      <div className="nbprod-Readiness-actions">
        <span>
          {trans.__(
            'Score %1 %, ML Test Score %2',
            Math.round(100 * readiness.score),
            readiness.ml_test_score.score
          )}
        </span>
        <span className="nbprod-Readiness-buttons">
          <Action
            label={trans.__('Declare…')}
            title={trans.__('Say what only you can know')}
            onClick={() => {
              execute(CommandIDs.declare);
            }}
          />
          <Action
            label={trans.__('Gather Evidence')}
            title={trans.__(
              'Start the service, train again and plant faults: whatever is missing or stale'
            )}
            disabled={props.isBusy || readiness.version === null}
            onClick={() => {
              execute(CommandIDs.gather);
            }}
          />
        </span>
      </div>
    </>
  );
}

function Filters(props: {
  filter: Filter;
  onChange: (filter: Filter) => void;
  trans: TranslationBundle;
}): React.ReactElement {
  const { filter, onChange, trans } = props;
  const choices: [Filter, string][] = [
    ['all', trans.__('All')],
    ['open', trans.__('Open')],
    ['blocking', trans.__('Blocking')]
  ];
  return (
    <div
      className="nbprod-Filters"
      role="group"
      aria-label={trans.__('Which items are shown')}
    >
      {choices.map(([value, label]) => (
        <button
          key={value}
          type="button"
          className="nbprod-Filter"
          aria-pressed={filter === value}
          onClick={() => {
            onChange(value);
          }}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function Item(props: {
  item: IReadinessItem;
  ids: readonly string[];
  execute: Execute;
  trans: TranslationBundle;
  isBusy: boolean;
}): React.ReactElement {
  const { item, trans } = props;
  const labels: Record<State, string> = {
    proved: trans.__('proved'),
    declared: trans.__('declared'),
    contradicted: trans.__('contradicted'),
    stale: trans.__('stale'),
    missing: trans.__('missing'),
    'not-applicable': trans.__('not applicable')
  };
  return (
    <li className="nbprod-Item" data-state={item.state}>
      <Mark tone={TONES[item.state]} label={labels[item.state]} />
      <div className="nbprod-Item-text">
        <div className="nbprod-Item-title">
          {item.title}
          {item.blocking && (
            <span className="nbprod-Item-blocking">{trans.__('blocking')}</span>
          )}
        </div>
        <div className="nbprod-Item-evidence">
          <span className="nbprod-Item-state">{labels[item.state]}</span>{' '}
          {item.evidence}
        </div>
        {item.contradicts !== null && (
          <div className="nbprod-Item-contradicts">
            {trans.__('Speaks against: %1', item.contradicts)}
          </div>
        )}
        <details className="nbprod-Item-more">
          <summary>{trans.__('Why, and what next')}</summary>
          <p>{item.why}</p>
          {OPEN.has(item.state) && <p>{trans.__('Next: %1', item.step)}</p>}
          {item.keys.length > 0 && (
            <p>{trans.__('Declared by %1', item.keys.join(', '))}</p>
          )}
          {item.is_promise && (
            <p>
              {trans.__(
                'A promise: it can be declared, and no machine can prove it.'
              )}
            </p>
          )}
          <p className="nbprod-Item-source">
            {item.id} · {item.source}
          </p>
        </details>
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
  isBusy: boolean;
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
    case 'wait':
    case 'gather':
      return (
        <Action
          label={trans.__('Check')}
          title={trans.__('Gather the evidence of %1 now', item.id)}
          disabled={props.isBusy}
          onClick={() => {
            execute(CommandIDs.gather, { items: [item.id] });
          }}
        />
      );
    case 'declare': {
      const key = item.action.key ?? '';
      return (
        <Action
          label={trans.__('Declare')}
          title={trans.__('Declare `%1`', key)}
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
    case 'plan':
      return null;
    case 'tag':
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
