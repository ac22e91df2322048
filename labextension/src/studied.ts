/**
 * Hands over each new study with the notebook that it speaks of.
 */
import type { IStudy } from './api';
import type { NbprodModel } from './model';

/** Told of a notebook's study, and which cell of it has which id; of null where there is nothing to be said. */
export type TellStudy = (
  notebook: object,
  study: IStudy | null,
  ids: readonly string[]
) => void;

/**
 * Call `tell` for each study that comes.
 *
 * A study of a text that was edited since is passed over: its lines are no longer those of the editors, and the
 * next study is under way.
 */
export function onStudy(model: NbprodModel, tell: TellStudy): void {
  let last: IStudy | null = null;
  model.stateChanged.connect((_, state) => {
    const notebook = model.source?.shared;
    if (!notebook) {
      return;
    }
    if (state.kind === 'other-language') {
      tell(notebook, null, []);
    } else if (
      state.kind === 'notebook' &&
      state.study !== last &&
      state.study !== null &&
      !state.isStale
    ) {
      last = state.study;
      tell(notebook, state.study, state.studiedIds);
    }
  });
}
