// The organisation: its people, and what they carry to each other when keys are made and keyrings signed.
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { EXIT } from '../../cli/errors.ts';
import type { Team } from './ledger.ts';
import { Person } from './person.ts';
import { Volunteer } from './volunteer.ts';

export class Organisation {
  readonly dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly administrator: Person;
  readonly operator: Person;
  /** By alias; those who left stay here, with their folders. */
  readonly volunteers = new Map<string, Volunteer>();
  season = 1;

  private constructor(dir: Organisation['dir']) {
    this.dir = dir;
    this.administrator = new Person('administrator', dir.path('administrator'));
    this.operator = new Person('operator', dir.path('operator'));
  }

  static async found(): Promise<Organisation> {
    return new Organisation(await temporaryDirectory());
  }

  /** What the administrator carries away after signing. */
  get out(): string {
    return this.administrator.path('folder', 'out');
  }

  volunteer(alias: string): Volunteer {
    const volunteer = this.volunteers.get(alias);
    if (volunteer === undefined) throw new Error(`nobody is called ${alias}`);
    return volunteer;
  }

  joins(alias: string, team: Team, home = alias): Volunteer {
    const volunteer = new Volunteer(alias, this.dir.path('volunteers', home), team);
    for (const [season, lines] of this.volunteers.get(alias)?.commands ?? []) volunteer.commands.set(season, lines);
    this.volunteers.set(alias, volunteer);
    return volunteer;
  }

  /** `support-relay admin …` in the administrator's folder. */
  admin(line: string, answers: readonly string[] = [], code: number = EXIT.ok): Promise<CliResult> {
    return this.administrator.types(this.season, `support-relay admin ${line} --folder folder`, { answers, code });
  }

  /** The ceremony, with two teams. */
  async ceremony(): Promise<void> {
    const { passphrase } = this.administrator;
    await this.admin('init', [passphrase, passphrase]);
    await this.admin('team psych --name en=Psychologists --topic psychological:en=Psychology --topic other:en=Other');
    await this.admin('team legal --name en=Lawyers --topic legal:en=Law');
  }

  /** Somebody new, whose card came by mail and whose words were compared by voice. */
  async addsNew(alias: string, ...more: string[]): Promise<void> {
    const volunteer = this.volunteer(alias);
    const card = await this.#carry(await volunteer.card(), alias);
    await this.admin(['add', card, '--team', volunteer.team, '--alias', alias, ...more].join(' '), ['y']);
  }

  /** The cards of those who are known, and the worker's, all with one command. */
  async adds(aliases: readonly string[], worker: string): Promise<void> {
    const cards = [await this.#carry(worker, 'worker')];
    for (const alias of aliases) cards.push(await this.#carry(await this.volunteer(alias).card(), alias));
    await this.admin(
      ['add', ...cards].join(' '),
      cards.map(() => 'y'),
    );
  }

  async #carry(card: string, of: string): Promise<string> {
    const carried = join('cards', `${String(this.season)}-${of}.card`);
    await mkdir(this.administrator.path('cards'), { recursive: true });
    await cp(card, this.administrator.path(carried));
    return carried;
  }

  signs(): Promise<CliResult> {
    return this.admin('season', ['y', this.administrator.passphrase]);
  }

  revokes(alias: string): Promise<CliResult> {
    return this.admin(`revoke ${alias}`, ['y', this.administrator.passphrase]);
  }

  /** The administrator's folder goes to the second stick. */
  copiesStick(): Promise<void> {
    return this.administrator.copies(this.season, 'folder', 'second');
  }

  /** @returns the worker's card */
  async worker(identities: string): Promise<string> {
    const { text } = await this.operator.types(this.season, `support-relay worker keys --json --out ${identities}`);
    return (JSON.parse(text) as { card: string }).card;
  }

  /** How many commands each has typed for a season. */
  counts(season: number): Map<string, number> {
    const people = [this.administrator, this.operator, ...this.volunteers.values()];
    return new Map(people.map(({ name, commands }) => [name, commands.get(season)?.length ?? 0]));
  }
}
