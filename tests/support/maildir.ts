import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import PostalMime from 'postal-mime';

export type MaildirFile = { name: string; mail: Uint8Array };

/** Paths of a Maildir's messages, read or not. Those in tmp/ are not delivered yet. */
export async function maildirPaths(path: string): Promise<string[]> {
  const folders = ['new', 'cur'].map((folder) => join(path, folder));
  const names = await Promise.all(folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))));
  return names.flat();
}

/** Every message of a Maildir. */
export async function readMaildir(path: string): Promise<MaildirFile[]> {
  const found: MaildirFile[] = [];
  for (const file of await maildirPaths(path)) found.push({ name: basename(file), mail: new Uint8Array(await readFile(file)) });
  return found;
}

/** The letters attached to a message, as age files. */
export async function attachedLetters(mail: Uint8Array): Promise<Uint8Array[]> {
  const { attachments } = await PostalMime.parse(mail, { attachmentEncoding: 'arraybuffer' });
  return attachments
    .filter(({ filename }) => filename?.endsWith('.age'))
    .map(({ content }) => {
      if (!(content instanceof ArrayBuffer)) throw new Error('an attachment is not bytes');
      return new Uint8Array(content);
    });
}
