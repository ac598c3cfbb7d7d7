import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDemoOptions, USAGE, DemoUsageError, type DemoOptions } from './demo-options.ts';
import { replaceFile } from '../state/folders.ts';
import { layoutOf, program, type Layout } from '../state/layout.ts';
import { endLeftovers, lockDeployment, unlockDeployment } from './lock.ts';
import { PARTS, type Part } from './parts.ts';
import { choosePort } from './port.ts';
import { whenOrphaned } from './processes.ts';
import { prepareDeployment, type Prepared } from '../setup/trial.ts';
import { Supervisor } from './supervisor.ts';

const ROUND_SECONDS = 1;
const FLUSH_PROBABILITY = 1;
/** Short, because whoever tries the demo should not have to wait. */
const SLOT_SECONDS = 0.5;
const READY_WITHIN_MS = 30_000;
const RENEW_EVERY_MS = 60 * 60 * 1000;
const SECOND_SIGNAL_AFTER_MS = 1_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const sayStep = (what: string): void => {
  say(`  · ${what}`);
};

/** One demo, from the first file it writes to the last process it ends. */
class Demo {
  readonly #options: DemoOptions;
  readonly #layout: Layout;
  readonly #stopping = new AbortController();
  #prepared: Prepared | undefined;
  #supervisor: Supervisor | undefined;
  #url = '';
  #locked = false;
  #isReady = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: DemoOptions, dir: string) {
    this.#options = options;
    this.#layout = layoutOf(dir);
  }

  async start(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#lockFolder();
    const port = await choosePort(this.#options.port);
    this.#url = `http://127.0.0.1:${String(port)}/`;
    const prepared = await prepareDeployment(this.#layout.dir, { say: sayStep, slotSeconds: SLOT_SECONDS });
    this.#prepared = prepared;
    if (signal.aborted) return;
    sayStep('starting Redis, the relay and the worker');
    this.#supervisor = new Supervisor(
      prepared.layout,
      { listen: `127.0.0.1:${String(port)}`, roundSeconds: ROUND_SECONDS, flushProbability: FLUSH_PROBABILITY },
      {
        onChange: () => {
          if (this.#isReady) this.#writeReady();
        },
        onDeath: (part, how) => {
          say(`  ! ${part} ${how}; starting it again (its output: ${join(this.#layout.logs, `${part}.log`)})`);
        },
      },
    );
    this.#supervisor.start();
    await this.#waitUntilOpen();
    if (signal.aborted) return;
    this.#isReady = true;
    this.#writeReady();
    await this.#writing;
    this.#printInstructions();
    await this.#keepRenewing();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervisor?.stop();
    if (!this.#locked) return;
    await this.#writing;
    await rm(this.#layout.ready, { force: true });
    if (!this.#layout.run.startsWith(this.#layout.dir)) await rm(this.#layout.run, { recursive: true, force: true });
    unlockDeployment(this.#layout);
    if (this.#options.dir === null) await rm(this.#layout.dir, { recursive: true, force: true });
  }

  /** Kills all parts at once, without giving them time to end by themselves. */
  killAll(): void {
    this.#supervisor?.killAll();
  }

  /** Locks the folder, and ends what an earlier demo left running in it. */
  async #lockFolder(): Promise<void> {
    say(`Preparing the demo in ${this.#layout.dir}`);
    lockDeployment(this.#layout);
    this.#locked = true;
    if ((await endLeftovers(this.#layout)) > 0) sayStep('ended what an earlier demo here had left running');
    await rm(this.#layout.ready, { force: true });
  }

  async #waitUntilOpen(): Promise<void> {
    const { signal } = this.#stopping;
    const givenUp = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)]);
    while (!givenUp.aborted) {
      if (await isDoorOpen(this.#url, givenUp)) return;
      await sleep(50, undefined, { signal: givenUp }).catch(() => undefined);
    }
    if (signal.aborted) return;
    const logs = await Promise.all(PARTS.map((part) => this.#lastLines(part)));
    throw new Error(`The door did not open within ${String(READY_WITHIN_MS / 1000)} s.\n${logs.join('\n')}`);
  }

  async #lastLines(part: Part): Promise<string> {
    const log = await readFile(join(this.#layout.logs, `${part}.log`), 'utf8').catch(() => '');
    return `--- ${part}\n${log.trimEnd().split('\n').slice(-10).join('\n')}`;
  }

  #writeReady(): void {
    const { layout, keyringFile } = this.#prepared ?? {};
    if (layout === undefined || keyringFile === undefined || this.#supervisor === undefined) return;
    const ready = {
      url: this.#url,
      keyring: keyringFile,
      rootKey: layout.rootKey,
      inbox: layout.inbox,
      identity: layout.volunteerIdentity,
      redisSocket: layout.redisSocket,
      pids: this.#supervisor.pids(),
    };
    this.#writing = this.#writing
      .then(() => replaceFile(layout.ready, `${JSON.stringify(ready, null, 2)}\n`, 0o600))
      .catch((error: unknown) => {
        process.stderr.write(`${layout.ready} could not be written: ${String(error)}\n`);
      });
  }

  /** Makes the next keyring in time, for a demo that runs for days; relay and worker find it by themselves. */
  async #keepRenewing(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await sleep(RENEW_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      this.#prepared = await prepareDeployment(this.#layout.dir, { slotSeconds: SLOT_SECONDS });
      this.#writeReady();
    }
  }

  #printInstructions(): void {
    const layout = this.#layout;
    const keyring = ['--keyring', this.#prepared?.keyringFile ?? '', '--root-key', layout.rootKey];
    const command = (name: string, ...options: string[]): string =>
      ['node', program('support-relay'), name, '--identity', layout.volunteerIdentity, ...keyring, ...options, layout.inbox]
        .map(quoted)
        .join(' ');
    say('');
    say('Everything is running.');
    say('');
    say(`  The form:   ${this.#url}    (Russian; English: ${this.#url}en/)`);
    say(`  The inbox:  ${this.#layout.inbox}    (a Maildir; a request is there about two seconds after it was accepted)`);
    say('');
    say('  Send a request with the form, then open it as the volunteer does:');
    say('');
    say(`  ${command('open')}`);
    say('');
    say('  List the conversations, reply to one of them (the command asks which one, and for the text), and read the reply with the');
    say(`  access code of the request at ${this.#url}replies (English: ${this.#url}en/replies):`);
    say('');
    say(`  ${command('inbox')}`);
    say(`  ${command('reply', '--signer', layout.volunteerSigner, '--alias', 'Anna', '--relay', this.#url.replace(/\/$/, ''))}`);
    say('');
    say(
      `Ctrl-C ends everything${this.#options.dir === null ? ' and removes the keys and requests made here (--dir DIR keeps them)' : ''}.`,
    );
  }
}

async function isDoorOpen(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`${url}door.json`, { signal });
    return ((await answer.json()) as { open?: unknown }).open === true;
  } catch {
    return false;
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

async function main(): Promise<void> {
  process.umask(0o077);
  // The terminal may go away before we do; a failed write to it must not leave processes behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const options = readDemoOptions(process.argv.slice(2));
  if (options === 'help') {
    say(USAGE);
    return;
  }
  const demo = new Demo(options, options.dir ?? (await mkdtemp(join(tmpdir(), 'support-relay-demo-'))));
  let endingSinceMs = 0;
  let ending: Promise<void> | undefined;
  const stop = () => {
    if (ending !== undefined) {
      // npm forwards a Ctrl-C that the terminal has already sent us: only a later one counts as the second.
      if (performance.now() - endingSinceMs > SECOND_SIGNAL_AFTER_MS) demo.killAll();
      return;
    }
    endingSinceMs = performance.now();
    say('\nEnding everything …');
    ending = demo.stop();
    ending.then(() => {
      say('Nothing is left running.');
      process.exit(0);
    }, fail);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  if (process.env['npm_lifecycle_event'] === 'demo') whenOrphaned(stop);
  try {
    await demo.start();
  } catch (error) {
    if (ending === undefined) {
      await demo.stop();
      throw error;
    }
  }
  await ending;
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof DemoUsageError ? 64 : 1);
}

await main().catch(fail);
