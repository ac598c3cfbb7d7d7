// Gives libsodium its WebAssembly: the page hands the bytes of /sodium.wasm to the sealing worker.

type Done = (instance: WebAssembly.Instance) => void;

let handIn: (bytes: ArrayBuffer) => void = () => undefined;
const bytes = new Promise<ArrayBuffer>((resolve) => {
  handIn = resolve;
});
let failed: (error: unknown) => void = () => undefined;

/** Never resolves; rejects when libsodium cannot be started, which libsodium itself does not report. */
export const unusable = new Promise<never>((_, reject) => {
  failed = reject;
});

export function provideWasm(wasm: ArrayBuffer): void {
  handIn(wasm);
}

/** Called by libsodium instead of instantiating WebAssembly of its own. */
export function instantiateWasm(imports: WebAssembly.Imports, done: Done): object {
  bytes
    .then((wasm) => WebAssembly.instantiate(wasm, imports))
    .then(({ instance }) => done(instance))
    .catch(failed);
  return {};
}
