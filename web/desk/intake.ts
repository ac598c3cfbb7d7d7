// Takes files as they are given: chosen, a chosen folder, or dropped.
import { element } from '../page/page.ts';
import { ReadingError } from './refusals.ts';

/** `file` is null for a folder that was dropped. */
export type Given = { readonly name: string; readonly file: File | null };

/** More than any message with letters has. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The bytes of what was given. Throws ReadingError: FILE_TOO_LARGE when there are more than 16 MiB, FILE_UNREADABLE when it was moved,
 * deleted or changed meanwhile, FOLDER_DROPPED when it is a folder.
 */
export async function readBytes(file: File | null): Promise<Uint8Array> {
  if (file === null) throw new ReadingError('FOLDER_DROPPED');
  if (file.size > FILE_BYTES_MAX) throw new ReadingError('FILE_TOO_LARGE');
  const bytes = await file.arrayBuffer().catch(() => null);
  if (bytes === null) throw new ReadingError('FILE_UNREADABLE');
  return new Uint8Array(bytes);
}

/**
 * Chromium does not let a page from disk look into a dropped folder, or silently leaves out names with a colon, such as those of a Maildir.
 * So a folder has to be chosen in its field, which gives everything.
 */
function dropped({ items }: DataTransfer): Given[] {
  return [...items].flatMap((item): Given[] => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory === true) return [{ name: entry.name, file: null }];
    return file === null ? [] : [{ name: file.name, file }];
  });
}

/** What was chosen in a field; in one for folders the name begins with the folder's. */
export function givenIn(input: HTMLInputElement): Given[] {
  return [...(input.files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** Calls `take` with whatever is given, except hidden files. */
export function onFiles(take: (given: readonly Given[]) => void): void {
  const visibleOnes = (given: readonly Given[]): Given[] => given.filter(({ name }) => !/(^|\/)\.[^/]*$/.test(name));
  for (const id of ['files', 'folder'] as const) {
    const input = element(id, HTMLInputElement);
    input.addEventListener('change', () => {
      const files = givenIn(input);
      const isMaildir = files.some(({ name }) => /^[^/]+\/(new|cur)\//.test(name));
      // In tmp/ messages are still being written; an empty file `maildirfolder` marks a subfolder.
      const isPassedOver = (name: string): boolean => (isMaildir && /^[^/]+\/tmp\//.test(name)) || /\/maildirfolder$/.test(name);
      const given = files.filter(({ name }) => !isPassedOver(name));
      // So that the same files can be chosen again.
      input.value = '';
      take(visibleOnes(given));
    });
  }
  const drop = element('drop', HTMLElement);
  // Anywhere on the page: outside the field the browser would open the file in place of the desk.
  addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  addEventListener('dragleave', () => drop.classList.remove('over'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    if (event.dataTransfer !== null) take(visibleOnes(dropped(event.dataTransfer)));
  });
}
