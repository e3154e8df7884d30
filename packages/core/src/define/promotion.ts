import { categoryDType, dtypeInfo, getDefaultDType, promoteTypes, type Category, type DType } from '../dtype.ts';
import type { Tensor } from '../tensor.ts';

/** A plain number's category: bool, integral (whole numbers) or floating. */
export function numberCategory(value: number | boolean): Category {
  if (typeof value === 'boolean') return 0;
  return Number.isInteger(value) ? 1 : 2;
}

/**
 * The dtype in which tensors and plain numbers meet. Tensors with dimensions decide; zero-dimensional ones matter only
 * when their category is higher, and numbers only when theirs is higher still.
 * @source torch.result_type
 */
export function resultType(tensors: readonly Tensor[], numbers: readonly (number | boolean)[]): DType {
  let first: DType | null = null;
  let same = true;
  for (let i = 0; i < tensors.length; i++) {
    const { dtype } = tensors[i]!;
    if (first === null) first = dtype;
    else if (dtype !== first) same = false;
  }
  let result = first !== null && same ? first : promoteByRank(tensors);
  for (let i = 0; i < numbers.length; i++) {
    const category = numberCategory(numbers[i]!);
    if (result === null || category > dtypeInfo[result].category) result = categoryDType(category);
  }
  return result ?? getDefaultDType();
}

function promoteByRank(tensors: readonly Tensor[]): DType | null {
  let dimensioned: DType | null = null;
  let scalar: DType | null = null;
  for (const { dtype, shape } of tensors) {
    if (shape.length > 0) dimensioned = dimensioned === null ? dtype : promoteTypes(dimensioned, dtype);
    else scalar = scalar === null ? dtype : promoteTypes(scalar, dtype);
  }
  if (dimensioned === null) return scalar;
  if (scalar === null || dtypeInfo[scalar].category <= dtypeInfo[dimensioned].category) return dimensioned;
  return promoteTypes(dimensioned, scalar);
}
