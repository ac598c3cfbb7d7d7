import { statfs } from 'node:fs/promises';

/** Nothing finer: a parcel is a few kilobytes, and must not move what an operator sees. */
const STEPS = [
  [0.05, '0-5 %'],
  [0.1, '5-10 %'],
  [0.2, '10-20 %'],
  [Infinity, '20-100 %'],
] as const;

export const FREE_SHARES = STEPS.map(([, share]) => share);
export type FreeShare = (typeof FREE_SHARES)[number];
export type DiskState = { readonly free: FreeShare };

/** The lower bound of a step, as a fraction. */
export const freeFraction = (free: FreeShare): number => Number(/^\d+/.exec(free)?.[0]) / 100;

/** How much is free on the file system of `path`, in bytes or in files, whichever is scarcer. Throws when it cannot be asked. */
export async function readDisk(path: string): Promise<DiskState> {
  const { bavail, blocks, ffree, files } = await statfs(path);
  // Some file systems have no fixed number of files, and say 0.
  return { free: stepOf(Math.min(bavail / blocks, files > 0 ? ffree / files : 1)) };
}

export function stepOf(fraction: number): FreeShare {
  return STEPS.find(([below]) => fraction < below)?.[1] ?? '20-100 %';
}
