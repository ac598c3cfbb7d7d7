// The two builds of libsodium for browsers, cut from its packages: each opens what the other seals, and both give every
// vector its expected result.
import { createRequire } from 'node:module';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import type { openLetter, sealLetter } from '../../crypto/letter.ts';
import { ROOT } from '../../runtime/root.ts';
import { ENGINES, sodiumPlugin, sodiumWasm, type Engine } from '../../web/build/cut.ts';
import { VECTORS, type runVectors } from '../vectors/run.ts';

type Built = {
  generateIdentity: typeof generateIdentity;
  identityToRecipient: typeof identityToRecipient;
  sealLetter: typeof sealLetter;
  openLetter: typeof openLetter;
  runVectors: typeof runVectors;
  provideWasm: (wasm: ArrayBuffer) => void;
  ready: Promise<void>;
};
const ENTRY = `
  export { generateIdentity, identityToRecipient } from './crypto/age/identity.ts';
  export { sealLetter, openLetter } from './crypto/letter.ts';
  export { ready } from './crypto/sodium.ts';
  export { provideWasm } from './web/page/wasm.ts';
  export { runVectors } from './tests/vectors/run.ts';
`;
const content = {
  version: 1,
  kind: 'request',
  serial: 1,
  keyring: 'a'.repeat(64),
  topic: 'legal',
  language: 'ru',
  message: 'Запечатано здесь.',
} as const;

describe('libsodium for browsers', () => {
  let dir: string;
  const built = new Map<Engine, Built>();
  const of = (engine: Engine): Built => {
    const found = built.get(engine);
    if (found === undefined) throw new Error(`${engine} was not built`);
    return found;
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(ROOT, 'node_modules', '.engines-'));
    for (const engine of ENGINES) {
      const { outputFiles } = await build({
        absWorkingDir: ROOT,
        stdin: { contents: ENTRY, resolveDir: ROOT, loader: 'ts' },
        bundle: true,
        write: false,
        format: 'cjs',
        platform: 'node',
        target: 'node20',
        define: { 'import.meta.url': '""' },
        logLevel: 'error',
        plugins: [sodiumPlugin(engine)],
      });
      const file = join(dir, `${engine}.cjs`);
      await writeFile(file, outputFiles[0]?.contents ?? '');
      built.set(engine, createRequire(file)(file) as Built);
    }
    const wasm = await sodiumWasm();
    of('wasm').provideWasm(Uint8Array.from(wasm).buffer);
    for (const engine of ENGINES) await of(engine).ready;
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it.each([
    ['wasm', 'js'],
    ['js', 'wasm'],
  ] as const)('seals with %s what %s opens', (sealing, opening) => {
    const identity = of(opening).generateIdentity();
    const letter = of(sealing).sealLetter(content, [of(opening).identityToRecipient(identity)]);
    expect(of(opening).openLetter(letter, [identity])).toEqual(content);
    expect(of(sealing).openLetter(letter, [identity])).toEqual(content);
  });

  it.each(ENGINES)(
    'gives every vector its result with %s',
    async (engine) => {
      const outcome = await of(engine).runVectors({ ofEngine: true });
      expect(outcome.failed).toEqual([]);
      expect(outcome.passed).toBe(VECTORS);
      expect(outcome.passed).toBeGreaterThan(100);
    },
    300_000,
  );
});
