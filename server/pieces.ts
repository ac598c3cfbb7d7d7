import type { ServerResponse } from 'node:http';

/** Responses are written in pieces of this size; a connection buffers no more than one (server/listener.ts). */
export const ANSWER_PIECE_BYTES = 16_384;

/**
 * Ends `response` with `body`, writing each piece once the one before was read. Written all at once, a response would look unread
 * until its last byte is gone: over Tor that can take a minute.
 */
export function endInPieces(response: ServerResponse, body: Buffer): void {
  let at = 0;
  const goOn = (): void => {
    while (body.length - at > ANSWER_PIECE_BYTES) {
      const wasTaken = response.write(body.subarray(at, at + ANSWER_PIECE_BYTES));
      at += ANSWER_PIECE_BYTES;
      if (!wasTaken) {
        response.once('drain', goOn);
        return;
      }
    }
    response.end(body.subarray(at));
  };
  goOn();
}
