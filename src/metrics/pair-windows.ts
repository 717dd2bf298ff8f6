/**
 * Where halves of pairs wait for their partner: rows of numbers, one for each message or slot,
 * found by its key. Bounded; what is too old gives way to what is new.
 */

/** Rows of `width` numbers in `values`; a number that nobody wrote yet is NaN. */
export interface PairWindow {
  readonly values: Float64Array;
  /** Where the row of a key begins, made where there is none; −1 if the key is too old. */
  rowOf(key: number): number;
}

const FIRST_ROWS = 64;

/**
 * Rows by sequence number: a ring in which a row gives way to one that is a ring's length newer.
 * For what arrives in floods: no search, no allocation.
 *
 * @param mayGrowBy Asked for more rows when a partner finds its row gone; true grants them.
 */
export function createSequenceWindow(
  width: number,
  mayGrowBy: (rows: number) => boolean,
): PairWindow {
  let rows = FIRST_ROWS;
  let keys = new Float64Array(rows).fill(-1);
  let values = new Float64Array(rows * width);

  const grow = (): void => {
    const [oldKeys, oldValues] = [keys, values];
    rows *= 2;
    keys = new Float64Array(rows).fill(-1);
    values = new Float64Array(rows * width);
    oldKeys.forEach((key, old) => {
      if (key < 0) return;
      keys[key % rows] = key;
      values.set(oldValues.subarray(old * width, (old + 1) * width), (key % rows) * width);
    });
  };

  return {
    get values() {
      return values;
    },
    rowOf(key) {
      const index = key % rows;
      const found = keys[index]!;
      const row = index * width;
      if (found === key) return row;
      if (found > key) {
        if (mayGrowBy(rows)) grow();
        return -1;
      }
      keys[index] = key;
      values.fill(NaN, row, row + width);
      return row;
    },
  };
}

/**
 * Rows by the time of a slot, which is any number: those of the newest slots to come, at least
 * `spanUs` of them unless that takes more than `mostRows`.
 */
export function createSlotWindow(width: number, spanUs: number, mostRows: number): PairWindow {
  let rows = FIRST_ROWS;
  /** In the order of their coming, a ring whose oldest is at `next` once it is full. */
  let keys = new Float64Array(rows).fill(NaN);
  let values = new Float64Array(rows * width);
  let next = 0;
  const indices = new Map<number, number>();

  const grow = (): void => {
    const [oldKeys, oldValues, oldRows] = [keys, values, rows];
    rows *= 2;
    keys = new Float64Array(rows).fill(NaN);
    values = new Float64Array(rows * width);
    for (let i = 0; i < oldRows; i++) {
      const old = (next + i) % oldRows;
      keys[i] = oldKeys[old]!;
      values.set(oldValues.subarray(old * width, (old + 1) * width), i * width);
      indices.set(keys[i]!, i);
    }
    next = oldRows;
  };

  return {
    get values() {
      return values;
    },
    rowOf(key) {
      const found = indices.get(key);
      if (found !== undefined) return found * width;
      // NaN, where no slot was yet, is no oldest one.
      if (key - keys[next]! < spanUs && rows < mostRows) grow();
      const oldest = keys[next]!;
      if (key < oldest) return -1;
      indices.delete(oldest);
      keys[next] = key;
      indices.set(key, next);
      const row = next * width;
      values.fill(NaN, row, row + width);
      next = (next + 1) % rows;
      return row;
    },
  };
}
