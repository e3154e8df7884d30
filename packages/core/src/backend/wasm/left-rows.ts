import { type BlockedKernels, blockedKernels, M_BLOCK } from './blocked.ts';
import type { Plan } from './convolution-plan.ts';
import { type DirectKernels, directKernels } from './direct.ts';
import { floatTypes } from './floats.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns, tileRows } from './tile.ts';
import type { Work } from './work.ts';

const panels = new Scratch();
const packedRows = new Scratch();

/** Room for packed columns, after what a strip needs aside. */
export function takePanels({ dtype, bytes }: Plan, depth: number, width: number, work: Work): number {
  return work.take(panels, spareBytes() + depth * (width + tileColumns(floatTypes[dtype])) * bytes);
}

/** So few rows are not worth packing. */
const FEW_ROWS = 32;

/** The left operands of products: as many rows as there are filters, which are packed if they are not few. */
export class LeftRows {
  private readonly plan: Plan;
  private readonly work: Work;
  private readonly rowBytes: number;
  private readonly arePacked: boolean;
  private readonly directPanels: DirectKernels['directPanels'];
  private readonly blocked: BlockedKernels | null = null;
  private readonly address: number = 0;
  /** Bytes of packed rows per element of depth. */
  private readonly depthBytes: number;

  /** @param depth room for so many packed elements per row, in all */
  constructor(plan: Plan, rowBytes: number, depth: number, work: Work) {
    this.plan = plan;
    this.work = work;
    this.directPanels = work.kernels(directKernels(plan.dtype)).directPanels;
    this.rowBytes = rowBytes;
    this.arePacked = plan.filters > FEW_ROWS;
    this.depthBytes = Math.ceil(plan.filters / tileRows()) * tileRows() * plan.bytes;
    if (this.arePacked) {
      this.address = work.take(packedRows, this.depthBytes * depth);
      this.blocked = work.kernels(blockedKernels(plan.dtype));
    }
  }

  /** Packs some elements of the rows, in a task of its own. */
  set(position: number, from: number, depth: number): void {
    if (!this.arePacked) return;
    const { bytes, filters } = this.plan;
    this.work.task();
    this.blocked!.packRows(this.address + position * this.depthBytes, from, bytes, this.rowBytes, depth, filters);
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
    const { bytes, filters } = this.plan;
    const adds = add ? 1 : 0;
    if (!this.arePacked) {
      this.directPanels(filters, width, depth, from, this.rowBytes, bytes, columns, c, cRow, adds, spare);
      return;
    }
    const { block } = this.blocked!;
    const a = this.address + position * this.depthBytes;
    for (let i = 0; i < filters; i += M_BLOCK) {
      const rows = Math.min(M_BLOCK, filters - i);
      block(rows, width, depth, a + i * depth * bytes, columns, c + i * cRow, cRow, adds, spare);
    }
  }
}
