// `npm run release`: makes a release of the programs and of the form, signed with the release key. docs/release.md.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { CliError, EXIT, UsageError } from '../../cli/errors.ts';
import { describeFailure } from '../../cli/failure.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { existingPassphrase } from '../../cli/terminal/passphrase.ts';
import { processIo } from '../../cli/terminal/process-io.ts';
import { encodeManifest, MANIFEST_NAME, MANIFEST_SIGNATURE_NAME } from '../../crypto/manifest.ts';
import { sign, verify } from '../../crypto/minisign.ts';
import { ROOT } from '../../runtime/root.ts';
import { RELEASE_NAME, releaseFiles } from './contents.ts';
import { VERSION } from '../../runtime/version.ts';

const USAGE = `npm run release -- --key FILE [--out DIR] [--passphrase-file FILE]

Makes a release in release/${RELEASE_NAME}: the programs, the sources of the form, the form without anything of an
organisation, a list of the packages (CycloneDX), and a manifest of all of it, signed. Nothing is overwritten. The same
commit and key give the same bytes, wherever and by whomever they are made.

  --key FILE              the secret release key, in minisign's format; its passphrase is asked
  --out DIR               where to put it instead
  --passphrase-file FILE  for scripts: the passphrase is the first line of FILE
  --help                  show this text`;

const io = processIo();

async function main(): Promise<void> {
  const { values } = options();
  if (values.help === true) {
    io.out(`${USAGE}\n`);
    return;
  }
  if (values.key === undefined || values.key === '') throw usage('--key is missing');
  const keyFile = values.key;
  const out = resolve(values.out ?? join(ROOT, 'release', RELEASE_NAME));
  if (existsSync(out)) throw new CliError('OUTPUT_EXISTS', `${out} is there already`, 'remove it, or give another --out');
  await insistOnCommit();
  const key = await readRootKey(keyFile, () => existingPassphrase(io, keyFile, values['passphrase-file']), io);
  await mkdir(dirname(out), { recursive: true });
  const staging = await mkdtemp(`${out}.new-`);
  try {
    const files = await releaseFiles(key, join(staging, 'scratch'));
    await rm(join(staging, 'scratch'), { recursive: true, force: true });
    const manifest = encodeManifest(files);
    const signature = sign(manifest, key, `${RELEASE_NAME} ${MANIFEST_NAME}`);
    verify(manifest, signature, key);
    for (const [path, bytes] of [...files, [MANIFEST_NAME, manifest], [MANIFEST_SIGNATURE_NAME, signature]] as const) {
      await mkdir(dirname(join(staging, path)), { recursive: true });
      await writeFile(join(staging, path), bytes);
    }
    await chmod(staging, 0o755);
    await rename(staging, out);
    tell(out, createHash('sha256').update(manifest).digest('hex'));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function options() {
  try {
    return parseArgs({
      options: {
        key: { type: 'string' },
        out: { type: 'string' },
        'passphrase-file': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch {
    throw usage('there is an option that is not known, or lacks its value');
  }
}

function usage(what: string): UsageError {
  return Object.assign(new UsageError(what), { advice: 'see npm run release -- --help' });
}

/** Whoever repeats the build has the commit only. Sources without git, unpacked from an archive, are taken as they are. */
async function insistOnCommit(): Promise<void> {
  if (!existsSync(join(ROOT, '.git'))) return;
  const { stdout } = await promisify(execFile)('git', ['status', '--porcelain'], { cwd: ROOT });
  if (stdout === '') return;
  throw new CliError('INPUT_FORMAT', 'there are changes that are not committed', 'commit them, or put them aside with git stash --all');
}

function tell(out: string, digest: string): void {
  io.err(`The release is in ${out}.\n`);
  io.out(`version  ${VERSION}\ndigest   ${digest}\n`);
}

await main().catch((error: unknown) => {
  const { line, exitCode } = describeFailure(error);
  io.err(`release: ${line}\n`);
  process.exitCode = exitCode === EXIT.ok ? EXIT.internal : exitCode;
});
