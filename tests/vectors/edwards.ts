// Ed25519 (RFC 8032, § 5.1) in big integers, slow and not constant-time: for making signatures on which libraries disagree.
import { createHash } from 'node:crypto';

const P = 2n ** 255n - 19n;
/** The order of the base point. */
export const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
const mod = (a: bigint, m = P): bigint => ((a % m) + m) % m;

function power(base: bigint, exponent: bigint): bigint {
  let [result, square, rest] = [1n, mod(base), exponent];
  for (; rest > 0n; rest >>= 1n, square = mod(square * square)) if (rest & 1n) result = mod(result * square);
  return result;
}
const inverse = (a: bigint): bigint => power(a, P - 2n);
const D = mod(-121_665n * inverse(121_666n));

export type Point = readonly [x: bigint, y: bigint];
export const ZERO: Point = [0n, 1n];

/** With a common denominator: one division at the end instead of two in each step. */
type Fraction = readonly [x: bigint, y: bigint, z: bigint];

function sum([x1, y1, z1]: Fraction, [x2, y2, z2]: Fraction): Fraction {
  const a = mod(z1 * z2);
  const b = mod(a * a);
  const [c, d] = [mod(x1 * x2), mod(y1 * y2)];
  const e = mod(D * c * d);
  return [mod(a * (b - e) * (x1 * y2 + x2 * y1)), mod(a * (b + e) * (d + c)), mod((b - e) * (b + e))];
}

function divided([x, y, z]: Fraction): Point {
  const one = inverse(z);
  return [mod(x * one), mod(y * one)];
}

export function add(a: Point, b: Point): Point {
  return divided(sum([...a, 1n], [...b, 1n]));
}

export function multiply(scalar: bigint, point: Point): Point {
  let [result, double]: [Fraction, Fraction] = [
    [...ZERO, 1n],
    [...point, 1n],
  ];
  for (let rest = scalar; rest > 0n; rest >>= 1n, double = sum(double, double)) if (rest & 1n) result = sum(result, double);
  return divided(result);
}

/** The point with this y and the lowest bit of x; null when there is none. */
export function pointWith(y: bigint, oddX: boolean): Point | null {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(x * x) !== square) return null;
  return [(x & 1n) === (oddX ? 1n : 0n) ? x : mod(-x), y];
}

export const BASE = pointWith(mod(4n * inverse(5n)), false) ?? ZERO;

/** A point of order 8: any point times L is in the group of eight; half of those have the whole order. */
export function pointOfOrder8(): Point {
  for (let y = 2n; ; y += 1n) {
    const point = pointWith(y, false);
    const torsion = point === null ? ZERO : multiply(L, point);
    if (multiply(4n, torsion)[1] !== 1n) return torsion;
  }
}

export function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
export const fromLittleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** 32 bytes; `beyond`: y encoded as y + p, which is not canonical and fits for y below 19. */
export function encode([x, y]: Point, beyond = false): Uint8Array {
  return littleEndian((y + (beyond ? P : 0n)) | ((x & 1n) << 255n));
}

/** The point that 32 bytes encode, even when not canonical; null when they encode none. */
export function decode(bytes: Uint8Array): Point | null {
  const value = fromLittleEndian(bytes);
  return pointWith(mod(value & (2n ** 255n - 1n)), value >> 255n === 1n);
}

/** SHA-512 of R, A and the message, as a number below L. */
export function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return mod(fromLittleEndian(createHash('sha512').update(r).update(key).update(message).digest()), L);
}
