// Parts one after the other, each with a name and a length, and zeros behind them.
import { concat } from './bytes.ts';
import { CodedError, type ErrorCode } from './errors.ts';

/** The length of a last part that is as long as what is left, padding and all: whoever reads it checks the padding. */
export const REST = 'rest';
/** Lengths in bytes by name, in the order in which the parts stand. */
export type PartLengths = Readonly<Record<string, number | typeof REST>>;
/** A part for each name of a layout. */
export type Parts<L extends PartLengths> = { readonly [Name in keyof L]: Uint8Array };

/** The parts one after the other. Throws `code` when one has another length than the layout says. */
export function joinParts<L extends PartLengths>(layout: L, parts: Parts<L>, code: ErrorCode): Uint8Array {
  const joined: Uint8Array[] = [];
  for (const name in layout) {
    const [part, length] = [parts[name], layout[name]];
    if (length !== REST && part.length !== length) {
      throw new CodedError(code, `${name}: ${String(part.length)} bytes, expected ${String(length)}`);
    }
    joined.push(part);
  }
  return concat(...joined);
}

/** The inverse of `joinParts`, of bytes with padding. Throws `code` when what is left behind the last part is not zero. */
export function splitParts<L extends PartLengths>(layout: L, bytes: Uint8Array, code: ErrorCode): Parts<L> {
  let at = 0;
  const parts = Object.entries(layout).map(([name, length]) => {
    const start = at;
    at = length === REST ? bytes.length : start + length;
    return [name, bytes.slice(start, at)] as const;
  });
  checkPadding(bytes.subarray(at), code);
  // Each name of the layout is among them.
  return Object.fromEntries(parts) as Parts<L>;
}

/** Throws `code` unless all bytes are zero. */
export function checkPadding(bytes: Uint8Array, code: ErrorCode): void {
  if (bytes.some((byte) => byte !== 0)) throw new CodedError(code, 'the padding is not zero');
}
