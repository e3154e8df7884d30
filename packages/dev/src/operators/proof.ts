import { resultSize, type Operator } from '../oracle/replay.ts';
import type { Signature } from '../oracle/signature.ts';
import { Unsupported } from '../oracle/values.ts';
import { aspects, questionOf, type Aspect, type FloatingDType, type Outcome, type Question } from './aspects.ts';

/** The letter of an aspect on the page. */
export type Letter = keyof typeof aspects;

/** What the recorded calls of an operator show on one backend and in one dtype. */
export type Proof = Readonly<Record<Letter, Outcome>>;

/** The letters in the order of the page. */
export const letters: readonly Letter[] = Object.keys(aspects) as Letter[];

/** The kinds of outcome: of several calls, the first that occurs counts. */
const weight: readonly Outcome['kind'][] = ['wrong', 'recorded', 'measured', 'open', 'absent'];

/** Asks all about an operator, on the backend that is in use. */
export function proofOf({ samples, differentiable }: Operator, signature: Signature | undefined, dtype: FloatingDType): Proof {
  const questions = signature === undefined ? [] : samples.filter(isTelling).map((x) => questionOf(x, signature, dtype));
  const outcomes = letters.map((letter): [Letter, Outcome] => {
    const isAbsent = !differentiable && letter !== 'V' && letter !== 'M';
    return [letter, questions.length > 0 && isAbsent ? { kind: 'absent' } : outcomeOf(questions, aspects[letter])];
  });
  return Object.fromEntries(outcomes) as Proof;
}

function outcomeOf(questions: readonly Question[], aspect: Aspect): Outcome {
  const outcomes = questions.map((question): Outcome => {
    try {
      return aspect(question);
    } catch (error) {
      return { kind: error instanceof Unsupported ? 'open' : 'wrong', reason: String(error).split('\n')[0]! };
    }
  });
  return weight.flatMap((kind) => outcomes.filter((outcome) => outcome.kind === kind))[0] ?? { kind: 'open' };
}

/** Whether a call shows something: without elements everything is right. */
function isTelling(sample: Operator['samples'][number]): boolean {
  return resultSize(sample) > 0 && !isComplex(sample);
}

/** Whether a call has complex numbers among its arguments or results. */
export function isComplex(sample: Operator['samples'][number]): boolean {
  return JSON.stringify(sample).includes('"complex128"');
}
