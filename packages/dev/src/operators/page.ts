import { nameOf, resultSize, type Operator } from '../oracle/replay.ts';
import type { Signature } from '../oracle/signature.ts';
import type { FloatingDType, Outcome } from './aspects.ts';
import { Families } from './families.ts';
import { isComplex, letters, type Letter, type Proof } from './proof.ts';
import { spellingOf } from './spelling.ts';

/** One of the columns with marks. */
export interface Setting {
  readonly backend: string;
  readonly dtype: FloatingDType;
}

/** An operator with what was found, in the order of the settings. */
export interface Row {
  readonly operator: Operator;
  readonly proofs: readonly Proof[];
}

/** The backends and dtypes in which the page shows every operator. */
export const settings: readonly Setting[] = ['wasm', 'reference'].flatMap((backend) =>
  (['float64', 'float32'] as const).map((dtype) => ({ backend, dtype })));

/** What the letters stand for. */
const meanings: Readonly<Record<Letter, string>> = {
  V: 'value',
  G: 'gradient',
  S: 'second gradient',
  J: 'jvp',
  M: 'vmap',
};

/** Why some marks are as they are, where the samples can not tell. */
const remarks: readonly (readonly [names: RegExp, remark: string])[] = [
  [/^(fft\.|i?stft$)/, 'Fourier transforms come with complex numbers'],
  [/^jiterator/, 'compiles CUDA code'],
  [/^as_strided$/, 'addresses the storage under a slice, which vmap does not copy'],
  [/^special\.bessel_/, 'PyTorch 1.13 has seven digits here; special.test.ts compares with exact values'],
];

const isShown = ({ kind }: Outcome): boolean => kind === 'recorded' || kind === 'measured';

function markOf(letter: Letter, { kind }: Outcome): string {
  if (isShown({ kind })) return kind === 'measured' && (letter === 'G' || letter === 'S') ? letter.toLowerCase() : letter;
  return { absent: '·', open: '?', wrong: '!' }[kind as 'absent' | 'open' | 'wrong'];
}

/** Whether anything of an operator is there and proven. */
export const isThere = ({ proofs }: Row): boolean => Object.values(proofs[0]!).some(({ kind }) => kind !== 'open');

function noteOf({ operator, proofs }: Row): string {
  const remark = remarks.find(([names]) => names.test(nameOf(operator)));
  if (remark !== undefined) return remark[1];
  const [proof] = proofs as [Proof];
  if (operator.samples.length > 0 && operator.samples.every(isComplex)) return 'complex numbers';
  if (operator.samples.length > 0 && operator.samples.every((sample) => resultSize(sample) === 0)) {
    return 'the calls on record have no elements, which shows nothing';
  }
  if (proof.V.kind === 'open') return 'not there yet';
  const wrong = Object.values(proof).find(({ kind }) => kind === 'wrong');
  if (wrong !== undefined) return wrong.reason ?? '';
  const reasons = [
    operator.differentiable ? '' : 'not differentiable',
    operator.differentiable && proof.S.kind === 'absent' ? 'no gradient reaches the input' : '',
    proof.M.kind === 'absent' ? (proof.M.reason ?? '') : '',
  ];
  return reasons.filter((reason) => reason !== '').join('; ');
}

const escaped = (text: string): string => text.replaceAll('|', '\\|');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};

function rowOf(row: Row, spelling: string | undefined): string[] {
  const marks = row.proofs.map((proof) => `\`${letters.map((letter) => markOf(letter, proof[letter])).join('')}\``);
  return [`\`${nameOf(row.operator)}\``, spelling === undefined ? '' : `\`${escaped(spelling)}\``, ...marks, noteOf(row)];
}

/** How many operators are proven of how many, in words that other pages repeat. */
export function countOf(rows: readonly Row[]): string {
  return `${rows.filter(isThere).length} of the ${rows.length} operators`;
}

function counts(rows: readonly Row[], setting: number): string[] {
  return letters.map((letter) => String(rows.filter(({ proofs }) => isShown(proofs[setting]![letter])).length));
}

/** docs/operators.md. */
export function pageOf(rows: readonly Row[], signatures: Readonly<Record<string, Signature>>, root: string): string {
  const families = new Families(root);
  const groups = new Map<string, { source: string; members: { row: Row; spelling: string | undefined }[] }>();
  for (const row of rows) {
    const spelling = spellingOf(row.operator.op, signatures[nameOf(row.operator)]);
    const family = spelling === undefined ? undefined : families.of(spelling);
    const title = family?.title ?? (spelling === undefined ? 'not there' : 'others');
    const group = groups.get(title) ?? { source: family?.source ?? '', members: [] };
    groups.set(title, group);
    group.members.push({ row, spelling });
  }
  const rank = (title: string): number => Number(title === 'others') + 2 * Number(title === 'not there');
  const ordered = [...groups].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
  const head = settings.map(({ backend, dtype }) => `${backend} ${dtype}`);
  const sections = ordered.map(([title, { source, members }]) => {
    const link = source === '' ? '' : `[${source}](../${source})\n\n`;
    return `## ${title}\n\n${link}${table(['PyTorch', 'here', ...head, ''], members.map(({ row, spelling }) => rowOf(row, spelling)))}`;
  });
  const contents = ordered.map(([title, { members }]) => {
    const some = members.map(({ row }) => row);
    return [`[${title}](#${title.replaceAll(' ', '-').replaceAll('.', '')})`, String(some.length), ...counts(some, 0)];
  });
  const words = letters.map((letter) => meanings[letter]);
  return `${introduction(rows)}

${table(['', ...words], settings.map(({ backend, dtype }, i) => [`${backend} ${dtype}`, ...counts(rows, i)]))}

${table([`family (${settings[0]!.backend} ${settings[0]!.dtype})`, 'operators', ...words], contents)}

${sections.join('\n\n')}
`;
}

function introduction(rows: readonly Row[]): string {
  const samples = rows.reduce((sum, { operator }) => sum + operator.samples.length, 0);
  return `# Operators

Proven here are ${countOf(rows)} that PyTorch's own tests list (a variant with tests of its own counts as one). \`npm run operators\` writes this
page from ${samples} recorded calls of PyTorch, one or two of each operator, and a test compares it with what these calls show; so a letter stands
for something that was computed and compared. \`npm run operators -- FILE\` counts the same over a larger record.

In \`here\`, \`x\` is the input, \`tg\` is \`@tapegrad/core\` and \`F\` is \`nn.functional\`. The marks:

| | |
|---|---|
| \`V\` | values are PyTorch's; in float32, those of float64 on the same rounded numbers (of random numbers dtype and shape: each dtype draws its own) |
| \`G\` \`S\` | gradients and gradients of gradients are PyTorch's, in float32 as for values; \`g\` \`s\`: PyTorch has none on record (there it is zero, or not there, or depends on a free choice), and ours agrees with finite differences |
| \`J\` | forward mode: ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ for random u and v, where values are finite; \`func.jvp\` finds Jv by differentiating uᵀJ by u |
| \`M\` | \`func.vmap\` over slices that lie apart in memory gives what the slices give; it runs the function once per slice |
| \`·\` | the operator does not have it: no derivative, no tensor to map over, or another shape for each slice |
| \`!\` \`?\` | it differs; it is not there; the last column says why |`;
}
