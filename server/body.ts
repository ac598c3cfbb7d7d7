import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'exact'; readonly bytes: Buffer } | { readonly kind: 'short' | 'long' | 'gone' };

/**
 * Reads a body of exactly `length` bytes. What announces another length is not read at all, and what turns out
 * longer is read no further: never more than `length` bytes are held, and nothing but an exact body outlives the reading.
 * `gone`: the sender left. `onLate` is called, if it is given, when the time for the request is over, to answer it instead
 * of the listener; the body is `gone` then too.
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
      // A reset after we have decided is nobody's business any more, but must not go unhandled.
      request.on('error', () => undefined);
      if (body.kind !== 'exact') bytes.fill(0);
      resolve(body);
    };
    // Stays when all is decided: what still comes is overwritten, too.
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
