import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { ROOT } from '../../runtime/root.ts';
import { openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { Office } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';

/** The program as shipped: bundled, in a process of its own, at a real terminal where it insists on one. */
const program = join(ROOT, 'dist', 'support-relay.js');

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
});
afterAll(() => dir.remove());

type Ended = { code: number | null; out: Buffer; err: string };

function start(argv: readonly string[], stdin = '', file = program, command = process.execPath): Promise<Ended> {
  const child = spawn(command, file === '' ? argv : [file, ...argv]);
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out: Buffer.concat(out), err })));
}

test('seal and open work through pipes', async () => {
  const sealed = await start(['seal', '--keyring', office.keyring.file, '--root-key', office.rootPublicKey], 'Помогите');
  expect(sealed.code, sealed.err).toBe(EXIT.ok);
  expect(sealed.out.length).toBe(PARCEL_BYTES);
  const letter = await writeTo(dir.path('letter.age'), office.letter({ message: 'из письма' }));
  const opened = await start(['open', '--identity', office.identity, letter]);
  expect(opened.code, opened.err).toBe(EXIT.ok);
  expect(opened.out.toString()).toContain('    из письма\n');
});

test('failures end with their code and one line', async () => {
  const { code, err, out } = await start(['open', '--identity', dir.path('nobody.txt'), '-']);
  expect(code).toBe(EXIT.input);
  expect(err).toMatch(/^support-relay: [^\n]+\(INPUT_MISSING\)\n$/);
  expect(out.length).toBe(0);
});

describe('output that cannot be written', () => {
  /** Runs a whole shell line. Returns the exit code of the program in it. */
  async function shell(line: string): Promise<{ shown: string; code: number }> {
    const file = dir.path('exit-code');
    const { out, err } = await start(
      ['-c', line.replace('PROGRAM', `{ ${process.execPath} ${program}`).replace('END', `; echo $? > ${file}; }`)],
      '',
      '',
      '/bin/sh',
    );
    return { shown: `${out.toString()}${err}`, code: Number(await readFile(file, 'utf8')) };
  }
  const OUT = /^support-relay: standard output cannot be written: .+ \(OUTPUT_LOST\)\n$/;
  const ERR = /^support-relay: standard error cannot be written: .+ \(OUTPUT_LOST\)\n$/;

  test.each<readonly [string, string, number, RegExp]>([
    ['stdout on a full disk', 'PROGRAM --help > /dev/full END', EXIT.outputLost, OUT],
    ['stdout without a reader', '(PROGRAM --help END) | true', EXIT.outputLost, OUT],
    ['stderr on a full disk: the failure keeps its code', 'PROGRAM open letter 2> /dev/full END', EXIT.usage, ERR],
    ['both on a full disk', 'PROGRAM --help > /dev/full 2>&1 END', EXIT.outputLost, /^$/],
    ['both without a reader', '(PROGRAM open letter 2>&1 END) | true', EXIT.usage, /^$/],
    ['both closed', 'PROGRAM open letter >&- 2>&- END', EXIT.usage, /^$/],
  ])('%s', async (_what, line, code, shown) => {
    expect(await shell(line)).toEqual({ code, shown: expect.stringMatching(shown) as unknown });
  });

  test('a file of which only the beginning could be written', async () => {
    const short = dir.path('short');
    expect(await shell(`ulimit -f 1; PROGRAM --help > ${short} END`)).toEqual({
      code: EXIT.outputLost,
      shown: expect.stringMatching(OUT) as unknown,
    });
    expect((await readFile(short)).length).toBe(512);
  });

  test('output meant for a program is not spoiled', async () => {
    const seal = `seal --keyring ${office.keyring.file} --root-key ${office.rootPublicKey}`;
    const parcel = dir.path('unspoiled');
    expect(await shell(`echo text | PROGRAM ${seal} > ${parcel} 2> /dev/full END`)).toEqual({ code: EXIT.outputLost, shown: '' });
    expect((await readFile(parcel)).length).toBe(PARCEL_BYTES);
  });
});

test('a reader that closes the pipe early is no failure', async () => {
  const { code, output } = await atTerminal(`sh -c '${process.execPath} ${program} --help | head -1; echo done'`, []);
  expect(code).toBe(0);
  expect(output).toMatch(/^support-relay: keys[^\n]*\r\ndone\r\n$/);
});

test('a passphrase is asked for at the terminal, twice, and never shown', async () => {
  const file = dir.path('mine.age');
  const made = await atTerminal(`${process.execPath} ${program} keygen --passphrase --out ${file}`, [
    ['New passphrase', 'geheimerx\u007f ёжик'],
    ['again', 'geheimer ёжик'],
  ]);
  expect(made.code, made.output).toBe(EXIT.ok);
  expect(made.output).not.toContain('geheim');
  expect(made.output).toMatch(/age1pq1/);
  expect((await readFile(file)).subarray(0, 22).toString()).toBe('age-encryption.org/v1\n');

  const letter = await writeTo(dir.path('any.age'), office.letter());
  const opened = await atTerminal(`${process.execPath} ${program} open --identity ${file} ${letter}`, [['Passphrase', 'geheimer ёжик']]);
  expect(opened.code, opened.output).toBe(EXIT.notAuthentic);
  expect(opened.output).toContain('(AGE_NO_MATCH)');
  expect(opened.output).not.toContain('geheim');
});

test('Ctrl-C at a passphrase stops without writing a file', async () => {
  const file = dir.path('never.age');
  const { code, output } = await atTerminal(`${process.execPath} ${program} keygen --passphrase --out ${file}`, [
    ['New passphrase', 'abc\u0003'],
  ]);
  expect(code).toBe(EXIT.interrupted);
  expect(output).toContain('(INTERRUPTED)');
  await expect(readFile(file)).rejects.toThrow();
});

test('without the build tool the form cannot be built, and the command says so', async () => {
  const modules = join(ROOT, 'node_modules');
  await cp(join(ROOT, 'dist'), dir.path('elsewhere', 'dist'), { recursive: true });
  await mkdir(dir.path('elsewhere', 'node_modules'));
  for (const name of await readdir(modules))
    if (name !== 'esbuild') await symlink(join(modules, name), dir.path('elsewhere', 'node_modules', name));
  const argv = ['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', dir.path('web')];
  const { code, err } = await start(argv, '', dir.path('elsewhere', 'dist', 'support-relay.js'));
  expect(code).toBe(EXIT.unavailable);
  expect(err).toContain('(BUILD_TOOL_MISSING)');
});
