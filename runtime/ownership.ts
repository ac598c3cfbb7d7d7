// Whose a new file is. A part reads and writes its own folders; root, who sets up, writes into them too.
import { stat, type FileHandle } from 'node:fs/promises';

/** Numbers of a user and a group. */
export type Owner = { readonly uid: number; readonly gid: number };

/**
 * Whose a file becomes that is made in `folder`: where root makes it, the folder's owner, since root's file would be closed to the part
 * that reads there. Null: whoever makes it.
 */
export async function ownerByFolder(folder: string): Promise<Owner | null> {
  if (process.getuid?.() !== 0) return null;
  const stats = await stat(folder).catch(() => null);
  return stats === null ? null : { uid: stats.uid, gid: stats.gid };
}

/** Gives an opened file to `owner`. Not every file system can: so only where it is somebody else's. */
export async function giveTo(owner: Owner | null, file: FileHandle): Promise<void> {
  if (owner === null) return;
  const { uid, gid } = await file.stat();
  if (uid !== owner.uid || gid !== owner.gid) await file.chown(owner.uid, owner.gid);
}
