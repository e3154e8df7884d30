// jest's ESM loader calls a transformer's synchronous `process`, in which ts-jest forgets to report errors; without
// one it falls back to `processAsync`, which reports them. So only the asynchronous half is handed on.
const tsJest = require('ts-jest').default;

module.exports = {
  createTransformer(config) {
    const inner = tsJest.createTransformer({ ...config, useESM: true });
    return {
      canInstrument: inner.canInstrument,
      processAsync: (...args) => inner.processAsync(...args),
      getCacheKey: (...args) => inner.getCacheKey(...args),
      getCacheKeyAsync: (...args) => inner.getCacheKeyAsync(...args),
    };
  },
};
