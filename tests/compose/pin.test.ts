// `npm run pin`, against a real registry on this machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { http } from '../support/http.ts';
import { closedPort } from '../support/smtp.ts';
import { until } from '../support/worker.ts';
import { docker, RUN } from './stand/docker.ts';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

let dir: string;
let registry: ReturnType<typeof spawn>;
let place: string;
let digest: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'support-relay-pin-'));
  const port = await closedPort();
  place = `127.0.0.1:${String(port)}/${RUN}`;
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(dir, 'images') } },
    http: { addr: `127.0.0.1:${String(port)}` },
  };
  await writeFile(join(dir, 'registry.yml'), JSON.stringify(settings));
  registry = spawn('docker-registry', ['serve', join(dir, 'registry.yml')], { stdio: 'ignore' });
  const asked = (): Promise<number> =>
    http(`http://127.0.0.1:${String(port)}/v2/`).then(
      ({ status }) => status,
      () => 0,
    );
  await until('the registry answers', async () => (await asked()) === 200);
  await writeFile(join(dir, 'empty'), '');
  await writeFile(join(dir, 'Dockerfile'), 'FROM scratch\nCOPY empty /\n');
  docker('build', '--quiet', '--tag', `${place}:1`, dir);
  docker('push', '--quiet', `${place}:1`);
  const { headers } = await http(`http://127.0.0.1:${String(port)}/v2/${RUN}/manifests/1`, { headers: { accept: MANIFEST } });
  digest = String(headers['docker-content-digest']);
});
afterAll(async () => {
  const gone = once(registry, 'exit');
  registry.kill();
  await gone;
  docker('rmi', '--force', `${place}:1`);
  await rm(dir, { recursive: true, force: true });
});

const stage = (image: string, index: number): string => `# not pinned: npm run pin\nFROM ${image} AS stage-${String(index)}\n`;
const dockerfile = (...images: string[]): string => `# Some words.\n${images.map(stage).join('')}CMD ["x"]\n`;

async function pin(before: string): Promise<{ code: number | null; said: string; after: string }> {
  const file = join(dir, 'Dockerfile.pinned');
  await writeFile(file, before);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/pin.mjs', '--file', file], { cwd: ROOT, encoding: 'utf8' });
  return { code: status, said: `${stdout}${stderr}`, after: await readFile(file, 'utf8') };
}

test('the digest that the registry gives is written beside the tag, with the day, and a later run looks again', async () => {
  const { code, said, after } = await pin(dockerfile(`${place}:1`));
  expect(code, said).toBe(0);
  const day = new Date().toISOString().slice(0, 10);
  const pinned = `# Some words.\n# pinned on ${day}: npm run pin\nFROM ${place}:1@${digest} AS stage-0\nCMD ["x"]\n`;
  expect(after).toBe(pinned);
  expect((await pin(pinned.replace(digest, `sha256:${'0'.repeat(64)}`).replace(day, '2026-01-01'))).after).toBe(pinned);
});

test('what is not fetched stays as it is, and is named', async () => {
  const { code, said, after } = await pin(dockerfile(`${place}:1`, `${place}:nowhere`));
  expect([code, said]).toEqual([1, expect.stringContaining(`Left as they were: ${place}:nowhere.`)]);
  expect(after).toContain(`FROM ${place}:1@${digest} AS stage-0\n# not pinned: npm run pin\nFROM ${place}:nowhere AS stage-1\n`);
});

test('without a registry nothing changes, and it says so', async () => {
  const before = dockerfile(`127.0.0.1:${String(await closedPort())}/${RUN}:1`);
  const { code, said, after } = await pin(before);
  expect([code, said]).toEqual([1, expect.stringContaining('No registry was reached: nothing is changed.')]);
  expect(after).toBe(before);
});
