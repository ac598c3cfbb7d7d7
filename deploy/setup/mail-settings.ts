// Settings of mail: from a file that somebody gives, or asked for at the terminal. Passwords go into files of their own.
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

/** Where things of this mail are kept: `inbox-1`, or `administrator`. */
export type MailPlace = Readonly<{ layout: Layout; host: Host; name: string }>;

const settingsFile = z.looseObject({ passwordFile: z.string().optional(), caFile: z.string().optional() });

/** Reads a file of settings; the password and certificates that it names are copied, for the worker to see. */
export async function mailFromFile(file: string, place: MailPlace): Promise<MailSettings> {
  const text = await readInputText(file, 'the mail settings');
  let settings: z.output<typeof settingsFile>;
  try {
    settings = settingsFile.parse(JSON.parse(text));
  } catch {
    throw new CliError('INPUT_FORMAT', `${file} is not valid JSON, or no object of settings`, 'see --help for an example');
  }
  const { passwordFile, caFile, ...rest } = settings;
  const beside = (name: string): string => resolve(dirname(file), name);
  return {
    ...rest,
    ...(passwordFile === undefined
      ? {}
      : { passwordFile: await keepPassword(place, (await readInputText(beside(passwordFile), 'the password')).trim()) }),
    ...(caFile === undefined ? {} : { caFile: await keep(place, 'ca.pem', await readInput(beside(caFile), 'the certificates')) }),
  };
}

const PORTS: Readonly<Record<number, 'implicit' | 'starttls'>> = { 465: 'implicit', 587: 'starttls' };

/** Asks for the way to an address. @param known answers from before, which are offered again */
export async function askForMail(to: string, place: MailPlace, io: Io, known: MailSettings | null): Promise<MailSettings> {
  const host = await answered(io, 'Mail server that takes our mail (as mail.example.org)', text(known?.['host']));
  const port = Number(await answered(io, 'Its port', text(known?.['port']) || '465'));
  const user = await io.ask(`User name there [${text(known?.['user']) || 'none: it asks for no password'}]: `);
  const name = user.trim() === '' ? text(known?.['user']) : user.trim();
  const from = await answered(io, 'Sender of the mail', text(known?.['from']) || (name.includes('@') ? name : ''));
  const server = { host, port, tls: PORTS[port] ?? 'starttls', from, to };
  if (name === '') return server;
  if (known?.['user'] === name && known['passwordFile'] !== undefined)
    return { ...server, user: name, passwordFile: known['passwordFile'] };
  const password = await io.askSecret(`Password of ${name} (it is not shown): `);
  return { ...server, user: name, passwordFile: await keepPassword(place, password) };
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

const keepPassword = (place: MailPlace, password: string): Promise<string> => keep(place, 'password', `${password}\n`);

async function keep({ layout, host, name }: MailPlace, ending: string, content: string | Uint8Array): Promise<string> {
  const file = `${name}.${ending}`;
  await replaceFile(join(layout.mail, file), content, 0o600);
  return host.mailFile(layout, file);
}
