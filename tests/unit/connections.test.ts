import { describe, expect, it } from 'vitest';
import { worth } from '../../server/connections.ts';

/** Of a connection that has brought so many bytes a second for so many seconds. */
const after = (seconds: number, bytesPerSecond: number) => worth({ sinceMs: 0, bytes: seconds * bytesPerSecond }, seconds * 1_000);

describe('who gives way at the door', () => {
  const PHONE = 512;
  const UPLOAD_SECONDS = Math.ceil(24_576 / PHONE);

  it('is who is silent for five seconds, before a phone that brings half a kilobyte a second, at any moment of its upload', () => {
    for (let second = 1; second <= UPLOAD_SECONDS; second += 1) expect(after(second, PHONE)).toBeGreaterThan(after(5, 0));
  });

  it('is who trickles, before such a phone and before somebody whose first byte is two seconds away', () => {
    for (const seconds of [5, 20, 60]) {
      expect(after(seconds, 1)).toBeLessThan(after(UPLOAD_SECONDS, PHONE));
      expect(after(seconds, 1)).toBeLessThan(after(2, 0));
    }
  });

  it('is the oldest of those that are silent', () => {
    expect(after(3, 0)).toBeLessThan(after(2, 0));
    expect(Number.isFinite(after(0, 0))).toBe(true);
  });
});
