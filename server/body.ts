import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'exact'; readonly bytes: Buffer } | { readonly kind: 'short' | 'long' | 'gone' };

/**
 * Reads a body of exactly `length` bytes. A body that declares another length is not read at all; one that turns out longer is
 * read no further. So at most `length` bytes are held, and all but an exact body are overwritten.
 * `gone`: the sender disconnected, or the request timed out. On a timeout `onLate`, if given, responds instead of the listener.
 */
export async function readExactly(request: IncomingMessage, length: number, onLate?: () => void): Promise<Body> {
  const announced = request.headers['content-length'];
  if (announced !== undefined && Number(announced) !== length) return { kind: Number(announced) > length ? 'long' : 'short' };

  return new Promise((resolve) => {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    let decided = false;
    const finish = (body: Body) => {
      decided = true;
      request.off('end', onEnd).off('error', onGone).off('close', onGone).off('timeout', onTimeout);
      // A reset after we have decided no longer matters, but must not go unhandled.
      request.on('error', () => undefined);
      if (body.kind !== 'exact') bytes.fill(0);
      resolve(body);
    };
    // Stays attached after the decision, so that whatever still arrives is overwritten too.
    const onData = (chunk: Buffer) => {
      if (!decided && filled + chunk.length > length) finish({ kind: 'long' });
      if (!decided) filled += chunk.copy(bytes, filled);
      chunk.fill(0);
    };
    const onEnd = () => finish(filled === length ? { kind: 'exact', bytes } : { kind: 'short' });
    const onGone = () => finish({ kind: 'gone' });
    const onTimeout = () => {
      finish({ kind: 'gone' });
      onLate?.();
    };
    if (onLate !== undefined) request.once('timeout', onTimeout);
    request.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone);
  });
}
