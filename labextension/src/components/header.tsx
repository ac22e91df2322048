/**
 * The head of the sidebar: which notebook, how it stands to its package, and the work under way.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ICheck, IJob, IRun } from '../api';
import type { INotebookState, NbprodState } from '../model';
import type { IPackageState } from '../package';
import { placeOf } from '../run-marks';
import { CommandIDs } from '../tokens';
import type { Execute, ISectionProps, Tone } from './common';
import { Action, ExecutedAction, Mark, PlaceButton } from './common';
import { Notice } from './notice';
import { ProblemNotice } from './problem';

interface IHeaderProps extends ISectionProps<NbprodState> {
  readonly package: IPackageState;
}

/** A message where there is no notebook to work on, else its head. */
export function Header(props: IHeaderProps): React.ReactElement {
  const { state, trans } = props;
  switch (state.kind) {
    case 'no-notebook':
      return (
        <Notice title={trans.__('No notebook is open')}>
          {trans.__('Open a notebook to see its cells and their roles here.')}
        </Notice>
      );
    case 'unread':
      return (
        <Notice
          title={trans.__('%1 is not read yet', state.path.split('/').pop())}
        >
          {trans.__(
            'Its cells appear here once JupyterLab has read it. A file that is damaged, or saved by a newer Jupyter, can’t be read: JupyterLab says so.'
          )}
        </Notice>
      );
    case 'other-language':
      return (
        <Notice
          title={trans.__('This notebook is written in %1', state.language)}
        >
          {trans.__('Pipelines are made from Python notebooks.')}
        </Notice>
      );
    case 'notebook':
      return <NotebookHeader {...props} state={state} />;
  }
}

function NotebookHeader(
  props: IHeaderProps & { state: INotebookState }
): React.ReactElement {
  const { state, execute, trans } = props;
  const { job, problem } = props.package;
  const isBusy = job?.state === 'running';
  const check = state.study?.check ?? null;
  return (
    <>
      <div className="nbprod-Header">
        <h2 className="nbprod-Header-title" title={state.path}>
          {state.path.split('/').pop()}
        </h2>
        {check && <VerdictLine check={check} trans={trans} />}
        <div className="nbprod-Header-actions">
          <Action
            label={trans.__('Run')}
            title={trans.__(
              'Run the notebook, fit its package, and prove the two equal'
            )}
            primary
            disabled={isBusy || state.problem !== null}
            onClick={() => {
              execute(CommandIDs.run);
            }}
          />
          <Action
            label={trans.__('Export')}
            title={trans.__('Write the package of the notebook as it is now')}
            disabled={isBusy || state.problem !== null}
            onClick={() => {
              execute(CommandIDs.exportPackage);
            }}
          />
          <Action
            label={trans.__('Preview')}
            title={trans.__('Show the package that would be written')}
            disabled={state.problem !== null}
            onClick={() => {
              execute(CommandIDs.preview);
            }}
          />
        </div>
      </div>
      {job && (
        <JobLine
          job={job}
          executed={executedOf(job, props.package.runs?.runs ?? [])}
          ids={state.studiedIds}
          execute={execute}
          trans={trans}
        />
      )}
      {state.problem && <ProblemNotice problem={state.problem} trans={trans} />}
      {!state.problem && problem && (
        <ProblemNotice
          problem={problem}
          trans={trans}
          dismiss={() => {
            execute(CommandIDs.dismiss);
          }}
        />
      )}
    </>
  );
}

/** What a verdict means: its tone, and a sentence. */
export function verdictText(
  check: ICheck,
  trans: TranslationBundle
): { tone: Tone; text: string } {
  const version = `v${check.version}`;
  switch (check.verdict) {
    case 'same':
      return { tone: 'good', text: trans.__('Same as %1', version) };
    case 'cosmetic':
      return {
        tone: 'good',
        text: trans.__('Same as %1 but for layout', version)
      };
    case 'training-only':
      return {
        tone: 'warn',
        text: trans.__('Training differs from %1', version)
      };
    case 'diverges':
      return { tone: 'bad', text: trans.__('Diverges from %1', version) };
    case 'unknown':
      return {
        tone: 'warn',
        text: trans.__('No plan to compare with %1', version)
      };
    case 'not-exported':
      return { tone: 'quiet', text: trans.__('Not exported yet') };
  }
}

