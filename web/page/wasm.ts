// Where libsodium's WebAssembly comes from: the page hands the bytes of /sodium.wasm to the sealing worker.

type Done = (instance: WebAssembly.Instance) => void;

let handIn: (bytes: ArrayBuffer) => void = () => undefined;
const bytes = new Promise<ArrayBuffer>((resolve) => {
  handIn = resolve;
});
let failed: (error: unknown) => void = () => undefined;

/** Never resolves; rejects when libsodium cannot be started, which it does not say itself. */
export const unusable = new Promise<never>((_, reject) => {
  failed = reject;
});

export function provideWasm(wasm: ArrayBuffer): void {
  handIn(wasm);
}

/** What libsodium calls in the place of starting WebAssembly of its own. */
export function instantiateWasm(imports: WebAssembly.Imports, done: Done): object {
  bytes
    .then((wasm) => WebAssembly.instantiate(wasm, imports))
    .then(({ instance }) => done(instance))
    .catch(failed);
  return {};
}
