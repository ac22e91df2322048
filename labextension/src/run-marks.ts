/**
 * Which cell the work under way is at, and to which the last one leads.
 */
import type { IJob } from './api';

/** How a cell of the map stands to the work. */
export type RunMark = 'running' | 'failed';

/** A cell with a mark. */
export interface IMarkedCell {
  readonly id: string;
  readonly mark: RunMark;
}

/** A code cell, as the study counts them, and a line (from 1) where it is known. */
export interface IJobPlace {
  readonly cell: number;
  readonly line: number | null;
}

/** The place that work which has ended leads to: where it failed, or why a run gives something else than it gave. */
export function placeOf(job: IJob): IJobPlace | null {
  const where =
    job.state === 'failed'
      ? job.error?.where
      : (job.result?.['cause'] as Partial<IJobPlace> | null | undefined);
  return typeof where?.cell === 'number'
    ? { cell: where.cell, line: where.line ?? null }
    : null;
}

/** The cell that `job` is at or failed at, by the cells that the study numbers; null where there is none. */
export function markedCell(
  job: IJob | null,
  ids: readonly string[]
): IMarkedCell | null {
  if (job?.state === 'running') {
    return marked(ids, job.progress?.cell, 'running');
  }
  return job?.state === 'failed'
    ? marked(ids, placeOf(job)?.cell, 'failed')
    : null;
}

function marked(
  ids: readonly string[],
  cell: number | null | undefined,
  mark: RunMark
): IMarkedCell | null {
  const id = ids[cell ?? -1];
  return id === undefined ? null : { id, mark };
}
