/**
 * The features of the model: what each is made from, what it learns, and what serving does with it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IFeature } from '../api';
import type { INotebookState } from '../model';
import type { Execute, ISectionProps, Tone } from './common';
import { Mark, PlaceButton } from './common';
import { Waiting } from './problem';
import { Notice } from './notice';

const MANY = 12;

/** All features, each to open; a field narrows a long list. */
export function Features(
  props: ISectionProps<INotebookState>
): React.ReactElement {
  const { state, trans } = props;
  const [wanted, setWanted] = React.useState('');
  const study = state.study;
  if (study === null) {
    return (
      <Waiting
        text={trans.__('Looking at the notebook…')}
        problem={state.problem}
        trans={trans}
      />
    );
  }
  if (study.plan === null) {
    return (
      <Notice title={study.plan_error?.message ?? trans.__('There is no plan')}>
        {study.plan_error?.hint}
      </Notice>
    );
  }
  const needle = wanted.trim().toLowerCase();
  const shown = study.features.filter(
    feature =>
      feature.name.toLowerCase().includes(needle) ||
      feature.inputs.some(input => input.toLowerCase().includes(needle))
  );
  return (
    <div className="nbprod-Features">
      <ModelLine {...props} />
      {study.features.length > MANY && (
        <input
          type="search"
          className="jp-mod-styled nbprod-Filter"
          placeholder={trans.__('Filter features')}
          aria-label={trans.__('Filter features')}
          value={wanted}
          onChange={event => {
            setWanted(event.target.value);
          }}
        />
      )}
      <ul className="nbprod-List" aria-label={trans.__('Features')}>
        {shown.map(feature => (
          <FeatureRow
            key={feature.name}
            feature={feature}
            ids={state.studiedIds}
            execute={props.execute}
            trans={trans}
          />
        ))}
      </ul>
      {shown.length === 0 && (
        <Notice title={trans.__('No feature has this in its name')} />
      )}
      <LeftOut {...props} />
    </div>
  );
}

function ModelLine(
  props: ISectionProps<INotebookState>
): React.ReactElement | null {
  const plan = props.state.study?.plan;
  if (!plan) {
    return null;
  }
  const { trans } = props;
  const estimator = plan.model.estimator.split('.').pop() ?? '';
  return (
    <dl className="nbprod-Facts">
      <dt>{trans.__('Model')}</dt>
      <dd title={plan.model.why ?? plan.model.estimator}>
        <code>{plan.model.name}</code> {estimator}
      </dd>
      <dt>{trans.__('Target')}</dt>
      <dd>
        <code>{plan.target ?? trans.__('none')}</code>
      </dd>
    </dl>
  );
}

/** How sure the serving form of a feature is. */
export function statusText(
  status: IFeature['status'],
  trans: TranslationBundle
): { tone: Tone; text: string } {
  switch (status) {
    case 'proven':
      return {
        tone: 'good',
        text: trans.__('Known: its serving form follows from what pandas does')
      };
    case 'observed':
      return {
        tone: 'good',
        text: trans.__('Observed: replay found every row equal')
      };
    case 'assumed':
      return {
        tone: 'warn',
        text: trans.__('Assumed: a run decides whether rows come out equal')
      };
    case 'refused':
      return { tone: 'bad', text: trans.__('Refused: it can’t be served') };
  }
}

function FeatureRow(props: {
  feature: IFeature;
  ids: readonly string[];
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement {
  const { feature, ids, execute, trans } = props;
  const { tone, text } = statusText(feature.status, trans);
  return (
    <li className="nbprod-Feature">
      <details>
        <summary className="nbprod-Row">
          <Mark tone={tone} label={text} />
          <code className="nbprod-Row-name">{feature.name}</code>
          {feature.learned.length > 0 && (
            <span className="nbprod-Count">
              {trans._n(
                '%1 learned value',
                '%1 learned values',
                feature.learned.length
              )}
            </span>
          )}
        </summary>
        <dl className="nbprod-Facts nbprod-Feature-facts">
          <dt>{trans.__('Needs')}</dt>
          <dd>
            {feature.inputs.length > 0
              ? feature.inputs.map(input => (
                  <code key={input} className="nbprod-Tag">
                    {input}
                  </code>
                ))
              : trans.__('no raw column')}
          </dd>
          <dt>{trans.__('Made in')}</dt>
          <dd>
            {feature.cells.map(cell => (
              <PlaceButton
                key={cell}
                cell={cell}
                cellId={ids[cell]}
                execute={execute}
                trans={trans}
              />
            ))}
          </dd>
          {feature.learned.length > 0 && (
            <>
              <dt>{trans.__('Learns')}</dt>
              <dd>
                {feature.learned.map(learned => (
                  <div key={learned.site} className="nbprod-Learned">
                    <code title={learned.expression}>{learned.expression}</code>
                    <span className="nbprod-Learned-value">
                      {learned.value ?? trans.__('known after a run')}
                    </span>
                  </div>
                ))}
              </dd>
            </>
          )}
          {feature.missing !== null && (
            <>
              <dt>{trans.__('Missing')}</dt>
              <dd>{feature.missing}</dd>
            </>
          )}
          {feature.unseen !== null && (
            <>
              <dt>{trans.__('Unseen')}</dt>
              <dd>{feature.unseen}</dd>
            </>
          )}
        </dl>
      </details>
    </li>
  );
}

function LeftOut(
  props: ISectionProps<INotebookState>
): React.ReactElement | null {
  const { state, execute, trans } = props;
  const leftOut = state.study?.left_out ?? [];
  if (leftOut.length === 0) {
    return null;
  }
  return (
    <details className="nbprod-LeftOut">
      <summary className="nbprod-Row">
        <span className="nbprod-Row-name">
          {trans._n(
            '%1 cell is left out',
            '%1 cells are left out',
            leftOut.length
          )}
        </span>
      </summary>
      <ul className="nbprod-List">
        {leftOut.map(each => (
          <li key={each.cell} className="nbprod-LeftOut-cell">
            <PlaceButton
              cell={each.cell}
              cellId={state.studiedIds[each.cell]}
              execute={execute}
              trans={trans}
            />
            <span>{each.why}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
