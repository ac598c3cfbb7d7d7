import type { ServerResponse } from 'node:http';

/** What an answer is written in; connections hold no more of it than that (server/listener.ts). */
export const ANSWER_PIECE_BYTES = 16_384;

/**
 * Ends `response` with `body`, each piece when the one before was taken. The whole at once would look, until its last byte is
 * gone, as if the reader took nothing: over Tor that can be a minute.
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
