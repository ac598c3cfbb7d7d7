// Fields one after the other, each with a name and a length, then zeros.
import { concat } from './bytes.ts';
import { CodedError, type ErrorCode } from './errors.ts';

/** The length of a last field that takes whatever is left, padding included; its reader checks the padding. */
export const REST = 'rest';
/** Lengths in bytes by name, in the order of the fields. */
export type ByteLayout = Readonly<Record<string, number | typeof REST>>;
/** A field for each name of a layout. */
export type ByteFields<L extends ByteLayout> = { readonly [Name in keyof L]: Uint8Array };

/** Concatenates the fields. Throws `code` when one does not have the length that the layout says. */
export function joinFields<L extends ByteLayout>(layout: L, fields: ByteFields<L>, code: ErrorCode): Uint8Array {
  const joined: Uint8Array[] = [];
  for (const name in layout) {
    const [field, length] = [fields[name], layout[name]];
    if (length !== REST && field.length !== length) {
      throw new CodedError(code, `${name}: ${String(field.length)} bytes, expected ${String(length)}`);
    }
    joined.push(field);
  }
  return concat(...joined);
}

/** The inverse of `joinFields`, for bytes with padding. Throws `code` when anything after the last field is not zero. */
export function splitFields<L extends ByteLayout>(layout: L, bytes: Uint8Array, code: ErrorCode): ByteFields<L> {
  let at = 0;
  const fields = Object.entries(layout).map(([name, length]) => {
    const start = at;
    at = length === REST ? bytes.length : start + length;
    return [name, bytes.slice(start, at)] as const;
  });
  checkPadding(bytes.subarray(at), code);
  // It has every name of the layout.
  return Object.fromEntries(fields) as ByteFields<L>;
}

/** Throws `code` unless all bytes are zero. */
export function checkPadding(bytes: Uint8Array, code: ErrorCode): void {
  if (bytes.some((byte) => byte !== 0)) throw new CodedError(code, 'the padding is not zero');
}
