import sodium from 'libsodium-wrappers';

/** Resolves once libsodium can be used. Await it before calling anything in this folder. */
export const ready: Promise<void> = sodium.ready;

export { sodium };
