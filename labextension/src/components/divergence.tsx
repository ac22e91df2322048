/**
 * The notebook against the exported version, by feature: before and after side by side.
 */
import React from 'react';

import type { IDivergence, IFinding, IRefusal } from '../api';
import type { INotebookState } from '../model';
import { CommandIDs } from '../tokens';
import { kindLabel } from '../notes';
import type { ISectionProps, Tone } from './common';
import { Action, Mark, PlaceButton } from './common';
import { Waiting } from './problem';
import { verdictText } from './header';

/** What differs from the package, what can't be served, and what is unhealthy about the notebook. */
export function Divergence(
  props: ISectionProps<INotebookState> & { isBusy: boolean }
): React.ReactElement {
  const { state, execute, trans, isBusy } = props;
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
  const { check } = study;
  const { tone, text } = verdictText(check, trans);
  const differs = ['diverges', 'training-only'].includes(check.verdict);
  return (
    <div className="nbprod-Divergence">
      <div className="nbprod-Divergence-verdict">
        <Mark tone={tone} label={text} />
        <span>{text}</span>
        {(differs || check.verdict === 'not-exported') && (
          <Action
            label={
              differs ? trans.__('Update package') : trans.__('Export package')
            }
            disabled={isBusy}
            onClick={() => {
              execute(CommandIDs.exportPackage);
            }}
          />
        )}
      </div>
      <ul className="nbprod-List" aria-label={trans.__('Divergences')}>
        {check.divergences.map((each, index) => (
          <DivergenceRow key={index} {...props} divergence={each} />
        ))}
      </ul>
      <Refusals {...props} refusals={study.plan?.refusals ?? []} />
      <Findings {...props} findings={study.findings} />
    </div>
  );
}

function DivergenceRow(
  props: ISectionProps<INotebookState> & { divergence: IDivergence }
): React.ReactElement {
  const { divergence, trans } = props;
  return (
    <li className="nbprod-Change">
      <PlacedRow
        {...props}
        tone="bad"
        label={trans.__('differs')}
        name={divergence.feature}
        kind={divergence.kind}
        place={divergence}
      />
      <div className="nbprod-Change-sides">
        <Side
          title={trans.__('Package')}
          text={divergence.before}
          kind="before"
        />
        <Side
          title={trans.__('Notebook')}
          text={divergence.after}
          kind="after"
        />
      </div>
    </li>
  );
}

/** A line with a mark, a name, and the place in the notebook that it is about. */
function PlacedRow(
  props: ISectionProps<INotebookState> & {
    tone: Tone;
    label: string;
    name: string;
    kind?: string;
    place: { readonly cell: number; readonly line: number };
  }
): React.ReactElement {
  const { place, state, execute, trans } = props;
  return (
    <div className="nbprod-Row">
      <Mark tone={props.tone} label={props.label} />
      <code className="nbprod-Row-name">{props.name}</code>
      {props.kind && <span className="nbprod-Count">{props.kind}</span>}
      <PlaceButton
        cell={place.cell}
        line={place.line}
        cellId={state.studiedIds[place.cell]}
        execute={execute}
        trans={trans}
      />
    </div>
  );
}

function Side(props: {
  title: string;
  text: string;
  kind: 'before' | 'after';
}): React.ReactElement {
  return (
    <figure className="nbprod-Side" data-kind={props.kind}>
      <figcaption>{props.title}</figcaption>
      {/* It scrolls, so the keyboard must reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0}>{props.text || '—'}</pre>
    </figure>
  );
}

function Refusals(
  props: ISectionProps<INotebookState> & { refusals: readonly IRefusal[] }
): React.ReactElement | null {
  const { refusals, trans } = props;
  if (refusals.length === 0) {
    return null;
  }
  return (
    <>
      <h3 className="nbprod-Heading">{trans.__('Can’t be served')}</h3>
      <ul className="nbprod-List">
        {refusals.map((each, index) => (
          <li key={index} className="nbprod-Finding">
            <PlacedRow
              {...props}
              tone="bad"
              label={trans.__('refused')}
              name={each.construct}
              place={each}
            />
            <p>{each.reason}</p>
            <p className="nbprod-Advice">{each.hint}</p>
          </li>
        ))}
      </ul>
    </>
  );
}

const TONES: Record<IFinding['severity'], Tone> = {
  error: 'bad',
  warning: 'warn',
  info: 'quiet'
};

function Findings(
  props: ISectionProps<INotebookState> & { findings: readonly IFinding[] }
): React.ReactElement | null {
  const { state, execute, trans } = props;
  // What can't be served is told above, with the construct.
  const findings = props.findings.filter(each => each.rule !== 'not-servable');
  if (findings.length === 0) {
    return null;
  }
  return (
    <>
      <h3 className="nbprod-Heading">{trans.__('Findings')}</h3>
      <ul className="nbprod-List" aria-label={trans.__('Findings')}>
        {findings.map((each, index) => (
          <li key={index} className="nbprod-Finding">
            <PlacedRow
              {...props}
              tone={TONES[each.severity]}
              label={kindLabel(each.severity, trans)}
              name={each.rule}
              place={each}
            />
            <p>{each.message}</p>
            {each.related.map((related, place) => (
              <p key={place}>
                <PlaceButton
                  cell={related.cell}
                  line={related.line}
                  cellId={state.studiedIds[related.cell]}
                  execute={execute}
                  trans={trans}
                />{' '}
                {related.message}
              </p>
            ))}
            {each.hint && <p className="nbprod-Advice">{each.hint}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
