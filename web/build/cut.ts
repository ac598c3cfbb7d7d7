// Cuts two builds of libsodium for browsers out of the official npm packages: one whose WebAssembly is a file of its own, and one in
// JavaScript alone, for browsers without WebAssembly (Tor Browser at Safer). Both keep the packages' code as it is, except for the
// WebAssembly that they carry in base64; the first also leaves out the wrappers of functions that nothing calls.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OnLoadResult, Plugin } from 'esbuild';
import { ROOT } from '../../runtime/root.ts';

const WEB = join(ROOT, 'web');

export const ENGINES = ['wasm', 'js'] as const;
/** What libsodium runs on. */
export type Engine = (typeof ENGINES)[number];

/** `AGFzbQ` is how a WebAssembly module begins, in base64. */
const WASM = /"(AGFzbQ[A-Za-z0-9+/]{100000,}={0,2})"/g;

type Packages = Readonly<Record<Engine, { libsodium: string; wrappers: string }>>;

function packages(): Packages {
  const require = createRequire(join(WEB, 'build/cut.ts'));
  const wrappers = require.resolve('libsodium-wrappers');
  const libsodium = createRequire(wrappers).resolve('libsodium');
  const esm = (file: string, name: string): string => join(dirname(file), '..', 'modules-esm', name);
  return {
    wasm: { libsodium: esm(libsodium, 'libsodium.mjs'), wrappers: esm(wrappers, 'libsodium-wrappers.mjs') },
    js: { libsodium, wrappers },
  };
}

/** The code of a package without its WebAssembly, and the WebAssembly. Throws when the package is not of the known shape. */
async function cut(file: string): Promise<{ code: string; wasm: Buffer }> {
  const source = await readFile(file, 'utf8');
  const [match, ...more] = source.matchAll(WASM);
  const base64 = match?.[1];
  if (base64 === undefined || more.length > 0 || !source.includes('.instantiateWasm')) {
    throw new Error(`${file} is not the libsodium that this build knows`);
  }
  return { code: source.replace(base64, ''), wasm: Buffer.from(base64, 'base64') };
}

/** The wrappers have a list of the names of their functions and, in the same order, a list of the functions. */
const WRAPPED = /(for\(var \w+=\[)((?:"\w+",?)+)(\],\w+=\[)((?:[\w$]+,?)+)(\])/g;
/** Functions that the wrappers call themselves when they start. */
const SELF_TEST: readonly string[] = ['randombytes_buf', 'crypto_secretbox_easy', 'crypto_secretbox_open_easy'];

/** Leaves in both lists only what `crypto/` calls, a dozen of hundreds. esbuild then drops the rest, which saves a browser 10 KB. */
async function cutWrappers(file: string): Promise<string> {
  const source = await readFile(file, 'utf8');
  const [match, ...more] = source.matchAll(WRAPPED);
  const [names = [], functions = []] = [match?.[2], match?.[4]].map((list) => list?.split(','));
  if (match === undefined || more.length > 0 || names.length !== functions.length) {
    throw new Error(`${file} is not the wrappers that this build knows`);
  }
  const crypto = join(ROOT, 'crypto');
  const files = (await readdir(crypto, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const ours = await Promise.all(files.map((name) => readFile(join(crypto, name), 'utf8')));
  const called = new Set([...SELF_TEST, ...ours.flatMap((text) => [...text.matchAll(/\bsodium\.(\w+)/g)].map(([, name]) => name))]);
  const kept = [...names.keys()].filter((i) => called.has((names[i] ?? '').slice(1, -1)));
  const only = (list: readonly string[]): string => kept.map((i) => list[i]).join();
  return source.replace(match[0], () => [match[1], only(names), match[3], only(functions), match[5]].join(''));
}

/** The bytes of /sodium.wasm. */
export async function sodiumWasm(): Promise<Buffer> {
  return (await cut(packages().wasm.libsodium)).wasm;
}

/** Lets libsodium take its WebAssembly from web/page/wasm.ts. */
const AROUND_WASM = `
import start from 'libsodium/cut';
import { instantiateWasm } from '${join(WEB, 'page/wasm.ts').replaceAll('\\', '/')}';
export default (options) => start({ ...options, instantiateWasm });
`;

/**
 * libsodium's package tries WebAssembly and falls back to JavaScript when that fails. Here it is told at once that it has failed, so that
 * it does not try: NoScript covers a page that has an uncaught error which names WebAssembly. In one file with the wrappers, because the
 * fallback removes the promise that they wait for as soon as it is done.
 */
const beforeJs = 'exports.instantiateWasm = () => undefined;\n';
const afterJs = "\nexports.onAbort(new Error('no WebAssembly wanted'));\n";

/** Decides which build `import 'libsodium-wrappers'` (crypto/sodium.ts) gets. */
export function sodiumPlugin(engine: Engine): Plugin {
  const { libsodium, wrappers } = packages()[engine];
  return {
    name: `libsodium-${engine}`,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^libsodium-wrappers$/ }, () => ({ path: wrappers }));
      onResolve({ filter: /^libsodium$/ }, () => (engine === 'wasm' ? { path: 'around', namespace: 'libsodium' } : { path: libsodium }));
      onResolve({ filter: /^libsodium\/cut$/ }, () => ({ path: libsodium }));
      // Imported under Node only.
      onResolve({ filter: /^(node:fs|crypto)$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /^around$/, namespace: 'libsodium' }, () => ({ contents: AROUND_WASM, resolveDir: WEB }));
      if (engine === 'wasm') {
        onLoad({ filter: /[\\/]libsodium-wrappers\.mjs$/ }, async ({ path }) => ({ contents: await cutWrappers(path) }));
      }
      onLoad({ filter: /[\\/]libsodium\.m?js$/ }, async ({ path }): Promise<OnLoadResult | null> => {
        if (path !== libsodium) return null;
        const { code } = await cut(path);
        return { contents: engine === 'wasm' ? code : `${beforeJs}${code}${afterJs}` };
      });
    },
  };
}
