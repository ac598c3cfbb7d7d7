// Files as they are given: chosen, a folder, or dropped.
import { element } from '../page.ts';

export type Given = { readonly name: string; readonly file: File };

const DEPTH_MAX = 8;

async function inFolder(entry: FileSystemEntry, depth: number): Promise<Given[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ''), file }];
  }
  if (depth >= DEPTH_MAX) return [];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const given: Given[] = [];
  // It gives a part at a time; none is the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return given;
    for (const each of entries) given.push(...(await inFolder(each, depth + 1)));
  }
}

async function dropped(transfer: DataTransfer): Promise<Given[]> {
  // All at once: the list is empty as soon as the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const files = [...transfer.files];
  if (entries.every((entry) => entry === null)) return files.map((file) => ({ name: file.name, file }));
  return (await Promise.all(entries.map((entry) => (entry === null ? [] : inFolder(entry, 0))))).flat();
}

/** Calls `take` with whatever is given, hidden files left out. */
export function onFiles(take: (given: Promise<Given[]>) => void): void {
  const visibleOnes = (given: readonly Given[]): Given[] => given.filter(({ name }) => !/(^|\/)\.[^/]*$/.test(name));
  for (const id of ['files', 'folder']) {
    const input = element(id, HTMLInputElement);
    input.addEventListener('change', () => {
      const given = [...(input.files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
      // So that the same can be chosen again.
      input.value = '';
      take(Promise.resolve(visibleOnes(given)));
    });
  }
  const drop = element('drop', HTMLElement);
  // Anywhere on the page: beside the field the browser would open the file in the place of the desk.
  addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  addEventListener('dragleave', () => drop.classList.remove('over'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    if (event.dataTransfer !== null) take(dropped(event.dataTransfer).then(visibleOnes));
  });
}
