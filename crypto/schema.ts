// zod at the boundary, with this folder's errors. zod/mini, because it travels to browsers.
import * as z from 'zod/mini';
import { CodedError, type ErrorCode } from './errors.ts';

// zod would otherwise try `new Function`, which the form's content security policy forbids and reports.
z.config({ jitless: true });

/** The value, typed, or an error that names the fields and never their content. */
export function parse<S extends z.ZodMiniType>(schema: S, value: unknown, code: ErrorCode, what: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = new Set(result.error.issues.map(({ path }) => path.map(String).join('.') || 'the whole'));
  throw new CodedError(code, `not ${what}: wrong or missing: ${[...fields].join(', ')}`);
}
