// `npm run pin [-- --file FILE]`: fetches the images of others that the Dockerfile is made from, and writes their digests into it, so
// that everybody builds on the same bytes. A digest that was not fetched just now is never written.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BootstrapError, root, run } from './bootstrap.mjs';

/** A comment that says whether the image is pinned, and the line it is about. */
const BASE =
  /^# (?:not pinned|pinned on \d{4}-\d{2}-\d{2}): npm run pin\nFROM (?<image>[^\s@]+)(?:@sha256:[0-9a-f]{64})? AS (?<stage>\S+)$/gm;

await run(() => {
  const { values } = parseArgs({ options: { file: { type: 'string', default: join(root, 'Dockerfile') } } });
  const old = readFileSync(values.file, 'utf8');
  const images = [...old.matchAll(BASE)].map(({ groups }) => groups.image);
  if (images.length === 0) throw new BootstrapError(`${values.file} has no line to pin: "# not pinned: npm run pin", and FROM below it.`);
  const digests = new Map(images.map((image) => [image, fetchDigest(image)]));
  const today = new Date().toISOString().slice(0, 10);
  const pinned = old.replace(BASE, (text, image, stage) => {
    const digest = digests.get(image);
    return digest === null ? text : `# pinned on ${today}: npm run pin\nFROM ${image}@${digest} AS ${stage}`;
  });
  if (pinned !== old) {
    writeFileSync(`${values.file}.new`, pinned);
    renameSync(`${values.file}.new`, values.file);
  }
  const missing = images.filter((image) => digests.get(image) === null);
  if (missing.length === images.length) {
    throw new BootstrapError('No registry was reached: nothing is changed. Run it again where Docker can pull images.');
  }
  if (missing.length > 0) throw new BootstrapError(`Left as they were: ${missing.join(', ')}.`);
  console.log('Commit the Dockerfile, and build: docker compose build');
});

/** @returns the digest under which the registry gave out the image, or null */
function fetchDigest(image) {
  const { status, stdout, stderr, error } = spawnSync('docker', ['pull', image], { encoding: 'utf8' });
  if (error !== undefined) throw new BootstrapError(`docker does not run (${error.code}). This needs Docker.`);
  const digest = status === 0 ? (/^Digest: (sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? null) : null;
  console.log(digest === null ? `not fetched  ${image}: ${stderr.trim().split('\n').at(-1)}` : `fetched      ${image}@${digest}`);
  return digest;
}
