// Says what `useBlas` found; its tests run it with other environments.
import { useBlas } from '../src/index.ts';

const said = await useBlas().then(
  ({ summary }) => summary,
  (error: Error) => `${error.name}: ${error.message}`,
);
console.log(said);
