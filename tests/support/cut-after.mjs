// Loaded before a program (`node --import`): ends it with SIGKILL at the write to the disk of which CUT_AFTER gives the number. A file that
// is being written then has half of its bytes. With CUT_ONLY=content only the writing of content counts, not a file's making or renaming.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.CUT_AFTER);
const onlyContent = process.env.CUT_ONLY === 'content';

async function cut(half) {
  left -= 1;
  if (left > 0) return;
  await half?.();
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}

for (const name of ['rename', 'rm', 'unlink', 'mkdir']) {
  const original = fs[name];
  fs[name] = async (...given) => {
    // What changes nothing, such as removing a file that is not there, is not counted.
    const isIdle =
      (name === 'rm' || name === 'mkdir') &&
      (await fs.lstat(given[0]).then(
        () => name === 'mkdir',
        () => name === 'rm',
      ));
    if (!isIdle && !onlyContent) await cut();
    return original(...given);
  };
}

const open = fs.open;
fs.open = async (path, flags = 'r', ...more) => {
  if (flags !== 'r' && !onlyContent) await cut();
  return open(path, flags, ...more);
};

const handle = await open(new URL(import.meta.url).pathname, 'r');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
const writeFile = prototype.writeFile;
prototype.writeFile = async function (content, ...more) {
  const bytes = Buffer.from(content);
  await cut(() => this.write(bytes.subarray(0, bytes.length / 2)));
  return writeFile.call(this, content, ...more);
};

syncBuiltinESMExports();
