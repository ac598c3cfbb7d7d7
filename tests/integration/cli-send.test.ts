// Where a volunteer's answers go: through a real relay to person and team, nowhere while it is away, and nowhere else.
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli, temporaryDirectory, writeTo, type CliResult } from '../support/cli.ts';
import { closedPort } from '../support/smtp.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';
import { startVolunteer, type Volunteer } from '../support/volunteer.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let anna: Volunteer;
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

const portOf = (url: string): number => Number(new URL(url).port);

describe('through a real relay', () => {
  test('a reply reaches the mailbox of its person, and the team has a copy', async () => {
    const thread = await anna.requester('Мне нужен юрист');
    const { code, text, err } = await anna.answering(['reply'], thread, ['--relay', anna.relay], { stdin: 'Юрист свободен завтра.' });
    expect([code, text], err).toEqual([EXIT.ok, 'Sent.\n']);
    expect(err).toMatch(/^Accepted\. Sealed letter 1 of 2 .*\nAccepted\. Sealed letter 2 of 2 /m);
    expect(err).not.toContain('завтра');
    await expect.poll(() => anna.repliesTo(thread)).toEqual(['Юрист свободен завтра.']);
    await expect.poll(() => anna.notesOf(thread)).toMatchObject([{ action: 'answer', alias: 'Анна', text: 'Юрист свободен завтра.' }]);
    expect(await anna.deployment.logs()).not.toContain('завтра');
  });

  test('even if the output cannot be written, the person has the answer and the team knows', async () => {
    const thread = await anna.requester('Без вывода');
    const text = await writeTo(dir.path('text'), 'Ответ без вывода');
    const argv = anna
      .words(['reply', '--at-once', '--file', text], thread, ['--relay', anna.relay])
      .map((word) => `'${word}'`)
      .join(' ');
    const program = `'${process.execPath}' '${join(ROOT, 'dist', 'support-relay.js')}'`;
    const code = dir.path('exit-code');
    execFileSync('sh', ['-c', `{ ${program} ${argv} 2>&1; echo $? > '${code}'; } | true`]);
    expect(Number(await readFile(code, 'utf8'))).toBe(EXIT.outputLost);
    await expect.poll(() => anna.repliesTo(thread)).toEqual(['Ответ без вывода']);
    await expect.poll(() => anna.notesOf(thread)).toHaveLength(1);
  });

  test('a claim and a handover reach the team and nobody else', async () => {
    const thread = await anna.requester('Кто-нибудь');
    const claimed = await anna.answering(['claim', '--json'], thread, ['--relay', anna.relay]);
    expect([claimed.code, JSON.parse(claimed.text)]).toEqual([
      EXIT.ok,
      { conversation: thread.address.key.slice(0, 8), sent: 1, unsent: 0, files: [] },
    ]);
    await expect.poll(() => anna.notesOf(thread)).toMatchObject([{ action: 'claim' }]);
    expect((await anna.answering(['handover', '--to', 'Борис'], thread, ['--relay', anna.relay])).code).toBe(EXIT.ok);
    await expect
      .poll(async () => (await anna.notesOf(thread)).find(({ action }) => action === 'handover'))
      .toMatchObject({ alias: 'Анна', to: 'Борис' });
    expect(await anna.repliesTo(thread)).toEqual([]);
  });

  test('written to files, then sent twice by somebody else, an answer arrives once', async () => {
    const thread = await anna.requester('Позже');
    const out = dir.path('later');
    expect((await anna.answering(['reply'], thread, ['--out', out], { stdin: 'Позже отвечу' })).code).toBe(EXIT.ok);
    expect(await readdir(out)).toHaveLength(2);
    for (let time = 0; time < 2; time += 1) {
      const { code, text } = await cli(['send', out, '--relay', anna.relay]);
      expect([code, text.match(/0[12]\.txt, parcel 1: accepted/g)]).toEqual([EXIT.ok, expect.any(Array)]);
      expect(text.trim().split('\n')).toHaveLength(2);
    }
    await expect.poll(() => anna.repliesTo(thread)).toEqual(['Позже отвечу']);
    await expect.poll(() => anna.notesOf(thread)).toHaveLength(1);
  });

  test('through a SOCKS proxy, which resolves the name; each parcel has circuits of its own', async () => {
    const thread = await anna.requester('Через Tor');
    const proxy = await startSocksServer({ [ONION]: portOf(anna.relay) });
    try {
      const { code, err } = await anna.answering(
        ['reply'],
        thread,
        ['--relay', `http://${ONION}/`, '--socks', `127.0.0.1:${String(proxy.port)}`],
        { stdin: 'Через Tor' },
      );
      expect(code, err).toBe(EXIT.ok);
      await expect.poll(() => anna.repliesTo(thread)).toEqual(['Через Tor']);
      expect(new Set(proxy.visits.map(({ host, port }) => `${host}:${String(port)}`))).toEqual(new Set([`${ONION}:80`]));
      expect(new Set(proxy.visits.map(({ user, password }) => `${user} ${password}`)).size).toBe(2);
      expect(new Set(proxy.visits.flatMap(({ user, password }) => [user, password])).size).toBe(4);
    } finally {
      await proxy.stop();
    }
  });
});