function VerdictLine(props: {
  check: ICheck;
  trans: TranslationBundle;
}): React.ReactElement {
  const { tone, text } = verdictText(props.check, props.trans);
  return (
    <div className="nbprod-Verdict" role="status">
      <Mark tone={tone} label={text} />
      <span className="nbprod-Verdict-text">{text}</span>
      <span className="nbprod-Verdict-name">{props.check.name}</span>
    </div>
  );
}

/** The run that `job` made and whose executed notebook is kept; null where there is none. */
export function executedOf(job: IJob, runs: readonly IRun[]): IRun | null {
  const since = Date.parse(job.started);
  return job.kind === 'run' && job.state === 'failed'
    ? (runs.find(
        run => run.executed !== null && Date.parse(run.started) >= since
      ) ?? null)
    : null;
}

function JobLine(props: {
  job: IJob;
  executed: IRun | null;
  ids: readonly string[];
  execute: Execute;
  trans: TranslationBundle;
}): React.ReactElement {
  const { job, execute, trans } = props;
  if (job.state === 'running') {
    const { done = 0, total = 0 } = job.progress ?? {};
    return (
      <div className="nbprod-Job" data-state="running">
        <div className="nbprod-Job-line">
          <span className="nbprod-Job-text" role="status">
            {job.progress
              ? `${stageLabel(job.progress.stage, trans)}: ${job.progress.text}`
              : trans.__('Starting…')}
          </span>
          <Action
            label={trans.__('Cancel')}
            onClick={() => {
              execute(CommandIDs.cancel);
            }}
          />
        </div>
        <progress
          className="nbprod-Job-bar"
          aria-label={trans.__('Progress')}
          {...(total > 0 ? { value: done, max: total } : {})}
        />
      </div>
    );
  }
  const outcome = outcomeOf(job, trans);
  const { executed, ids } = props;
  const place = placeOf(job);
  return (
    <div className="nbprod-Job" data-state={job.state}>
      <div className="nbprod-Job-line">
        <Mark tone={outcome.tone} label={outcome.title} />
        <span className="nbprod-Job-text" role="status">
          {outcome.title}
          {outcome.detail && (
            <span className="nbprod-Job-detail">{outcome.detail}</span>
          )}
        </span>
      </div>
      <div className="nbprod-Job-actions">
        {place && (
          <PlaceButton
            cell={place.cell}
            {...(place.line === null ? {} : { line: place.line })}
            cellId={ids[place.cell]}
            execute={execute}
            trans={trans}
          />
        )}
        {executed && (
          <ExecutedAction
            label={trans.__('Open')}
            run={executed}
            execute={execute}
            trans={trans}
          />
        )}
        <Action
          label={trans.__('Dismiss')}
          onClick={() => {
            execute(CommandIDs.dismiss);
          }}
        />
      </div>
    </div>
  );
}

/** A stage of a run in the reader's language. */
export function stageLabel(stage: string, trans: TranslationBundle): string {
  switch (stage) {
    case 'plan':
      return trans.__('Planning');
    case 'run':
      return trans.__('Running');
    case 'fit':
      return trans.__('Fitting');
    case 'gather':
      return trans.__('Gathering');
    case 'verify':
      return trans.__('Proving');
    case 'track':
      return trans.__('Recording');
    default:
      return stage;
  }
}

/** How work that has ended came out: its tone, and what to say of it. */
export function outcomeOf(
  job: IJob,
  trans: TranslationBundle
): { tone: Tone; title: string; detail: string | null } {
  switch (job.state) {
    case 'cancelled':
      return { tone: 'quiet', title: trans.__('Cancelled'), detail: null };
    case 'failed':
      return {
        tone: 'bad',
        title: job.error?.message ?? trans.__('It failed'),
        detail: job.error?.hint ?? null
      };
    case 'running':
    case 'done':
      return doneOutcome(job, trans);
  }
}

