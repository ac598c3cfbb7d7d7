import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderUnicodeCompact } from 'uqr';
import { insistOnYes } from '../../cli/administering/consent.ts';
import { CliError, EXIT } from '../../cli/errors.ts';
import { describeFailure } from '../../cli/failure.ts';
import { BACKUP_RECIPIENT } from '../../cli/operating/backup-recipient.ts';
import type { Io } from '../../cli/terminal/io.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { STATE_VERSION } from '../../redis/version.ts';
import { ROOT } from '../../runtime/root.ts';
import { ensureUsers, makeFolders, removeHalves, replaceFile } from '../state/folders.ts';
import { hosts, type Host } from '../state/hosts.ts';
import { layoutOf, type Layout } from '../state/layout.ts';
import { oneAtATime } from '../state/one-at-a-time.ts';
import { giveToOwners } from '../state/owners.ts';
import { stateVersion, upgradeFiles, writeVersion } from '../state/upgrade.ts';
import { fingerprintOf, keyringsOf, rootOf, installKeyrings, installRoot } from './administrator-files.ts';
import { buildForm, hasForm, isFormCurrent, offlineFormUntil } from './form.ts';
import {
  askForAdministrator,
  askForInboxes,
  ensureMailFiles,
  inboxesOf,
  nameOf,
  takeAdministrator,
  takeInboxes,
  teamsOf,
} from './inboxes.ts';
import { describeLeftToDo, shownPath } from './left-to-do.ts';
import { burnOnion, ensureOnion } from './onion.ts';
import { readSetupOptions, SETUP_USAGE, type SetupOptions } from './setup-options.ts';
import { prepareDeployment } from './trial.ts';
import { ensureWorkerSeason, workerCard } from './worker-card.ts';

/** Where earlier versions had them, and where they are now. */
const MOVED = [
  ['admin/root.pub', 'keyrings/root.pub'],
  ['worker/inboxes.json', 'worker/mail/inboxes.json'],
] as const;

const TRIAL_TEXT = 'All keys of this relay were made on this server, to try it out. Never for people in danger.\n';

/** One run of setup. What it makes is kept by the next one; what it is told it changes. */
class Setup {
  readonly #options: SetupOptions;
  readonly #io: Io;
  readonly #layout: Layout;
  readonly #host: Host;
  readonly #asks: boolean;
  #hasChanged = false;

  constructor(options: SetupOptions, io: Io) {
    this.#options = options;
    this.#io = io;
    this.#layout = layoutOf(options.dir);
    this.#host = hosts[options.host];
    this.#asks = io.stdinIsTerminal && !options.isQuiet;
  }

