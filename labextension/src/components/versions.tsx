/**
 * Versions and runs: what there is, how good it is, and which one is served.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IProblem, IRun, IVersion } from '../api';
import type { IPackageState } from '../package';
import { CommandIDs } from '../tokens';
import type { ISectionProps, Tone } from './common';
import { Action, ExecutedAction, Mark, Moment, shownNumber } from './common';
import { Waiting } from './problem';
import { proofLabel } from './header';
import { Notice } from './notice';

/** The chart of a metric, the versions and the runs. */
export function Versions(
  props: ISectionProps<IPackageState> & { studyProblem: IProblem | null }
): React.ReactElement {
  const { state, trans } = props;
  if (state.versions === null) {
    return (
      <Waiting
        text={trans.__('Looking for versions…')}
        problem={props.studyProblem ?? state.loadProblem}
        trans={trans}
      />
    );
  }
  const { versions } = state.versions;
  const runs = state.runs?.runs ?? [];
  if (versions.length === 0 && runs.length === 0) {
    return (
      <Notice title={trans.__('There is no version yet')}>
        {trans.__(
          'Run makes one: the notebook runs, its package is fitted, and the two are proven equal.'
        )}
      </Notice>
    );
  }
  return (
    <div className="nbprod-Versions">
      <MetricChart versions={versions} trans={trans} />
      <ul className="nbprod-List" aria-label={trans.__('Versions')}>
        {[...versions].reverse().map(version => (
          <VersionRow key={version.number} version={version} {...props} />
        ))}
      </ul>
      {runs.length > 0 && (
        <>
          <h3 className="nbprod-Heading">{trans.__('Runs')}</h3>
          <RunList {...props} runs={runs} />
        </>
      )}
    </div>
  );
}

function VersionRow(
  props: ISectionProps<IPackageState> & { version: IVersion }
): React.ReactElement {
  const { version, execute, trans } = props;
  const served = version.aliases.includes('champion');
  const { tone, label } = proofOf(version.verify, version.fitted, trans);
  return (
    <li className="nbprod-Version" data-served={served || undefined}>
      <details>
        <summary className="nbprod-Row">
          <Mark tone={tone} label={label} />
          <span className="nbprod-Row-name">v{version.number}</span>
          {version.aliases.map(alias => (
            <span key={alias} className="nbprod-Alias">
              {alias}
            </span>
          ))}
          <span className="nbprod-Count">
            <Moment at={version.created} />
          </span>
        </summary>
        <dl className="nbprod-Facts nbprod-Feature-facts">
          <dt>{trans.__('Proof')}</dt>
          <dd>{label}</dd>
          {Object.entries(version.metrics).map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{shownNumber(value)}</dd>
            </React.Fragment>
          ))}
          {version.one_row !== null && (
            <>
              <dt>{trans.__('One row')}</dt>
              <dd>{version.one_row}</dd>
            </>
          )}
          <dt>{trans.__('Changed')}</dt>
          <dd>{changesText(version, trans)}</dd>
        </dl>
        <div className="nbprod-Version-actions">
          {served ? (
            <Action
              label={trans.__('Roll back')}
              title={trans.__('Let champion stand for what it was before')}
              onClick={() => {
                execute(CommandIDs.rollback);
              }}
            />
          ) : (
            <Action
              label={trans.__('Promote')}
              title={trans.__(
                'Let the gates judge v%1, and champion stand for it where they pass',
                version.number
              )}
              disabled={!version.fitted}
              onClick={() => {
                execute(CommandIDs.promote, { version: version.number });
              }}
            />
          )}
          <Action
            label={trans.__('Preview')}
            onClick={() => {
              execute(CommandIDs.preview, { version: version.number });
            }}
          />
        </div>
      </details>
    </li>
  );
}

function proofOf(
  verify: string | null,
  fitted: boolean,
  trans: TranslationBundle
): { tone: Tone; label: string } {
  if (verify === null) {
    return {
      tone: 'quiet',
      label: fitted ? trans.__('not proven') : trans.__('not fitted')
    };
  }
  const isGood = verify === 'proven' || verify === 'observed';
  return { tone: isGood ? 'good' : 'bad', label: proofLabel(verify, trans) };
}

