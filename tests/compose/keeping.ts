// What is kept: a damaged file of Redis is repaired, and a relay comes back on another machine, by the commands of docs/operations.md.
import { appendFile, chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeState } from '../../cli/administering/state.ts';
import { EXIT } from '../../cli/errors.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { layoutOf } from '../../deploy/state/layout.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { commandsByHeading } from '../support/documents.ts';
import type { Stand } from './stand/stand.ts';

const WORDS = 'six words that nobody guesses';
const ZEROS_BYTES = 4_096;

async function commandsUnder(heading: string): Promise<string[]> {
  return (await commandsByHeading('docs/operations.md')).get(heading) ?? [];
}

type Way = { post: (message: string) => Promise<void>; untilDelivered: (message: string) => Promise<void> };

/** @param current the stand, which has run */
export function testRepair(current: () => Stand, { post, untilDelivered }: Way): void {
  test('a damaged end is cut off the file of Redis, and nothing that was accepted is lost', async () => {
    const stand = current();
    const [stop = '', repair = '', up = ''] = await commandsUnder('Redis does not start');
    await stand.compose('stop', 'worker');
    await post('before the power cut');
    await stand.compose('stop');
    const data = join(stand.layout.dir, 'redis/data');
    const [file = ''] = (await readdir(join(data, 'appendonlydir')))
      .filter((name) => name.endsWith('.incr.aof'))
      .toSorted()
      .toReversed();
    await appendFile(join(data, 'appendonlydir', file), Buffer.alloc(ZEROS_BYTES));
    // As the engine does after the machine has started; the others would wait for it.
    await stand.tryCompose('start', 'redis');
    const status = async (): Promise<string> => (await stand.tryCompose('run', '--rm', 'tools', 'operator', 'status')).stderr;
    await expect.poll(status, { timeout: 30_000, interval: 1_000 }).toContain('(REDIS_DAMAGED)');

    await stand.type(stop);
    expect(await stand.type(repair, [['[y/N]', 'y']])).toContain(`The last ${String(ZEROS_BYTES)} of them are no whole command`);
    await stand.type(up);
    await untilDelivered('before the power cut');
    expect(await readdir(join(data, 'damaged'))).toEqual([file]);
  });
}

/** A relay that an administrator signs for, with the mail of a stand that ran before. */
class Office {
  readonly dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly folder: AdminFolder;
  readonly #identities = Array.from({ length: 13 }, generateIdentity);

  constructor(dir: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.dir = dir;
    this.folder = new AdminFolder(dir.path, 'folder', new Date());
  }

  static async open(): Promise<Office> {
    const office = new Office(await temporaryDirectory());
    const { folder } = office;
    await folder.done('init', '--no-passphrase');
    await folder.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'legal:en=Legal help');
    const card = await folder.card('volunteer', { recipients: office.#identities.map(identityToRecipient) });
    await folder.done('add', card, '--team', 'psych', '--alias', 'Maple', '--yes');
    return office;
  }

  /** What setup would have taken, on a machine where it has made the rest: without building a form. */
  async furnish(state: string, mail: string): Promise<void> {
    const { keyrings, inboxes } = layoutOf(state);
    for (const name of ['root.pub', 'backup.recipient']) await cp(join(this.folder.dir, name), join(keyrings, name));
    await cp(mail, dirname(inboxes), { recursive: true });
    const team = decodeState(await readFile(join(this.folder.dir, 'folder.json'), 'utf8'))?.teams[0]?.id;
    const [inbox = {}] = JSON.parse(await readFile(inboxes, 'utf8')) as object[];
    await writeFile(inboxes, JSON.stringify([{ ...inbox, team }]));
    for (const name of await readdir(dirname(inboxes))) await chmod(join(dirname(inboxes), name), 0o644);
  }

  /** Takes the card of a machine's worker, signs, and puts onto the stick what goes back. */
  async sign(identities: string, backup: string): Promise<void> {
    const [card = ''] = (await readdir(identities)).filter((name) => name.endsWith('.card'));
    await cp(join(identities, card), this.dir.path('worker.card'));
    await this.folder.done('add', this.dir.path('worker.card'), '--yes');
    await this.folder.done('season', '--yes');
    const carry = this.dir.path('carry');
    await mkdir(join(carry, 'out'), { recursive: true });
    await cp(join(this.folder.dir, 'out/relay'), join(carry, 'out/relay'), { recursive: true });
    const argv = ['admin', 'reseal', backup, '--out', join(carry, 'restore.age'), '--folder', this.folder.dir];
    const { code, err } = await cli(argv, { logN: 12, terminal: { answers: ['y', WORDS, WORDS] } });
    expect(code, err).toBe(EXIT.ok);
    // The containers' user is another.
    await chmod(this.dir.path(), 0o755);
    for (const path of [carry, join(carry, 'restore.age')]) await chmod(path, 0o755);
  }

  /** What the volunteer reads at the mail server. */
  async letters({ mail }: Stand): Promise<string> {
    const { url, passwordFile, certificate } = mail.imap;
    const identity = await writeTo(this.dir.path('volunteer.txt'), `${this.#identities.join('\n')}\n`);
    const { text } = await cli(['open', '--identity', identity, '--imap-password-file', passwordFile, '--ca', certificate, url]);
    return text;
  }
}

/** @param current the stand, of which nothing is needed any more but what is outside of it */
export function testRestoring(current: () => Stand, post: (message: string) => Promise<void>): void {
  let office: Office;
  const delivered = (message: string): Promise<void> =>
    expect.poll(() => office.letters(current()), { timeout: 90_000, interval: 1_000 }).toContain(message);

  test('a backup brings the relay back on another machine', async () => {
    const stand = current();
    const { dir: state, onionAddress } = stand.layout;
    const [backup = ''] = await commandsUnder('Making a backup');
    const [setUp = '', restore = '', take = '', up = ''] = await commandsUnder('Restoring it on another machine');
    office = await Office.open();
    await stand.compose('down');
    await rename(state, office.dir.path('former'));
    await stand.compose('run', '--rm', 'setup', '--no-questions');
    await office.furnish(state, office.dir.path('former/worker/mail'));
    const address = await readFile(onionAddress, 'utf8');
    await stand.type(backup);
    await rm(state, { recursive: true });

    await stand.type(setUp);
    expect(await readFile(onionAddress, 'utf8')).not.toBe(address);
    await office.sign(stand.layout.identities, join(stand.clone, backup.split(' > ')[1] ?? ''));
    const here = (command: string): string => command.replaceAll('/media/carry', office.dir.path('carry'));
    const said = await stand.type(here(restore), [[': ', WORDS]]);
    expect(said).toContain(`onion address  ${address.trim()}`);
    expect(await stand.type(here(take))).toContain(address.trim());
    await stand.type(up);
    await post('to the other machine');
    await delivered('to the other machine');
  });

  test('a copy of the folder moves it to another server, with what waits', async () => {
    const stand = current();
    const [down = '', copy = '', ...others] = await commandsUnder('Moving to another server');
    expect(others).toEqual([]);
    await stand.compose('stop', 'worker');
    await post('waits for the move');
    await stand.type(down);
    const there = `${stand.clone}/there/state/`;
    await mkdir(there, { recursive: true });
    await stand.type(copy.replace('root@new.example:/srv/support-relay/state/', there));
    await rm(stand.layout.dir, { recursive: true });
    await rename(there, stand.layout.dir);
    await stand.compose('up', '--build', '--wait');
    await delivered('waits for the move');
    await office.dir.remove();
  });
}
