import { describe, expect, it } from 'vitest';

import { isPython, languageOf } from '../../labextension/src/language';

describe('the language of a notebook', () => {
  it.each([
    ['the kernel that runs', 'R', ['python'], 'R'],
    ['the file, where no kernel runs', undefined, ['R', 'R'], 'R'],
    ['Python, where the file says two things', null, ['R', 'python'], 'python'],
    ['nothing, where nothing is said', undefined, [undefined, ''], null],
    ['nothing of what is no word', undefined, [3, 'plaintext'], null]
  ])('is what is said by %s', (_, kernel, inFile, language) => {
    expect(languageOf(kernel, inFile)).toBe(language);
  });

  it.each(['python', 'Python', 'ipython3', 'sage'])('is Python: %s', name => {
    expect(isPython(name)).toBe(true);
  });

  it.each(['R', 'bash', 'julia', 'pyret'])('is not Python: %s', name => {
    expect(isPython(name)).toBe(false);
  });
});
