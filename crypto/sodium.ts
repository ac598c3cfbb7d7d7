import sodium from 'libsodium-wrappers';

/** Resolves once libsodium can be used. Everything in this folder that is not a type needs it first. */
export const ready: Promise<void> = sodium.ready;

export { sodium };
