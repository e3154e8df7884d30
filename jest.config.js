export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@tapegrad/source', 'node', 'node-addons'] },
  testMatch: ['packages/*', 'docs', 'benchmarks'].map((folder) => `<rootDir>/${folder}/test/**/*.test.ts`),
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '<rootDir>/packages/dev/ts-jest-esm.cjs',
      { tsconfig: '<rootDir>/packages/dev/tsconfig.test.json', diagnostics: { ignoreCodes: [151001, 151002] } },
    ],
  },
  collectCoverageFrom: ['packages/*/src/**/*.ts'],
  maxWorkers: '100%',
  // Some tests start programs; on a busy machine that takes its time.
  testTimeout: 120_000,
  watchman: false,
};
