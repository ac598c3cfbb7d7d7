// The form of a relay whose keys are made elsewhere: built when root.pub is there, with the keyrings that are there.
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stop } from 'esbuild';
import * as z from 'zod';
import { KEYRING_FILE } from '../../cli/keys/keyring-files.ts';
import { ROOT_PUBLIC } from '../../cli/keys/keyring-folder.ts';
import { runCommand } from '../../cli/run.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { MANIFEST_NAME } from '../../crypto/manifest.ts';
import { readRegularFile } from '../../runtime/files.ts';
import { OFFLINE_FORM_FILE } from '../../runtime/served.ts';
import type { Layout } from '../state/layout.ts';

const ABOUT_BYTES_MAX = 1_024;
const aboutSchema = z.object({ until: z.iso.datetime() });

/** When the offline form that was built last ends; null: none was, or nobody can tell. */
export async function offlineFormUntil(layout: Layout): Promise<Date | null> {
  const file = await readRegularFile(join(layout.web, OFFLINE_FORM_FILE), ABOUT_BYTES_MAX).catch(() => null);
  if (file === null) return null;
  try {
    return new Date(aboutSchema.parse(JSON.parse(file.toString('utf8'))).until);
  } catch {
    return null;
  }
}

/** Whether a form was built since root.pub and keyrings came: what took them may have broken off before it built one. */
export async function isFormCurrent(layout: Layout): Promise<boolean> {
  const built = await stat(join(layout.web, MANIFEST_NAME)).catch(() => null);
  if (built === null) return false;
  const names = (await readdir(layout.keyrings)).filter((name) => name === ROOT_PUBLIC || KEYRING_FILE.test(name));
  const files = await Promise.all(names.map((name) => stat(join(layout.keyrings, name))));
  return files.every(({ mtimeMs }) => mtimeMs <= built.mtimeMs);
}

export const hasForm = (layout: Layout): boolean => existsSync(join(layout.web, MANIFEST_NAME));

/**
 * Builds it with the command that builds it everywhere (cli/commands/operator-build-form.ts), which says what it did or what is wrong.
 * @param hasKeyrings without any there is no offline form @returns its exit code
 */
export async function buildForm(layout: Layout, hasKeyrings: boolean, io: Io): Promise<number> {
  const offline = hasKeyrings ? ['--keyring', layout.keyrings] : ['--no-offline-form'];
  const site = existsSync(layout.site) ? ['--site', layout.site] : [];
  const command = ['operator', 'build-form', '--root-key', layout.rootKey, '--out', layout.web, ...offline, ...site];
  const exitCode = await runCommand(command, io);
  // Otherwise esbuild keeps its service process for further builds.
  await stop();
  return exitCode;
}
