// The fields that put replies, notes and follow-ups in order. docs/protocol.md, § Order.
import * as z from 'zod/mini';
import { randomBytes, toHex } from './bytes.ts';
import { KNOWN_MAX, NUMBER_MAX, SHORT_ID_BYTES } from './order.ts';
import { hex } from './schema.ts';

export const ID_BYTES = 16;
export const orderNumber = z.int().check(z.minimum(1), z.maximum(NUMBER_MAX));
export const shortIds = z.array(hex(SHORT_ID_BYTES)).check(z.maxLength(KNOWN_MAX));

/** 16 random bytes as 32 hex digits, which identify a reply and its note, or any other note. */
export function newId(): string {
  return toHex(randomBytes(ID_BYTES));
}
