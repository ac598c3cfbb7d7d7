// What becomes of an answer that is not accepted at once, or whose program ends: with --keep, without it, and at a terminal.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { Thread } from '../../crypto/thread.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';
import { startVolunteer, type Volunteer } from '../support/volunteer.ts';
import { startSilent, wayToRelay } from '../support/way-to-relay.ts';

const PROGRAM = join(ROOT, 'dist', 'support-relay.js');

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let anna: Volunteer;
let runs = 0;
beforeAll(async () => {
  dir = await temporaryDirectory();
  anna = await startVolunteer();
});
// A command opens every letter of the inbox, so letters of other cases must be gone.
beforeEach(() => anna.deployment.empty());
afterAll(async () => {
  await anna.stop();
  await dir.remove();
});

/** Runs the command in its own process, in an empty folder that is also its TMPDIR. */
async function answer(thread: Thread, where: readonly string[], text: string): Promise<{ child: ChildProcess; folder: string }> {
  const folder = dir.path(`run-${String((runs += 1))}`);
  await mkdir(folder);
  const child = spawn(process.execPath, [PROGRAM, ...anna.words(['reply', '--at-once'], thread, where)], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin?.end(text);
  return { child, folder };
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** What an answer led to, once all of it has arrived. */
async function outcome(thread: Thread): Promise<{ replies: string[]; notes: string[] }> {
  await anna.deployment.untilAllArrived();
  return { replies: await anna.repliesTo(thread), notes: (await anna.notesOf(thread)).map(({ text }) => text) };
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).then((names) => names.sort());

describe('with --keep', () => {
  test('killed while the relay does not answer: both parcels are on disk, and once sent from there they arrive once', async () => {
    const thread = await anna.requester('Первая');
    const keep = dir.path('silent');
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    const silent = await startSilent(asked);
    const { child, folder } = await answer(thread, ['--relay', silent.url, '--keep', keep], 'Час работы');
    await reached;
    await killed(child);
    silent.stop();
    expect([await namesIn(keep), await namesIn(folder)]).toEqual([['01.txt', '02.txt'], []]);
    for (const name of await namesIn(keep)) expect((await stat(join(keep, name))).mode & 0o777).toBe(0o600);
    expect((await cli(['send', keep, '--relay', anna.relay])).code).toBe(EXIT.ok);
    expect(await outcome(thread)).toEqual({ replies: ['Час работы'], notes: ['Час работы'] });
  });

  test('killed after the relay took the reply but before it answered: sent again from the files, it arrives once', async () => {
    const thread = await anna.requester('Вторая');
    const keep = dir.path('taken');
    let tell: (taken: boolean) => void = () => undefined;
    const reached = new Promise<boolean>((resolve) => (tell = resolve));
    const way = await wayToRelay(anna.relay, (_nth, taken) => {
      tell(taken);
    });
    const { child } = await answer(thread, ['--relay', way.url, '--keep', keep], 'Дважды');
    expect(await reached).toBe(true);
    await killed(child);
    way.stop();
    expect(await namesIn(keep)).toEqual(['01.txt', '02.txt']);
    expect((await outcome(thread)).replies).toEqual(['Дважды']);
    expect((await cli(['send', keep, '--relay', anna.relay])).code).toBe(EXIT.ok);
    expect(await outcome(thread)).toEqual({ replies: ['Дважды'], notes: ['Дважды'] });
  });

  test('each file is removed when its parcel is accepted, the reply’s first: what is left can be sent', async () => {
    const thread = await anna.requester('Третья');
    const keep = dir.path('half');
    const way = await wayToRelay(anna.relay, (nth, _taken, response, pass) => {
      if (nth === 1) pass();
      else response.destroy();
    });
    const { code, err } = await anna.answering(['reply'], thread, ['--relay', way.url, '--keep', keep], { stdin: 'Половина' });
    way.stop();
    expect([code, err]).toEqual([EXIT.unavailable, expect.stringMatching(/^Accepted\. Sealed letter 1 of 2 .*\n[^]*NOT SENT: 1 of 2/m)]);
    const left = await namesIn(keep);
    expect(left).toHaveLength(1);
    expect((await outcome(thread)).replies).toEqual(['Половина']);
    expect((await cli(['send', keep, '--relay', anna.relay])).code).toBe(EXIT.ok);
    expect(await outcome(thread)).toEqual({ replies: ['Половина'], notes: ['Половина'] });
  });

  test.each([
    ['reply', 2],
    ['claim', 1],
    ['handover', 1],
  ])('%s: nothing is left once everything is accepted', async (command, parcels) => {
    const thread = await anna.requester(command);
    const keep = dir.path(`all of ${command}`);
    const seen: string[][] = [];
    const way = await wayToRelay(anna.relay, (_nth, _taken, _response, pass) =>
      namesIn(keep)
        .then((names) => seen.push(names))
        .then(pass),
    );
    const argv = command === 'handover' ? [command, '--to', 'Борис'] : [command];
    const { code, text } = await anna.answering(argv, thread, ['--relay', way.url, '--keep', keep], { stdin: 'Всё' });
    way.stop();
    expect([code, text, await namesIn(keep)]).toEqual([EXIT.ok, 'Sent.\n', []]);
    expect(seen.map(({ length }) => length)).toEqual(Array.from({ length: parcels }, (_, i) => parcels - i));
  });

  test('a file that cannot be removed is reported, and holds up nothing', async () => {
    const thread = await anna.requester('Убрали');
    const keep = dir.path('gone');
    const way = await wayToRelay(anna.relay, (_nth, _taken, _response, pass) => rm(keep, { recursive: true, force: true }).then(pass));
    const { code, err } = await anna.answering(['claim'], thread, ['--relay', way.url, '--keep', keep]);
    way.stop();
    expect([code, err]).toEqual([EXIT.ok, expect.stringMatching(/01\.txt was accepted and cannot be removed: it does not exist/)]);
  });

  test('a folder that cannot be written to: nothing is sent', async () => {
    const thread = await anna.requester('Некуда');
    const file = await writeTo(dir.path('a file'), '');
    const { code, err } = await anna.answering(['reply'], thread, ['--relay', anna.relay, '--keep', join(file, 'in it')], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.output, expect.stringContaining('(OUTPUT_FAILED)')]);
    expect(await outcome(thread)).toEqual({ replies: [], notes: [] });
  });
});

test('without --keep nothing is on disk while an answer is sent', async () => {
  const thread = await anna.requester('Без следа');
  let asked: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (asked = resolve));
  const silent = await startSilent(asked);
  const { child, folder } = await answer(thread, ['--relay', silent.url], 'Только в памяти');
  await reached;
  expect(await namesIn(folder)).toEqual([]);
  await killed(child);
  silent.stop();
  expect(await namesIn(folder)).toEqual([]);
});

