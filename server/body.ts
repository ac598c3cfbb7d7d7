import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'exact'; readonly bytes: Buffer } | { readonly kind: 'short' | 'long' | 'gone' };

/**
 * Reads a body of exactly `length` bytes. What announces another length is not read at all, and what turns out
 * longer is read no further: never more than `length` bytes are held. `gone`: the sender left.
 */
export async function readExactly(request: IncomingMessage, length: number): Promise<Body> {
  const announced = request.headers['content-length'];
  if (announced !== undefined && Number(announced) !== length) return { kind: Number(announced) > length ? 'long' : 'short' };

  return new Promise((resolve) => {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    const finish = (body: Body) => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      // A reset after we have decided is nobody's business any more, but must not go unhandled.
      request.on('error', () => undefined);
      resolve(body);
    };
    const onData = (chunk: Buffer) => {
      if (filled + chunk.length > length) {
        finish({ kind: 'long' });
        return;
      }
      filled += chunk.copy(bytes, filled);
    };
    const onEnd = () => finish(filled === length ? { kind: 'exact', bytes } : { kind: 'short' });
    const onGone = () => finish({ kind: 'gone' });
    request.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone);
  });
}
