import { defineConfig } from 'vitest/config';

const conditions = ['@edgesync/source', 'node', 'import', 'module', 'default'];

/** Suites of what clients see: they run against the split deployment too (see CONTRIBUTING.md). */
const DEPLOYMENT_SUITES = [
  'apps/gateway/src/**/*.e2e.spec.ts',
  'apps/replication/src/peers/*.e2e.spec.ts',
  'apps/interop/src/replay/transcripts.e2e.spec.ts',
  'apps/interop/src/crash/*.e2e.spec.ts',
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'all-in-one',
          include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts'],
          benchmark: { include: ['libs/*/src/**/*.bench.ts', 'apps/*/src/**/*.bench.ts'] },
        },
      },
      {
        extends: true,
        test: {
          name: 'split',
          include: DEPLOYMENT_SUITES,
          benchmark: { include: [] },
          setupFiles: ['apps/interop/src/testing/split.setup.ts'],
        },
      },
    ],
  },
});