function changesText(version: IVersion, trans: TranslationBundle): string {
  if (version.features === null) {
    return trans.__('the first version');
  }
  const { added, removed, changed } = version.features;
  const parts = [
    ...added.map(name => `+${name}`),
    ...removed.map(name => `−${name}`),
    ...changed.map(name => `~${name}`)
  ];
  return parts.length > 0 ? parts.join('  ') : trans.__('no feature');
}

function RunList(
  props: ISectionProps<IPackageState> & { runs: readonly IRun[] }
): React.ReactElement {
  const { runs, trans } = props;
  const [chosen, setChosen] = React.useState<readonly string[]>([]);
  const compared = runs.filter(run => chosen.includes(run.run_id));
  return (
    <>
      <ul className="nbprod-List" aria-label={trans.__('Runs')}>
        {runs.map(run => (
          <RunRow
            key={run.run_id}
            {...props}
            run={run}
            isChosen={chosen.includes(run.run_id)}
            choose={isChosen => {
              const others = chosen.filter(id => id !== run.run_id);
              setChosen(isChosen ? [...others.slice(-1), run.run_id] : others);
            }}
          />
        ))}
      </ul>
      {compared.length === 2 && <RunComparison runs={compared} trans={trans} />}
    </>
  );
}

function RunRow(
  props: ISectionProps<IPackageState> & {
    run: IRun;
    isChosen: boolean;
    choose: (isChosen: boolean) => void;
  }
): React.ReactElement {
  const { run, execute, trans } = props;
  const facts = [
    ...Object.entries(run.parameters),
    ...Object.entries(run.metrics).map(([name, value]) => [
      name,
      shownNumber(value)
    ])
  ];
  const started = new Date(run.started).toLocaleString();
  return (
    <li className="nbprod-Run">
      <input
        type="checkbox"
        checked={props.isChosen}
        aria-label={trans.__('Compare the run of %1', started)}
        title={trans.__('Compare with another run')}
        onChange={event => {
          props.choose(event.target.checked);
        }}
      />
      <details>
        <summary className="nbprod-Row">
          <Mark
            tone={runTone(run.status)}
            label={runLabel(run.status, trans)}
          />
          <span className="nbprod-Row-name">
            <Moment at={run.started} />
            {run.version !== null && ` · v${run.version}`}
          </span>
          <span className="nbprod-Count">{duration(run, trans)}</span>
        </summary>
        <dl className="nbprod-Facts nbprod-Run-facts">
          {facts.length === 0 && (
            <>
              <dt>{trans.__('Recorded')}</dt>
              <dd>{trans.__('no parameters and no metrics')}</dd>
            </>
          )}
          {facts.map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
        </dl>
        <div className="nbprod-Run-actions">
          <Action
            label={trans.__('Run again…')}
            title={trans.__('Run the notebook with the parameters of this run')}
            disabled={props.state.job?.state === 'running'}
            onClick={() => {
              execute(
                CommandIDs.runWith,
                Object.keys(run.parameters).length > 0
                  ? { parameters: run.parameters }
                  : {}
              );
            }}
          />
          {run.version !== null && (
            <Action
              label={trans.__('Reproduce')}
              title={trans.__(
                'Run what ran then again, and compare what it learns, predicts and measures'
              )}
              disabled={props.state.job?.state === 'running'}
              onClick={() => {
                execute(CommandIDs.reproduce, { run: run.run_id });
              }}
            />
          )}
          {run.executed !== null && (
            <ExecutedAction
              label={trans.__('Executed notebook')}
              run={run}
              execute={execute}
              trans={trans}
            />
          )}
        </div>
      </details>
    </li>
  );
}

function runTone(status: string): Tone {
  switch (status) {
    case 'FINISHED':
      return 'good';
    case 'RUNNING':
      return 'quiet';
    default:
      return 'bad';
  }
}

function runLabel(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'FINISHED':
      return trans.__('finished');
    case 'RUNNING':
      return trans.__('running');
    case 'FAILED':
      return trans.__('failed');
    case 'KILLED':
      return trans.__('cancelled');
    default:
      return status;
  }
}

