// The headers of every response: one list for the relay and for whoever verifies it, and nothing that helmet knows is forgotten.
import { expect, it } from 'vitest';
import { FIXED_HEADERS } from '../../runtime/served.ts';
import { fixedHeaders } from '../../server/headers.ts';

it('the list has all that helmet sets', () => {
  expect(() => fixedHeaders()).not.toThrow();
  expect(new Set(FIXED_HEADERS.map(([name]) => name)).size).toBe(FIXED_HEADERS.length);
});

it('the relay does not start with a list that lacks one of them, or has another value', () => {
  expect(() => fixedHeaders(FIXED_HEADERS.filter(([name]) => name !== 'Origin-Agent-Cluster'))).toThrow('Origin-Agent-Cluster');
  const lax = FIXED_HEADERS.map(([name, value]) =>
    name === 'X-Frame-Options' ? ([name, 'SAMEORIGIN'] as const) : ([name, value] as const),
  );
  expect(() => fixedHeaders(lax)).toThrow('X-Frame-Options');
});
