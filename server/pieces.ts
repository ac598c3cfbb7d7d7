import type { ServerResponse } from 'node:http';

/** Responses are written in pieces of this size; a connection buffers no more than one (server/listener.ts). */
export const RESPONSE_PIECE_BYTES = 16_384;

/**
 * Ends `response` with `body`, writing each piece once the one before was read. Written all at once, a response would look unread
 * until its last byte is gone: over Tor that can take a minute.
 */
export function endInPieces(response: ServerResponse, body: Buffer): void {
  let at = 0;
  const writeMore = (): void => {
    while (body.length - at > RESPONSE_PIECE_BYTES) {
      const hasRoom = response.write(body.subarray(at, at + RESPONSE_PIECE_BYTES));
      at += RESPONSE_PIECE_BYTES;
      if (!hasRoom) {
        response.once('drain', writeMore);
        return;
      }
    }
    response.end(body.subarray(at));
  };
  writeMore();
}
