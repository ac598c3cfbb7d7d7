// Settings of mail: from a file that somebody gives, or asked for at the terminal. Passwords go into files of their own.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { CliError } from '../../cli/errors.ts';
import { readInput, readInputText } from '../../cli/files.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { administratorSchema } from '../../worker/administrator.ts';
import { replaceFile } from '../state/folders.ts';
import type { Host } from '../state/hosts.ts';
import type { Layout } from '../state/layout.ts';

/** As in inboxes.json, without what says which inbox it is. */
export type MailSettings = Readonly<Record<string, unknown>>;

/** Settings, and the files that they name, by their names in `worker/mail`. Nothing of it is written yet. */
export type MailAccess = { readonly settings: MailSettings; readonly files: Readonly<Record<string, string | Uint8Array>> };

/** Where things of this mail are kept: `inbox-1`, or `administrator`. */
export type MailPlace = Readonly<{ layout: Layout; host: Host; name: string }>;

const settingsFile = z.looseObject({ passwordFile: z.string().optional(), caFile: z.string().optional() });

/** Reads a file of settings; the password and certificates that it names are to be copied, for the worker to see. */
export async function mailFromFile(file: string, place: MailPlace): Promise<MailAccess> {
  if (file.includes('@') && !existsSync(file)) {
    const what = `${file} is an address, and an option takes a file of settings, or "maildir"`;
    throw new CliError(
      'INPUT_FORMAT',
      what,
      'run it at a terminal without that option, and it asks for all of it; or see --help for an example of a file',
    );
  }
  const text = await readInputText(file, 'the mail settings');
  let settings: z.output<typeof settingsFile>;
  try {
    settings = settingsFile.parse(JSON.parse(text));
  } catch {
    throw new CliError('INPUT_FORMAT', `${file} is not valid JSON, or no object of settings`, 'see --help for an example');
  }
  const { passwordFile, caFile, ...rest } = settings;
  const beside = (name: string): string => resolve(dirname(file), name);
  const mail: MailAccess = { settings: rest, files: {} };
  const withPassword =
    passwordFile === undefined ? mail : addPassword(mail, (await readInputText(beside(passwordFile), 'the password')).trim(), place);
  if (caFile === undefined) return withPassword;
  return addFile(withPassword, 'caFile', { ending: 'ca.pem', content: await readInput(beside(caFile), 'the certificates') }, place);
}

const PORTS: Readonly<Record<number, 'implicit' | 'starttls'>> = { 465: 'implicit', 587: 'starttls' };

/** Asks for the way to an address. @param known answers from before, which are offered again */
export async function askForMail(to: string, place: MailPlace, io: Io, known: MailSettings | null): Promise<MailAccess> {
  const host = await answered(io, 'Mail server that takes our mail (as mail.example.org)', text(known?.['host']));
  const port = Number(await answered(io, 'Its port', text(known?.['port']) || '465'));
  const user = await io.ask(`User name there [${text(known?.['user']) || 'none: it asks for no password'}]: `);
  const name = user.trim() === '' ? text(known?.['user']) : user.trim();
  const from = await answered(io, 'Sender of the mail', text(known?.['from']) || (name.includes('@') ? name : ''));
  const server = { host, port, tls: PORTS[port] ?? 'starttls', from, to };
  if (name === '') return { settings: server, files: {} };
  const settings = { ...server, user: name };
  if (known?.['user'] === name && known['passwordFile'] !== undefined) {
    return { settings: { ...settings, passwordFile: known['passwordFile'] }, files: {} };
  }
  return addPassword({ settings, files: {} }, await io.askSecret(`Password of ${name} (it is not shown): `), place);
}

/** Throws INPUT_FORMAT, with each problem by its field. */
export function insistOnMail(settings: MailSettings, what: string): void {
  const result = administratorSchema.safeParse(settings);
  if (result.success) return;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new CliError('INPUT_FORMAT', `${what} cannot be used: ${problems}`, 'mend it and run this again');
}

async function answered(io: Io, question: string, usual: string): Promise<string> {
  // Not for ever: a terminal that is gone answers nothing, at once.
  for (let attempts = 0; attempts < 3; attempts++) {
    const answer = (await io.ask(`${question}${usual === '' ? '' : ` [${usual}]`}: `)).trim();
    if (answer !== '' || usual !== '') return answer === '' ? usual : answer;
  }
  throw new CliError('INPUT_EMPTY', `nothing was answered to "${question}"`, 'run this again when you know it');
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** Throws INPUT_FORMAT for what is no password: an empty file, or another file that was named by mistake. */
function addPassword(mail: MailAccess, password: string, place: MailPlace): MailAccess {
  if (!/^[^\n\0]{1,256}$/.test(password)) {
    throw new CliError(
      'INPUT_FORMAT',
      'the password for mail must be one line of 1 to 256 letters',
      'see which file it is in; nothing was changed',
    );
  }
  return addFile(mail, 'passwordFile', { ending: 'password', content: `${password}\n` }, place);
}

type Kept = { readonly ending: string; readonly content: string | Uint8Array };

function addFile({ settings, files }: MailAccess, field: string, { ending, content }: Kept, { layout, host, name }: MailPlace): MailAccess {
  const file = `${name}.${ending}`;
  return { settings: { ...settings, [field]: host.mailFile(layout, file) }, files: { ...files, [file]: content } };
}

/** Writes the files of a mail. @returns whether one of them was not there already */
export async function keepFiles({ files }: MailAccess, layout: Layout): Promise<boolean> {
  let isNew = false;
  for (const [name, content] of Object.entries(files)) isNew = (await replaceFile(join(layout.mail, name), content, 0o600)) || isNew;
  return isNew;
}
