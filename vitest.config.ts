import { defineConfig } from 'vitest/config';

// Set by scripts/test.mjs for `npm run test:interop`; those tests need toolchains that a plain run must not ask for.
const isInterop = process.env.SALLYPORT_TEST_SUITE === 'interop';

export default defineConfig({
  test: {
    include: isInterop ? ['test/interop/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(isInterop ? [] : ['test/interop/**'])],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Two cores: more workers only wait for each other and for the one PostgreSQL.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    passWithNoTests: true,
    reporters: ['default'],
  },
});
