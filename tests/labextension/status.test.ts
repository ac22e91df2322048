import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { textOf } from '../../labextension/src/status-item';
import { studyOf } from './studies';

const trans = nullTranslator.load('nbprod');

describe('the status bar', () => {
  it('says version, verdict and number of findings', () => {
    expect(textOf(studyOf({ version: 3 }), 2, trans)).toBe(
      'a · Diverges from v3 · 2 findings'
    );
  });

  it('says nothing of findings where there are none', () => {
    expect(textOf(studyOf({ version: 3 }), 0, trans)).toBe(
      'a · Diverges from v3'
    );
  });

  it('says that the notebook was not checked yet', () => {
    expect(textOf(null, 0, trans)).toBe('nbprod: not checked');
  });
});