describe('a relay that is away', () => {
  /** Answers everything with 101, after which node:http says nothing more. */
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')),
  );
  const listening = async (): Promise<string> => {
    const path = dir.path('switching.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  };
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each<readonly [string, () => Promise<readonly string[]>, string]>([
    ['nothing listens', () => Promise.resolve(['--relay', `unix:${dir.path('nothing.sock')}`]), 'there is no socket /'],
    ['another protocol', async () => ['--relay', `unix:${await listening()}`], 'the relay does not answer: it failed'],
    ['no Tor', async () => ['--relay', `http://${ONION}`, '--socks', `127.0.0.1:${String(await closedPort())}`], 'is Tor running?'],
  ])('%s: exit 69, and the answer is kept to be sent later', async (_what, where, why) => {
    const thread = await anna.requester(`Нет связи: ${_what}`);
    const keep = dir.path(`keep ${_what}`);
    const { code, err, text } = await anna.answering(['reply'], thread, [...(await where()), '--keep', keep], {
      stdin: `Дошло: ${_what}`,
      pause: () => Promise.resolve(true),
    });
    expect([code, text.trim().split('\n')]).toEqual([EXIT.unavailable, [`${keep}/01.txt`, `${keep}/02.txt`]]);
    expect(err).toContain(why);
    expect(err.match(/trying again in 10 seconds/g)).toHaveLength(4);
    expect(err).toContain('NOT SENT: 2 of 2');
    expect(err).toContain('support-relay send');
    expect(err + text).not.toContain('Дошло');
    expect((await cli(['send', keep, '--relay', anna.relay])).code).toBe(EXIT.ok);
    await expect.poll(() => anna.repliesTo(thread)).toEqual([`Дошло: ${_what}`]);
    await expect.poll(() => anna.notesOf(thread)).toHaveLength(1);
  });

  test('without a folder the command says that nothing is kept; at a terminal it asks for one', async () => {
    const thread = await anna.requester('Ещё раз');
    const where = ['--relay', `unix:${dir.path('nothing.sock')}`];
    const told = await anna.answering(['claim'], thread, where);
    expect([told.code, told.err]).toEqual([
      EXIT.unavailable,
      expect.stringContaining('Nothing was kept: run this again with the same text later. With --keep'),
    ]);
    const asked = dir.path('asked');
    const kept = await anna.answering(['claim'], thread, where, { terminal: { answers: ['', 'y', asked] } });
    expect([kept.code, await readdir(asked)]).toEqual([EXIT.unavailable, ['01.txt']]);
  });

  test('an onion that the proxy cannot reach, and a server that is not a proxy', async () => {
    const proxy = await startSocksServer({});
    const parcel = await writeTo(dir.path('parcel.txt'), encodeParcelText(anna.deployment.seal('x')));
    const through = (port: number): Promise<CliResult> =>
      cli(['send', parcel, '--relay', `http://${ONION}`, '--socks', `127.0.0.1:${String(port)}`]);
    const unreachable = await through(proxy.port);
    await proxy.stop();
    expect([unreachable.code, unreachable.err]).toEqual([
      EXIT.unavailable,
      expect.stringContaining('the proxy cannot reach it (SOCKS reply 4)'),
    ]);
    expect((await through(portOf(anna.relay))).err).toContain('not the SOCKS port of Tor');
  });
});

describe('where parcels may go', () => {
  test.each([
    [['--relay', `http://${ONION}`], 'an onion address is reached through Tor only; open Tor Browser and add --socks 127.0.0.1:9150'],
    [['--relay', `https://${ONION}`], 'an onion address is reached through Tor only'],
    [['--relay', 'http://example.org'], '--relay must be'],
    [['--relay', `http://${ONION}/mailbox`, '--socks', '127.0.0.1:9150'], '--relay must be'],
    [['--relay', 'https://name:word@example.org'], '--relay must be'],
    [['--relay', `http://${ONION}`, '--socks', '9150'], '--socks must be'],
    [[], '--relay is missing'],
  ])('%j', async (where, why) => {
    const { code, err } = await cli(['send', dir.path('parcel.txt'), ...where]);
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(why)]);
  });

  test('either a relay or a folder', async () => {
    const both = await cli(['reply', '--relay', anna.relay, '--out', dir.path('both'), 'letter']);
    expect([both.code, both.err]).toEqual([EXIT.usage, expect.stringContaining('give either --relay or --out')]);
    const nowhere = await cli(['reply', '--relay', anna.relay, '--keep', '', 'letter']);
    expect([nowhere.code, nowhere.err]).toEqual([EXIT.usage, expect.stringContaining('--keep is missing its folder')]);
  });
});
