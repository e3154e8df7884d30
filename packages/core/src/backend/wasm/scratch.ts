import { addressOf, freeStorage, Storage } from '../../storage.ts';

/** Memory that a kernel needs while it runs. It is kept for the next call, and grows as needed. */
export class Scratch {
  private storage: Storage = new Storage(0);

  /** The storage behind the block that was last taken. */
  get held(): Storage {
    return this.storage;
  }

  /** The address of at least so many bytes, valid until the next tick; what they hold is undefined. */
  take(bytes: number): number {
    if (this.storage.byteLength < bytes) {
      freeStorage(this.storage);
      this.storage = new Storage(Math.ceil((bytes * 1.25) / 4096) * 4096);
    }
    return addressOf(this.storage);
  }
}