/** How a proof came out, in the reader's language. */
export function proofLabel(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'proven':
      return trans.__('proven');
    case 'observed':
      return trans.__('observed');
    case 'failed':
      return trans.__('rows differ');
    case 'refused':
      return trans.__('refused');
    default:
      return status;
  }
}

/** How a run that was made again compares with its record. */
function reproducedOutcome(
  result: NonNullable<IJob['result']>,
  trans: TranslationBundle
): { tone: Tone; title: string; detail: string | null } {
  const cause = result['cause'] as { text?: string } | null;
  const proof = result['verify'] as {
    predictions?: number;
    predictions_equal?: number;
  } | null;
  switch (result['status']) {
    case 'identical':
      return {
        tone: 'good',
        title: trans.__('Reproduced, to the last bit'),
        detail: trans.__('Learned state, predictions and metrics are the same')
      };
    case 'within-tolerance':
      return {
        tone: 'good',
        title: trans.__('Reproduced within tolerance'),
        detail: trans.__('Numbers differ in their last digits alone')
      };
    default:
      return {
        tone: 'bad',
        title: trans.__(
          'It gives something else: %1 of %2 predictions as then',
          proof?.predictions_equal ?? 0,
          proof?.predictions ?? 0
        ),
        detail: cause?.text ?? null
      };
  }
}

/** The stages that need not run again, if there are any. */
function restoredStages(
  result: NonNullable<IJob['result']>,
  trans: TranslationBundle
): string[] {
  const stages = (result['stages'] ?? []) as {
    role: string;
    restored: boolean;
  }[];
  const restored = stages.filter(stage => stage.restored);
  const cells = (result['not_run'] ?? []) as number[];
  return [
    ...(restored.length > 0
      ? [trans.__('restored: %1', restored.map(stage => stage.role).join(', '))]
      : []),
    ...(cells.length > 0
      ? [trans.__('changed, but not run: cell %1', cells.join(', '))]
      : [])
  ];
}

function doneOutcome(
  job: IJob,
  trans: TranslationBundle
): { tone: Tone; title: string; detail: string | null } {
  const result = job.result ?? {};
  if (job.kind === 'reproduce') {
    return reproducedOutcome(result, trans);
  }
  if (job.kind === 'gather') {
    const items = Array.isArray(result['items']) ? result['items'] : [];
    return {
      tone: 'good',
      title: trans._n(
        'Gathered evidence of %1 item',
        'Gathered evidence of %1 items',
        items.length
      ),
      detail: items.length > 0 ? items.join(', ') : null
    };
  }
  const refusals = Array.isArray(result['refusals']) ? result['refusals'] : [];
  if (refusals.length > 0) {
    return {
      tone: 'bad',
      title: trans._n(
        '%1 step can’t be served',
        '%1 steps can’t be served',
        refusals.length
      ),
      detail: trans.__('Nothing was written; the cells are marked.')
    };
  }
  const version =
    typeof result['version'] === 'number' ? `v${result['version']}` : '';
  const proof = (result['verify'] ??
    (job.kind === 'verify' ? result : null)) as {
    status?: string;
    rows?: number;
    rows_equal?: number;
  } | null;
  if (proof?.status) {
    const good = proof.status === 'proven' || proof.status === 'observed';
    return {
      tone: good ? 'good' : 'bad',
      title: `${version} ${proofLabel(proof.status, trans)}`.trim(),
      detail: [
        trans.__(
          '%1 of %2 rows are equal',
          proof.rows_equal ?? 0,
          proof.rows ?? 0
        ),
        ...restoredStages(result, trans)
      ].join(' · ')
    };
  }
  return {
    tone: 'good',
    title: version ? trans.__('Wrote %1', version) : trans.__('Done'),
    detail: null
  };
}
