import { defineConfig } from 'vitest/config';

const conditions = ['@edgesync/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts'],
    benchmark: { include: ['libs/*/src/**/*.bench.ts', 'apps/*/src/**/*.bench.ts'] },
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
