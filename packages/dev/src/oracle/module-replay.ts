import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';
import { constructorArguments, forwardArguments, wantsIndices } from './module-signatures.ts';
import { flatTensors, type Verdict } from './replay.ts';
import { Decoder, difference, gradientDifference, Unsupported, type Json, type TensorJson } from './values.ts';

/** One call of a module, with what PyTorch computed. */
export interface ModuleSample {
  constructorArgs: Json[];
  constructorKwargs: Record<string, Json>;
  training: boolean;
  state: Record<string, Json>;
  inputs: Json[];
  kwargs: Record<string, Json>;
  outputs: Json[];
  cotangents?: Json[];
  inputGrads?: Json[];
  paramGrads?: Record<string, Json>;
  stateAfter?: Record<string, Json>;
}

/** One line of the modules' file. */
export interface ModuleLine {
  module: string;
  samples: ModuleSample[];
}

/** The seed before every call, for modules that draw random numbers. */
const SEED = 42;

type AnyModule = new (...args: unknown[]) => nn.Module;

/** Runs every sample of a module, and compares outputs, gradients and buffers. */
export function replayModule({ module, samples }: ModuleLine): Verdict {
  const counts = { samples: samples.length, passed: 0, errors: 0, rejected: 0 };
  const verdict: Verdict = { name: `nn.${module}`, ...counts, failures: [], accepted: [], unsupported: [] };
  const Class = (nn as unknown as Record<string, AnyModule | undefined>)[module];
  if (Class === undefined) {
    verdict.unsupported.push('no signature yet');
    return verdict;
  }
  samples.forEach((sample, i) => {
    try {
      const finding = replaySample(module, Class, sample);
      if (finding === undefined) verdict.passed++;
      else verdict.failures.push(`sample ${i}: ${finding}`);
    } catch (error) {
      if (error instanceof Unsupported) verdict.unsupported.push(`sample ${i}: ${error.message}`);
      else verdict.failures.push(`sample ${i}: threw ${String(error).split('\n')[0]}`);
    }
  });
  return verdict;
}

function replaySample(name: string, Class: AnyModule, sample: ModuleSample): string | undefined {
  const decode = (json: Json): unknown => new Decoder().value(json);
  const decodeAll = (items: Record<string, Json>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(items).map(([key, item]) => [key, decode(item)]));
  const given = [name, sample.constructorArgs.map(decode), decodeAll(sample.constructorKwargs)] as const;
  const module = new Class(...constructorArguments(...given)).double();
  module.loadStateDict(decodeAll(sample.state) as nn.StateDict);
  module.train(sample.training);
  const decoder = new Decoder();
  const inputs = sample.inputs.map((json) => decoder.value(json));
  const kwargs = Object.fromEntries(Object.entries(sample.kwargs).map(([key, json]) => [key, decoder.value(json)]));
  tg.manualSeed(SEED);
  const outputs = flatTensors(call(module, forwardArguments(name, inputs, kwargs), wantsIndices(...given)));
  const findings = [
    ...sample.outputs.map((expected, i) => named(`output ${i}`, compare(outputs[i], expected))),
    ...gradientFindings(module, decoder.leaves, outputs, sample),
  ];
  const state = module.stateDict();
  for (const [key, expected] of Object.entries(sample.stateAfter ?? {})) {
    findings.push(named(`${key} afterwards`, compare(state[key], expected)));
  }
  return findings.find((finding) => finding !== undefined);
}

/** What PyTorch's modules give back with 'return_indices' is a method of its own here. */
function call(module: nn.Module, inputs: unknown[], both: boolean): unknown {
  return both ? (module as unknown as nn.MaxPool2d).forwardWithIndices(...(inputs as [Tensor])) : module(...inputs);
}

function gradientFindings(
  module: nn.Module,
  leaves: readonly Tensor[],
  outputs: readonly Tensor[],
  { cotangents = [], inputGrads = [], paramGrads = {} }: ModuleSample,
): (string | undefined)[] {
  const pairs = outputs.flatMap((output, i) => {
    const cotangent = new Decoder().value(cotangents[i] ?? null) as Tensor | null;
    return cotangent !== null && output.requiresGrad ? [[output, cotangent] as const] : [];
  });
  if (pairs.length > 0) tg.backward(pairs.map(([output]) => output), pairs.map(([, cotangent]) => cotangent));
  const parameters = new Map(module.namedParameters());
  return [
    ...inputGrads.map((expected, i) => named(`gradient of input ${i}`, gradientDifference(leaves[i]?.grad ?? null, expected))),
    ...Object.entries(paramGrads).map(([key, expected]) =>
      named(`gradient of ${key}`, gradientDifference(parameters.get(key)?.grad ?? null, expected)),
    ),
  ];
}

function compare(actual: Tensor | undefined, expected: Json): string | undefined {
  const { $tensor } = expected as unknown as { $tensor: TensorJson };
  return actual === undefined ? 'missing' : difference(actual, $tensor);
}

function named(what: string, finding: string | undefined): string | undefined {
  return finding === undefined ? undefined : `${what}: ${finding}`;
}