test('without --keep, when only the note is missing, the volunteer is not led to answer again', async () => {
  const thread = await anna.requester('Наполовину');
  const way = await wayToRelay(anna.relay, (nth, _taken, response, pass) => {
    if (nth === 1) pass();
    else response.destroy();
  });
  const { code, err } = await anna.answering(['reply'], thread, ['--relay', way.url], { stdin: 'Один раз' });
  way.stop();
  expect([code, err]).toEqual([
    EXIT.unavailable,
    expect.stringMatching(/NOT SENT: 1 of 2\.\nThe answer is on its way, .*do not answer again, but run support-relay claim/),
  ]);
  expect(err).not.toContain('with the same text');
  expect((await anna.answering(['claim'], thread, ['--relay', anna.relay])).code).toBe(EXIT.ok);
  expect((await outcome(thread)).replies).toEqual(['Один раз']);
});

test('without --keep, when the relay may have the answer after all, a message says that it may arrive twice', async () => {
  const thread = await anna.requester('Неизвестно');
  const way = await wayToRelay(anna.relay, (_nth, _taken, response) => response.destroy());
  const { code, err } = await anna.answering(['reply'], thread, ['--relay', way.url], { stdin: 'Дошло ли?' });
  way.stop();
  expect([code, err]).toEqual([
    EXIT.unavailable,
    expect.stringMatching(
      new RegExp(
        'NOT SENT: 2 of 2\\.\\nNothing was kept, and the relay may have it all the same: run this again .*; ' +
          'then it may arrive twice\\. With --keep',
      ),
    ),
  ]);
  expect((await outcome(thread)).replies).toEqual(['Дошло ли?']);
});

