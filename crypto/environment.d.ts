// The few globals that every runtime has and the ES library does not declare. Nothing else of Node or the browser may be used in
// this folder: its tsconfig has the types of neither.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
