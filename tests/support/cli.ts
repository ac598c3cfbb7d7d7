import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOperatorPlaces } from '../../cli/config.ts';
import { createIdentityFile } from '../../cli/keys/identity.ts';
import { createKeyring } from '../../cli/keys/keyring.ts';
import type { NewKeyring } from '../../cli/keys/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/keys/root-key.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { runCommand } from '../../cli/run.ts';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { sealLetter } from '../../crypto/letter.ts';
import type { LetterContent } from '../../crypto/letter.ts';
import { readFile } from 'node:fs/promises';

export type CliInput = {
  stdin?: string | Uint8Array;
  /** Makes stdin and stdout terminals; `answers` are typed at each question, for a passphrase or otherwise. */
  terminal?: { answers: readonly string[] };
  now?: Date;
  /** The environment, of which only the operator's commands read something. */
  env?: Readonly<Record<string, string>>;
  language?: string;
  /** Work factor for the passphrase of a new key; the real program's when absent. */
  logN?: number;
  /** Replaces waiting; false means Ctrl-C. Without it the time to send comes at once, and nothing is retried. */
  pause?: (ms: number, why: 'moment' | 'again') => Promise<boolean>;
};

export type CliResult = { code: number; out: Uint8Array; text: string; err: string; asked: string[] };

/** Runs the real `support-relay` in this process, with captured input and output. */
export async function cli(argv: readonly string[], input: CliInput = {}): Promise<CliResult> {
  return captured((io) => runCommand(argv, io), input);
}

/** Runs a program in this process, with captured input and output. */
export async function captured(program: (io: Io) => Promise<number>, input: CliInput = {}): Promise<CliResult> {
  const out: Uint8Array[] = [];
  const asked: string[] = [];
  let err = '';
  const stdin = typeof input.stdin === 'string' ? new TextEncoder().encode(input.stdin) : (input.stdin ?? new Uint8Array());
  const answers = [...(input.terminal?.answers ?? [])];
  const ask = (prompt: string): Promise<string> => {
    asked.push(prompt);
    const answer = answers.shift();
    return answer === undefined ? Promise.reject(new Error(`nobody answers: ${prompt}`)) : Promise.resolve(answer);
  };
  const io: Io = {
    places: readOperatorPlaces(input.env ?? {}),
    stdinIsTerminal: input.terminal !== undefined,
    stdoutIsTerminal: input.terminal !== undefined,
    stderrIsTerminal: input.terminal !== undefined,
    language: input.language ?? 'en',
    columns: 100,
    ...(input.logN === undefined ? {} : { logN: input.logN }),
    readStdin: (limit) => Promise.resolve(stdin.length > limit ? null : stdin),
    out: (data) => void out.push(typeof data === 'string' ? new TextEncoder().encode(data) : data),
    err: (text) => void (err += text),
    isUnheard: () => false,
    askSecret: ask,
    ask,
    askText: () => ask('text'),
    now: () => input.now ?? new Date(),
    stoppable: (work) => work(new AbortController().signal),
    pause: input.pause ?? ((_ms, why) => Promise.resolve(why === 'moment')),
  };
  const code = await program(io);
  const bytes = new Uint8Array(Buffer.concat(out));
  return { code, out: bytes, text: new TextDecoder().decode(bytes), err, asked };
}

export async function temporaryDirectory(): Promise<{ path: (...parts: string[]) => string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'support-relay-cli-'));
  return { path: (...parts) => join(dir, ...parts), remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Of a team whose answers nobody checks: 64 hex digits that are nobody's key. */
export const NOBODY = '5a'.repeat(32);
export const TEAM = { id: '00112233aabbccdd', names: { ru: 'Психологи', en: 'Psychologists' } };
export const TOPIC = { id: 'psychological', names: { ru: 'Психологическая помощь', en: 'Psychological help' } };

export type Office = {
  rootKey: string;
  rootPublicKey: string;
  identity: string;
  recipient: string;
  worker: string;
  keyring: NewKeyring;
  letter: (content?: Partial<Extract<LetterContent, { kind: 'request' }>>) => Uint8Array;
};

/** Makes a root key, a volunteer, a worker and a signed keyring for this week, as the commands do. */
export async function openOffice(
  path: (...parts: string[]) => string,
  options: { serial?: number; from?: Date; signers?: string[] } = {},
): Promise<Office> {
  const { keyFile, publicKeyFile } = await createRootKey({ directory: path('root') });
  const identity = path('volunteer.txt');
  const { recipient } = await createIdentityFile({ file: identity });
  const worker = path('worker.txt');
  const workerRecipient = (await createIdentityFile({ file: worker })).recipient;
  const signingKey = await readRootKey(keyFile, () => Promise.reject(new Error('not protected')));
  const keyring = await createKeyring(
    {
      serial: options.serial ?? 1,
      from: options.from ?? new Date(Date.now() - 60_000),
      days: 7,
      worker: workerRecipient,
      teams: [{ ...TEAM, topics: [TOPIC], recipients: [recipient], signers: options.signers ?? [NOBODY] }],
    },
    signingKey,
    path('keyrings'),
  );
  const letter = (content: Partial<Extract<LetterContent, { kind: 'request' }>> = {}): Uint8Array =>
    sealLetter(
      {
        version: 1,
        kind: 'request',
        serial: keyring.keyring.serial,
        keyring: keyring.digest,
        topic: TOPIC.id,
        language: 'ru',
        message: 'Помогите',
        ...content,
      },
      [recipient],
    );
  return { rootKey: keyFile, rootPublicKey: publicKeyFile, identity, recipient, worker, keyring, letter };
}

export async function identitiesOf(file: string): Promise<string[]> {
  return parseIdentityFile(await readFile(file, 'utf8'));
}

export async function writeTo(file: string, content: string | Uint8Array): Promise<string> {
  await writeFile(file, content);
  return file;
}

/** The objects that a command with --json printed, one on each line. */
export const jsonLines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
