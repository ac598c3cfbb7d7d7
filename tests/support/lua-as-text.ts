import type { Plugin } from 'vitest/config';

/** Imports Lua scripts as text, like esbuild's loader for dist/. */
export const luaAsText: Plugin = {
  name: 'lua-as-text',
  transform: (code, id) => (id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)};`, map: null } : null),
};
