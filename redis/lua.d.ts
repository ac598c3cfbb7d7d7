/** Scripts for Redis, as texts: by the loader of scripts/build.mjs and scripts/bench.mjs, and by a plugin of vitest.config.ts. */
declare module '*.lua' {
  const text: string;
  export default text;
}
