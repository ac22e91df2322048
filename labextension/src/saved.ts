/**
 * What is worked on is the file: an editor's text is saved first.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';

/** Save a notebook whose text is another than its file's, where it may be written; false where it was not saved. */
export async function isSaved(panel: NotebookPanel | null): Promise<boolean> {
  const context = panel?.context;
  if (context?.model.dirty && context.contentsModel?.writable !== false) {
    try {
      await context.save();
    } catch {
      return false; // JupyterLab has told why, or was told not to.
    }
  }
  return true;
}
