// A volunteer: keys, a Maildir, and a chair to sit down on twice a week.
import { cp, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { identitiesIn } from '../support/seized-folder.ts';
import { jsonLines, type CliResult } from '../support/cli.ts';
import type { Team } from './ledger.ts';
import { Person } from './person.ts';

/** A letter in a line of `inbox --json`, or a line of its own where it does not open. */
type Shown = Readonly<{
  source: string;
  authentic: boolean;
  keyringChecked?: boolean;
  message?: string;
  note?: { text: string };
  error?: { code: string };
}>;
/** A line of `inbox --json`. */
type Listed = Readonly<{ id: string; answered: readonly string[]; letters: readonly Shown[] }>;

export type Sitting = Readonly<{ texts: string[]; unopened: { file: string; code: string }[]; listed: Listed[]; said: string }>;

export class Volunteer extends Person {
  readonly team: Team;
  readonly #known = new Set<string>();
  /** From when to when they sit down to read. */
  reads = { from: 0, until: Number.POSITIVE_INFINITY };
  isAway = false;

  constructor(name: string, home: string, team: Team) {
    super(name, home);
    this.team = team;
  }

  get keys(): string {
    return this.path('keys');
  }

  /** The card that was made last, which goes to the administrator. */
  async card(): Promise<string> {
    const cards = (await readdir(this.keys)).filter((name) => name.endsWith('.card')).toSorted();
    return join(this.keys, cards.at(-1) ?? 'none');
  }

  /** The first days of the weeks whose keys are in the folder. */
  async weeks(): Promise<string[]> {
    return (await readdir(this.keys)).flatMap((name) => /^week-(.*)\.age$/.exec(name)?.[1] ?? []).toSorted();
  }

  identities(): Promise<string[]> {
    return identitiesIn(this.keys, this.passphrase);
  }

  /** The two commands of a season. The card goes to the administrator between them. */
  async makesKeys(season: number, ...more: string[]): Promise<void> {
    const isFirst = !(await readdir(this.home).catch((): string[] => [])).includes('keys');
    const answers = isFirst ? [this.passphrase, this.passphrase] : [this.passphrase];
    await this.types(season, ['support-relay volunteer keys', ...more].join(' '), { answers });
  }

  async takesKeyrings(season: number, out: string): Promise<CliResult> {
    await cp(join(out, 'volunteers'), this.path('from-admin'), { recursive: true });
    const isFirst = !(await readdir(this.keys)).includes('root.pub');
    const root = isFirst ? ' --root-key from-admin/root.pub' : '';
    return this.types(season, `support-relay volunteer keyring${root} from-admin`);
  }

  /** "You may also copy the files into `keys` by hand." */
  copiesKeyrings(out: string): Promise<void> {
    return cp(join(out, 'volunteers'), this.keys, { recursive: true });
  }

  async ignores(inbox: string): Promise<void> {
    for (const name of await mailIn(inbox)) this.#known.add(name);
  }

  /** Fetches new mail, lists it, which opens it and tends the keys, and leaves it in the Maildir until `putsAway`. */
  async sits(inbox: string): Promise<Sitting> {
    for (const folder of ['Maildir', 'Read']) {
      for (const part of ['new', 'cur']) await mkdir(this.path(folder, part), { recursive: true });
    }
    for (const name of await mailIn(inbox)) {
      if (!this.#known.has(name)) await cp(join(inbox, 'new', name), this.path('Maildir', 'new', name));
      this.#known.add(name);
    }
    const { text, err, code } = await this.works('support-relay inbox --json Maildir', { answers: [this.passphrase], code: null });
    const lines = jsonLines(text || '{}').filter(
      (line): line is Listed | Shown => 'letters' in (line as Listed) || 'source' in (line as Shown),
    );
    const listed = lines.filter((line): line is Listed => 'letters' in line);
    const shown = listed.flatMap(({ letters }) => letters);
    for (const each of shown) expect([this.name, each.source, each.keyringChecked]).toEqual([this.name, each.source, true]);
    const unopened = lines.flatMap((line) =>
      'letters' in line ? [] : { file: line.source.split('/').at(-1) ?? '', code: line.error?.code ?? '' },
    );
    expect([this.name, code], err).toEqual([this.name, unopened.length === 0 ? EXIT.ok : EXIT.notAuthentic]);
    return { texts: shown.map(({ message, note }) => message ?? note?.text ?? ''), unopened, listed, said: err };
  }

  /** Opens a conversation that is in the Maildir, as it is shown to people. */
  async opens(id: string): Promise<string> {
    const { text } = await this.works(`support-relay open --conversation ${id} Maildir`, { answers: [this.passphrase] });
    return text;
  }

  /** Answers a conversation that is in the Maildir. */
  answers(relay: string, id: string, text: string, typed: { code?: number; alias?: string } = {}): Promise<CliResult> {
    const { code = EXIT.ok, alias = this.name } = typed;
    const line = `support-relay reply --alias ${alias} --relay ${relay} --at-once --keep answers --conversation ${id} Maildir`;
    return this.works(line, { code, answers: code === EXIT.ok ? [this.passphrase, text, 'y'] : [this.passphrase] });
  }

  async putsAway(): Promise<void> {
    for (const name of await readdir(this.path('Maildir', 'new')))
      await rename(this.path('Maildir', 'new', name), this.path('Read', 'cur', name));
  }
}

/** Mail that waits in an inbox, by its file names. */
export async function mailIn(inbox: string): Promise<string[]> {
  return (await readdir(join(inbox, 'new')).catch((): string[] => [])).toSorted();
}
