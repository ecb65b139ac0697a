import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // A slow machine under load must not fail a test that is right.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