test('nor does a folder that cannot be written to lead to a second answer', async () => {
  const thread = await anna.requester('Некуда записать');
  const way = await wayToRelay(anna.relay, (nth, _taken, response, pass) => {
    if (nth === 1) pass();
    else response.destroy();
  });
  const answers = ['typed', 'y', join(await writeTo(dir.path('no folder either'), ''), 'in it'), ''];
  const { code, err } = await anna.answering(['reply'], thread, ['--relay', way.url], { terminal: { answers } });
  way.stop();
  expect([code, err]).toEqual([
    EXIT.unavailable,
    expect.stringMatching(/\(OUTPUT_FAILED\)\nThe answer is on its way, .*do not answer again/),
  ]);
});

describe('at a terminal', () => {
  const quoted = (words: readonly string[]): string => [process.execPath, PROGRAM, ...words].map((word) => `'${word}'`).join(' ');

  test('Ctrl-C while sending: a folder is asked for, and what is kept there can be sent', async () => {
    const thread = await anna.requester('Прервано');
    const keep = dir.path('interrupted');
    const silent = await startSilent(() => undefined);
    const { code, output } = await atTerminal(quoted(anna.words(['reply'], thread, ['--relay', silent.url])), [
      ['Ctrl-D', 'typed\r\u0004'],
      ['Send? [y/N]', 'y'],
      ['Sending (Ctrl-C', '\u0003'],
      ['Folder to keep', keep],
    ]);
    silent.stop();
    expect([code, output]).toEqual([EXIT.unavailable, expect.stringContaining('NOT SENT: 2 of 2')]);
    expect((await cli(['send', keep, '--relay', anna.relay])).code).toBe(EXIT.ok);
    expect(await outcome(thread)).toEqual({ replies: ['typed'], notes: ['typed'] });
  });

  test('Ctrl-C at that question keeps nothing and says so', async () => {
    const thread = await anna.requester('Дважды прервано');
    const { code, output } = await atTerminal(quoted(anna.words(['claim'], thread, ['--relay', `unix:${dir.path('none.sock')}`])), [
      ['A few words', ''],
      ['Send? [y/N]', 'y'],
      ['trying again', '\u0003'],
      ['Folder to keep', '\u0003'],
    ]);
    expect([code, output]).toEqual([EXIT.unavailable, expect.stringContaining('Nothing was kept')]);
  });

  test('a folder that cannot be written to: another is asked for, in which ~ is the home folder', async () => {
    const thread = await anna.requester('Домой');
    vi.stubEnv('HOME', dir.path('home'));
    try {
      const out = join(await writeTo(dir.path('no folder'), ''), 'in it');
      const { code, asked } = await anna.answering(['reply'], thread, ['--out', out], {
        terminal: { answers: ['typed', 'y', out, '~/kept'] },
      });
      expect([code, asked.slice(2)]).toEqual([
        EXIT.ok,
        [expect.stringContaining('Folder to keep'), expect.stringContaining('Folder to keep')],
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await namesIn(dir.path('home', 'kept'))).toEqual(['01.txt', '02.txt']);
  });
});
