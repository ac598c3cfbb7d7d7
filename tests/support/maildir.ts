import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';

export type MaildirFile = { name: string; mail: Uint8Array };

/** Every message of a Maildir, read or not. What is still in tmp/ has not been delivered. */
export async function readMaildir(path: string): Promise<MaildirFile[]> {
  const found: MaildirFile[] = [];
  for (const folder of ['new', 'cur']) {
    for (const name of await readdir(join(path, folder))) {
      found.push({ name, mail: new Uint8Array(await readFile(join(path, folder, name))) });
    }
  }
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
