/**
 * The language of a notebook, from what names it.
 */

/** Names of languages that are Python's with something added, as the server has them. */
const DIALECTS = new Set(['py', 'sage', 'sagemath']);

/** Whether cells in this language are read as Python. */
export function isPython(language: string): boolean {
  const word = language.trim().toLowerCase();
  return word.includes('python') || DIALECTS.has(word);
}

/**
 * The language as it is written, or null where nothing tells.
 *
 * The kernel that runs goes before what the file says; where the file says two things, one of them Python, it is that.
 */
export function languageOf(
  kernel: unknown,
  inFile: readonly unknown[]
): string | null {
  const [running] = words([kernel]);
  const written = words(inFile);
  return running ?? written.find(isPython) ?? written[0] ?? null;
}

function words(named: readonly unknown[]): string[] {
  return named.filter(
    (word): word is string =>
      typeof word === 'string' && word.trim() !== '' && word !== 'plaintext'
  );
}
