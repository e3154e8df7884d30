// One library in one process: reads orders from stdin and answers on stdout, one line of JSON each.
import { createInterface } from 'node:readline';
import type { Case } from './case.ts';
import { fingerprint, type Fingerprint } from './fingerprint.ts';
import { makeInputs } from './inputs.ts';
import type { Adapter, Prepared, Shapes } from './prepared.ts';

const [file = ''] = process.argv.slice(2);
// What libraries print has no place among the answers.
console.log = console.info = console.error;
const { adapter } = (await import(file)) as { adapter: Adapter };

let prepared: Prepared | undefined;

type Order = Readonly<Record<string, unknown>>;

const orders: Readonly<Record<string, (order: Order) => unknown>> = {
  hello: () => ({
    version: adapter.version,
    operations: Object.keys(adapter.operations),
    hasScopes: adapter.scoped !== undefined,
  }),
  prepare: ({ work }) => prepare(work as Case),
  round: ({ iterations, scoped }) => round(iterations as number, scoped as boolean),
  memory: ({ steps, seconds }) => memory(steps as number, seconds as number),
};

async function prepare({
  operation,
  inputs,
  sizes,
  checkedSteps,
}: Case): Promise<{ results: Record<string, Fingerprint> }> {
  prepared?.dispose?.();
  const shapes: Shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  prepared = await adapter.operations[operation]!(makeInputs(inputs), sizes, shapes);
  const results: Record<string, Fingerprint> = {};
  for (let step = 1; step <= checkedSteps; step++) {
    await prepared.step();
    for (const [name, values] of Object.entries(await prepared.results())) {
      results[checkedSteps === 1 ? name : `${name} ${step}`] = fingerprint(values);
    }
  }
  return { results };
}

/** Time and CPU time of one step, in nanoseconds. */
async function round(iterations: number, scoped: boolean): Promise<{ wall: number; cpu: number }> {
  const plain = prepared!.step;
  const step = scoped ? (): void => adapter.scoped!(plain as () => void) : plain;
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  // The synchronous loop of a synchronous library is what its users write.
  for (let i = 0; i < iterations; i++) {
    const done = step();
    if (done !== undefined) await done;
  }
  const wall = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpu);
  return { wall: wall / iterations, cpu: ((user + system) * 1000) / iterations };
}

/** Resident size along a loop of steps without a pause, ten times. */
async function memory(steps: number, seconds: number): Promise<{ steps: number[]; megabytes: number[] }> {
  const { step } = prepared!;
  const report = { steps: [] as number[], megabytes: [] as number[] };
  const end = performance.now() + seconds * 1000;
  for (let i = 1; i <= steps; i++) {
    const done = step();
    if (done !== undefined) await done;
    const late = performance.now() > end;
    if (i % (steps / 10) !== 0 && !late) continue;
    report.steps.push(i);
    report.megabytes.push(process.memoryUsage.rss() / 1e6);
    if (late) break;
  }
  return report;
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  try {
    answer(await orders[order['order'] as string]!(order));
  } catch (error) {
    if (process.env['BENCHMARK_TRACE'] !== undefined) console.error(error);
    answer({ error: String(error instanceof Error ? error.message : error).split('\n')[0] });
  }
}
process.exit(0);
