/**
 * Which cell the work under way is at, and at which the last one failed.
 */
import type { IJob } from './api';

/** How a cell of the map stands to the work. */
export type RunMark = 'running' | 'failed';

/** A cell with a mark; `line` (from 1) is that of the failure, where it is known. */
export interface IMarkedCell {
  readonly id: string;
  readonly mark: RunMark;
  readonly line: number | null;
}

/** The cell that `job` is at or failed at, by the cells that the study numbers; null where there is none. */
export function markedCell(
  job: IJob | null,
  ids: readonly string[]
): IMarkedCell | null {
  if (job?.state === 'running') {
    return marked(ids, job.progress?.cell, 'running', null);
  }
  if (job?.state === 'failed') {
    const where = job.error?.where;
    return marked(ids, where?.cell, 'failed', where?.line ?? null);
  }
  return null;
}

function marked(
  ids: readonly string[],
  cell: number | null | undefined,
  mark: RunMark,
  line: number | null
): IMarkedCell | null {
  const id = ids[cell ?? -1];
  return id === undefined ? null : { id, mark, line };
}
