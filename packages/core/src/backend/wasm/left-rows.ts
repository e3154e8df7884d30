import { blockedKernels, M_BLOCK } from './blocked.ts';
import type { Plan } from './convolution-plan.ts';
import { directKernels } from './direct.ts';
import { floatTypes } from './floats.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns, tileRows } from './tile.ts';

const panels = new Scratch();
const packedRows = new Scratch();

/** Room for packed columns, after what a strip needs aside. */
export function takePanels({ dtype, bytes }: Plan, depth: number, width: number): number {
  return panels.take(spareBytes() + depth * (width + tileColumns(floatTypes[dtype])) * bytes);
}

/** So few rows are not worth packing. */
const FEW_ROWS = 32;

/** The left operands of products: as many rows as there are filters, which are packed if they are not few. */
export class LeftRows {
  private readonly plan: Plan;
  private readonly rowBytes: number;
  private readonly arePacked: boolean;
  private readonly address: number = 0;
  /** Bytes of packed rows per element of depth. */
  private readonly depthBytes: number;

  /** @param depth room for so many packed elements per row, in all */
  constructor(plan: Plan, rowBytes: number, depth: number) {
    this.plan = plan;
    this.rowBytes = rowBytes;
    this.arePacked = plan.filters > FEW_ROWS;
    this.depthBytes = Math.ceil(plan.filters / tileRows()) * tileRows() * plan.bytes;
    if (this.arePacked) this.address = packedRows.take(this.depthBytes * depth);
  }

  /** Packs some elements of the rows. */
  set(position: number, from: number, depth: number): void {
    if (!this.arePacked) return;
    const { dtype, bytes, filters } = this.plan;
    const to = this.address + position * this.depthBytes;
    blockedKernels(dtype).packRows(to, from, bytes, this.rowBytes, depth, filters);
  }

  /** c (+)= these rows, which lie at `from` and were packed at `position`, times packed columns. */
  multiply(
    position: number,
    from: number,
    depth: number,
    width: number,
    columns: number,
    c: number,
    cRow: number,
    add: boolean,
    spare: number,
  ): void {
    const { dtype, bytes, filters } = this.plan;
    const adds = add ? 1 : 0;
    if (!this.arePacked) {
      const { directPanels } = directKernels(dtype);
      directPanels(filters, width, depth, from, this.rowBytes, bytes, columns, c, cRow, adds, spare);
      return;
    }
    const { block } = blockedKernels(dtype);
    const a = this.address + position * this.depthBytes;
    for (let i = 0; i < filters; i += M_BLOCK) {
      const rows = Math.min(M_BLOCK, filters - i);
      block(rows, width, depth, a + i * depth * bytes, columns, c + i * cRow, cRow, adds, spare);
    }
  }
}
