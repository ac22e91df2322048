/**
 * What a role is called, and what it means, in the reader's language.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Role } from './roles';

/** The name of a role: the tag itself, unless a language has a word for it. */
export function roleLabel(role: Role, trans: TranslationBundle): string {
  switch (role) {
    case 'parameters':
      return trans.__('parameters');
    case 'data':
      return trans.__('data');
    case 'features':
      return trans.__('features');
    case 'train':
      return trans.__('train');
    case 'evaluate':
      return trans.__('evaluate');
    case 'explore':
      return trans.__('explore');
  }
}

/** What a cell of this role does, as a tooltip says it. */
export function roleDescription(role: Role, trans: TranslationBundle): string {
  switch (role) {
    case 'parameters':
      return trans.__('Values that a run may set');
    case 'data':
      return trans.__('Loads the raw rows');
    case 'features':
      return trans.__(
        'Prepares what the model sees, in training and in serving'
      );
    case 'train':
      return trans.__('Fits the model');
    case 'evaluate':
      return trans.__('Measures the model');
    case 'explore':
      return trans.__('Is left out of the pipeline');
  }
}
