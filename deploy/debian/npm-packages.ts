// The npm packages of the Debian package: those that are bundled into the programs, and those that it needs to build a form.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ROOT } from '../../runtime/root.ts';

/** An installed package. `path`: of its folder, from the folder of the sources. */
export type NpmPackage = { readonly path: string; readonly name: string; readonly version: string; readonly licence: string };

const names = z.record(z.string(), z.string()).default({});
const entry = z.looseObject({
  version: z.string().optional(),
  license: z.string().default('unknown'),
  dev: z.boolean().default(false),
  dependencies: names,
  optionalDependencies: names,
});
const lockFile = z.looseObject({ packages: z.record(z.string(), entry) });
type Entry = z.infer<typeof entry>;

/**
 * Reads package-lock.json. `shipped` are the packages `wanted` with all they depend on, as far as they are installed here (packages for
 * other systems are not); `all` has besides them those that are bundled into the programs.
 */
export async function readPackages(wanted: readonly string[]): Promise<{ all: NpmPackage[]; shipped: NpmPackage[] }> {
  const { packages } = lockFile.parse(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')));
  const found = new Map<string, Entry>();
  const visit = (path: string): void => {
    const at = packages[path];
    if (at === undefined || found.has(path) || !existsSync(join(ROOT, path))) return;
    found.set(path, at);
    for (const name of Object.keys({ ...at.dependencies, ...at.optionalDependencies })) visit(resolved(packages, path, name));
  };
  for (const name of wanted) visit(`node_modules/${name}`);
  const shipped = [...found].map(described);
  const bundled = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev && existsSync(join(ROOT, path)));
  const all = new Map([...bundled, ...found]);
  return { all: [...all].map(described).toSorted((a, b) => (a.path < b.path ? -1 : 1)), shipped };
}

/** Where Node finds a package: in the folder of the one that asks, or in one above it. */
function resolved(packages: Readonly<Record<string, Entry>>, from: string, name: string): string {
  const nested = `${from}/node_modules/${name}`;
  if (packages[nested] !== undefined) return nested;
  const above = from.lastIndexOf('/node_modules/');
  return above === -1 ? `node_modules/${name}` : resolved(packages, from.slice(0, above), name);
}

function described([path, { version = '', license }]: readonly [string, Entry]): NpmPackage {
  return { path, name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version, licence: license };
}