function duration(run: IRun, trans: TranslationBundle): string {
  if (run.ended === null) {
    return '';
  }
  const seconds = Math.round(
    (new Date(run.ended).getTime() - new Date(run.started).getTime()) / 1000
  );
  return seconds < 60
    ? trans.__('%1 s', seconds)
    : trans.__('%1 min %2 s', Math.floor(seconds / 60), seconds % 60);
}

/** Two runs side by side: only what differs between them, and every metric. */
function RunComparison(props: {
  runs: readonly IRun[];
  trans: TranslationBundle;
}): React.ReactElement {
  const { trans } = props;
  const [newer, older] = props.runs as [IRun, IRun];
  const rows = [
    ...keysOf(older.parameters, newer.parameters)
      .map(name => [name, older.parameters[name], newer.parameters[name]])
      .filter(([, a, b]) => a !== b),
    ...keysOf(older.metrics, newer.metrics).map(name => [
      name,
      metricText(older.metrics[name]),
      metricText(newer.metrics[name])
    ])
  ];
  return (
    <table className="nbprod-Comparison">
      <caption>{trans.__('The two runs compared')}</caption>
      <thead>
        <tr>
          <th scope="col" />
          <th scope="col">
            <Moment at={older.started} />
          </th>
          <th scope="col">
            <Moment at={newer.started} />
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, before, after]) => (
          <tr key={name} data-differs={before !== after || undefined}>
            <th scope="row">{name}</th>
            <td>{before ?? '—'}</td>
            <td>{after ?? '—'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function keysOf(...sides: Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(sides.flatMap(side => Object.keys(side)))].sort();
}

function metricText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : shownNumber(value);
}

const CHART = { width: 220, height: 56, pad: 6 };

/** A metric over the versions; the one served is marked. */
function MetricChart(props: {
  versions: readonly IVersion[];
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { versions, trans } = props;
  const names = keysOf(...versions.map(version => version.metrics));
  const [name, setName] = React.useState<string | undefined>(undefined);
  const shown = name !== undefined && names.includes(name) ? name : names[0];
  const points = versions.flatMap(version => {
    const value = shown === undefined ? undefined : version.metrics[shown];
    return value === undefined || !Number.isFinite(value)
      ? []
      : [{ version, value }];
  });
  if (shown === undefined || points.length < 2) {
    return null;
  }
  const values = points.map(point => point.value);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (index: number) =>
    CHART.pad + (index * (CHART.width - 2 * CHART.pad)) / (points.length - 1);
  const y = (value: number) =>
    CHART.height -
    CHART.pad -
    ((value - low) * (CHART.height - 2 * CHART.pad)) / span;
  const last = points[points.length - 1]?.value ?? 0;
  return (
    <figure className="nbprod-Chart">
      <figcaption>
        <select
          className="nbprod-Chart-name"
          aria-label={trans.__('Metric')}
          value={shown}
          onChange={event => {
            setName(event.target.value);
          }}
        >
          {names.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <span>{shownNumber(last)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${CHART.width} ${CHART.height}`}
        role="img"
        aria-label={points
          .map(point => `v${point.version.number}: ${shownNumber(point.value)}`)
          .join(', ')}
      >
        <polyline
          points={points
            .map((point, index) => `${x(index)},${y(point.value)}`)
            .join(' ')}
        />
        {points.map((point, index) => (
          <circle
            key={point.version.number}
            cx={x(index)}
            cy={y(point.value)}
            r={3}
            data-served={
              point.version.aliases.includes('champion') || undefined
            }
          >
            <title>{`v${point.version.number}: ${shownNumber(point.value)}`}</title>
          </circle>
        ))}
      </svg>
    </figure>
  );
}
