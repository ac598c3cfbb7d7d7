// The list of the packages in the programs and in the form (CycloneDX), as npm makes it from package-lock.json, without what
// differs from one run to the next.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import * as z from 'zod';
import packageFile from '../../package.json' with { type: 'json' };
import { utf8 } from '../../crypto/bytes.ts';
import { ROOT } from '../../runtime/root.ts';

const ARGUMENTS = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only', '--offline'];
/** npm's mark of a package that only tests and tools use. With `--omit dev` it would also leave out those that both use. */
const DEVELOPMENT = 'cdx:npm:package:development';
const OUTPUT_BYTES_MAX = 16 * 2 ** 20;

const bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string(), version: z.literal(packageFile.version) }) }),
  components: z.array(z.looseObject({ 'bom-ref': z.string(), properties: z.array(z.object({ name: z.string(), value: z.string() })) })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.optional(z.array(z.string())) })),
});

/** @param cache a folder in which npm may write. Throws when there is no npm, or its output is not CycloneDX. */
export async function makeSbom(cache: string): Promise<Uint8Array> {
  const env = { ...process.env, npm_config_cache: cache, npm_config_update_notifier: 'false' };
  const { stdout } = await promisify(execFile)('npm', ARGUMENTS, { cwd: ROOT, env, maxBuffer: OUTPUT_BYTES_MAX });
  const { metadata, components, dependencies, ...rest } = bill.parse(JSON.parse(stdout));
  const { component } = metadata;
  const used = components.filter(({ properties }) => !properties.some(({ name }) => name === DEVELOPMENT));
  const refs = new Set([component['bom-ref'], ...used.map((each) => each['bom-ref'])]);
  const content = {
    ...without(rest, ['serialNumber']),
    // Which npm made it, when, and in which folder is left out.
    metadata: { ...without(metadata, ['timestamp', 'tools']), component: { ...component, name: packageFile.name } },
    components: used.toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
    dependencies: dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ dependsOn = [], ...each }) => ({ ...each, dependsOn: dependsOn.filter((ref) => refs.has(ref)).toSorted() }))
      .toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
  };
  return utf8(`${JSON.stringify({ ...content, serialNumber: serialNumberOf(content) }, null, 1)}\n`);
}

function without(value: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** A UUID of version 8 (RFC 9562 § 5.8) that is made of the content. */
function serialNumberOf(content: object): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const digits = hash.toString('hex');
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20, 32)];
  return `urn:uuid:${parts.join('-')}`;
}