  /** @returns the exit code: everything else is done even where the form could not be built */
  async run(): Promise<number> {
    await ready;
    const [layout, options, io] = [this.#layout, this.#options, this.#io];
    io.out(`Setting up the relay in ${shownPath(layout, layout.dir)}\n`);
    await upgradeFiles(layout, process.env['SUPPORT_RELAY_UPGRADE'] ?? '');
    await moveFormer(layout);
    const isTrial = this.#isTrial();
    await makeFolders(layout);
    await removeHalves(layout);
    await ensureUsers(layout, this.#say);
    if (options.burnsOnion) await this.#burnOnion();
    const address = await ensureOnion(layout, this.#say);
    if (isTrial) await this.#makeTrial();
    else await ensureWorkerSeason(layout, io, this.#say);
    const { root, isNew } = await this.#takeFiles();
    await ensureMailFiles(layout);
    const inboxesChanged = await this.#takeMail(root);
    const needsForm = options.buildsForm || isNew || !(await isFormCurrent(layout));
    const exitCode = !isTrial && root !== null && needsForm ? await this.#buildForm(root) : EXIT.ok;
    // Last: what is half made cannot be started.
    if ((await stateVersion(layout)) === null) await writeVersion(layout, STATE_VERSION);
    await giveToOwners(layout.dir, await this.#host.belongings(layout));
    if (!this.#hasChanged) io.out('Nothing was changed.\n');
    await this.#report(address, isTrial, root, inboxesChanged);
    return exitCode;
  }

  /** Throws ROOT_KEY_DIFFERS when a trial would take the place of what an administrator decides. */
  #isTrial(): boolean {
    const { rootKey, rootSecretKey, trialMark } = this.#layout;
    const wasMadeHere = existsSync(rootSecretKey);
    if (this.#options.isTrial && existsSync(rootKey) && !wasMadeHere) {
      throw new CliError(
        'ROOT_KEY_DIFFERS',
        `there is an administrator's root.pub in ${dirname(rootKey)}, and a trial makes its own`,
        'leave out --trial, or give another --dir; nothing was changed',
      );
    }
    return this.#options.isTrial || wasMadeHere || existsSync(trialMark);
  }

  async #burnOnion(): Promise<void> {
    const question = 'Shred the keys of the present onion address? Nobody can ever answer there again.';
    await insistOnYes(question, !this.#asks, this.#io);
    await burnOnion(this.#layout);
    this.#say('shredded the keys of the former onion address');
  }

  async #makeTrial(): Promise<void> {
    const { layout } = await prepareDeployment(this.#layout.dir, {
      inboxPath: this.#host.maildir(this.#layout, 'inbox-1'),
      say: this.#say,
    });
    await replaceFile(layout.trialMark, TRIAL_TEXT, 0o644);
  }

  /** @returns the root key, and whether this run took it or a keyring */
  async #takeFiles(): Promise<{ root: PublicKey | null; isNew: boolean }> {
    const [layout, { rootPub, keyrings }, io] = [this.#layout, this.#options, this.#io];
    const before = await rootOf(layout);
    const root = rootPub === null ? before : await installRoot(layout, rootPub);
    if (rootPub !== null && root !== null) {
      io.out(`\nThe fingerprint of the root key: ${fingerprintOf(root)}\n`);
      io.out('Read it to the administrator, by voice: whoever exchanged that file would decide who the volunteers are.\n\n');
    }
    const isNew = before === null && root !== null;
    if (isNew) this.#say('took root.pub');
    else if (rootPub !== null) this.#sayAlready('this root.pub is here');
    if (keyrings === null) return { root, isNew };
    if (root === null) {
      throw new CliError('INPUT_MISSING', 'keyrings are verified with the root key, and there is none', 'give --root-pub too');
    }
    const { added, hasNewRecipient } = await installKeyrings(layout, keyrings, root);
    const serials = added.map(({ keyring }) => String(keyring.serial));
    if (serials.length > 0) this.#say(`took keyrings ${serials.join(', ')}`);
    else this.#sayAlready('these keyrings are here');
    if (hasNewRecipient) this.#say('took backup.recipient: backups are sealed to the administrator');
    return { root, isNew: isNew || serials.length > 0 };
  }

  /** @returns whether the worker has to be told */
  async #takeMail(root: PublicKey | null): Promise<boolean> {
    const [layout, { inboxes, administrator }, io] = [this.#layout, this.#options, this.#io];
    let hasChanged = false;
    const tell = (setting: string, isNew: boolean): void => {
      if (isNew) this.#say(setting);
      else this.#sayAlready(setting);
      hasChanged ||= isNew;
    };
    const where = { layout, host: this.#host, tell };
    const teams = root === null ? [] : teamsOf(await keyringsOf(layout, root));
    await takeInboxes(inboxes, teams, where);
    if (administrator !== null) await takeAdministrator(administrator, where);
    if (this.#asks) await askForInboxes(teams, where, io);
    if (this.#asks && administrator === null && teams.length > 0) await askForAdministrator(where, io);
    return hasChanged;
  }

  async #buildForm(root: PublicKey): Promise<number> {
    this.#say('building the form with the root key in it');
    const exitCode = await buildForm(this.#layout, (await this.#currentKeyrings(root)).length > 0, this.#io);
    if (exitCode !== EXIT.ok) this.#say('the form was not built: see above. Everything else is done');
    return exitCode;
  }

  async #currentKeyrings(root: PublicKey) {
    const nowMs = this.#io.now().getTime();
    return (await keyringsOf(this.#layout, root)).filter(({ keyring }) => Date.parse(keyring.notAfter) > nowMs);
  }

  async #report(address: string, isTrial: boolean, root: PublicKey | null, inboxesChanged: boolean): Promise<void> {
    const [layout, io] = [this.#layout, this.#io];
    const keyrings = root === null ? [] : await keyringsOf(layout, root);
    const current = root === null ? [] : await this.#currentKeyrings(root);
    const card = await workerCard(layout, io.language);
    const inboxes = await inboxesOf(layout);
    const without = teamsOf(current).filter(({ id }) => !inboxes.some(({ team }) => team === id));
    const left = describeLeftToDo({
      layout,
      host: this.#host,
      isTrial,
      card,
      isCardSigned: keyrings.some(({ keyring }) => card?.recipients.includes(keyring.worker) === true),
      hasRoot: root !== null,
      hasKeyring: current.length > 0,
      teamsWithoutInbox: without.map(nameOf),
      hasForm: hasForm(layout),
      offlineFormUntil: await offlineFormUntil(layout),
      hasBackupRecipient: existsSync(join(layout.keyrings, BACKUP_RECIPIENT)),
      inboxesChanged,
      address,
      today: io.now().toISOString().slice(0, 10),
    });
    const url = `http://${address}/`;
    io.out(`\nThe onion address of the form:\n\n  ${url}\n\n${renderUnicodeCompact(url, { border: 2 })}\n\n${left}\n`);
    if (isTrial) io.out(`This is a TRIAL: ${TRIAL_TEXT}`);
  }

  /** Says what this run changes. */
  readonly #say = (step: string): void => {
    this.#hasChanged = true;
    this.#io.out(`  · ${step}\n`);
  };

  #sayAlready(what: string): void {
    this.#io.out(`  · ${what} already\n`);
  }
}

async function moveFormer(layout: Layout): Promise<void> {
  for (const [from, to] of MOVED) {
    const [before, after] = [join(layout.dir, from), join(layout.dir, to)];
    if (!existsSync(before) || existsSync(after)) continue;
    await mkdir(dirname(after), { recursive: true, mode: 0o700 });
    await rename(before, after);
  }
}

/** Runs setup with these arguments. @returns the exit code; every failure becomes one line on standard error */
export async function runSetup(argv: readonly string[], io: Io): Promise<number> {
  try {
    const options = readSetupOptions(argv, join(ROOT, 'state'));
    if (options !== 'help') return await oneAtATime(layoutOf(options.dir), () => new Setup(options, io).run());
    io.out(`${SETUP_USAGE}\n`);
    return EXIT.ok;
  } catch (error) {
    const { line, exitCode } = describeFailure(error);
    io.err(`setup: ${line}\n`);
    return exitCode;
  }
}
