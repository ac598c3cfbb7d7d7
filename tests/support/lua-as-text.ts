import type { Plugin } from 'vitest/config';

/** Imports of scripts for Redis give their text, as esbuild's loader has it in dist/. */
export const luaAsText: Plugin = {
  name: 'lua-as-text',
  transform: (code, id) => (id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)};`, map: null } : null),
};
