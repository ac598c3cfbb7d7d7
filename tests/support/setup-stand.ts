// A state folder for setup to work on, anew for each test, and what an administrator gives.
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { runSetup } from '../../deploy/setup/setting-up.ts';
import { layoutOf, type Layout } from '../../deploy/state/layout.ts';
import { AdminFolder } from './admin-folder.ts';
import { captured, temporaryDirectory, type CliInput, type CliResult } from './cli.ts';
import { preparedOnce } from './prepared.ts';

type Folder = Awaited<ReturnType<typeof temporaryDirectory>>;

class SetupStand {
  #dir: Folder | undefined;
  #layout: Layout | undefined;
  #given = '';

  /** The state folder, not made yet. */
  get layout(): Layout {
    if (this.#layout === undefined) throw new Error('no test has begun');
    return this.#layout;
  }

  /** A folder with root.pub and the keyrings of a season. */
  get given(): string {
    return this.#given;
  }

  /** A path outside of the state folder. */
  readonly path = (name: string): string => this.#dir?.path(name) ?? '';

  readonly setup = (argv: readonly string[] = [], input: CliInput = {}): Promise<CliResult> =>
    captured((io) => runSetup(['--dir', this.layout.dir, '--for', 'here', ...argv], io), input);

  readonly done = async (argv: readonly string[] = [], input: CliInput = {}): Promise<CliResult> => {
    const result = await this.setup(argv, input);
    expect(result.code, result.err).toBe(EXIT.ok);
    return result;
  };

  /** A form in its place, where a case is not about building one: that takes seconds. */
  readonly putForm = async (): Promise<void> => {
    await cp(layoutOf(await preparedOnce()).web, this.layout.web, { recursive: true });
  };

  /** As after a setup that has taken root.pub and keyrings. */
  readonly putAdministratorsFiles = async (): Promise<void> => {
    await cp(this.#given, this.layout.keyrings, { recursive: true });
    await this.putForm();
  };

  async begin(): Promise<void> {
    this.#dir = await temporaryDirectory();
    this.#layout = layoutOf(this.path('state'));
  }

  async beAdministrator(office: Folder): Promise<void> {
    const admin = new AdminFolder(office.path, 'admin', new Date());
    await admin.furnish();
    await admin.done('season', '--yes');
    this.#given = join(admin.dir, 'out/relay');
  }

  async remove(): Promise<void> {
    await this.#dir?.remove();
  }
}

export function useSetupStand(): SetupStand {
  const stand = new SetupStand();
  let office: Folder | undefined;
  beforeAll(async () => {
    office = await temporaryDirectory();
    await stand.beAdministrator(office);
  });
  afterAll(() => office?.remove());
  beforeEach(() => stand.begin());
  afterEach(() => stand.remove());
  return stand;
}

/** Every file of a folder by its path. */
export async function everythingIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const)));
}

export const jsonIn = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

/** The steps that are left, as setup says them at its end, without their numbers. */
export const leftToDo = ({ text }: CliResult): string[] => [...text.matchAll(/^ {2}\d+\. (.*)$/gm)].map(([, step = '']) => step);
