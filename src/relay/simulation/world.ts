/** True time, and everything that is to happen in it. */
export interface World {
  /** True time in µs since the world began. */
  readonly trueUs: number;
  /** Does something at a true time (now, if that has passed). Returns what cancels it. */
  at(trueUs: number, action: () => void): () => void;
  /** Does something after a true duration. Returns what cancels it. */
  after(delayUs: number, action: () => void): () => void;
  /**
   * Runs until true time is `untilUs`; with Infinity, until nothing is left to happen.
   */
  run(untilUs: number): void;
}

interface Event {
  trueUs: number;
  /** Events of one instant happen in the order in which they were planned. */
  order: number;
  action: (() => void) | undefined;
}

/** A world at true time 0, with nothing planned. */
export function createWorld(): World {
  const heap: Event[] = [];
  let trueUs = 0;
  let planned = 0;

  function at(atUs: number, action: () => void): () => void {
    const event: Event = { trueUs: Math.max(atUs, trueUs), order: planned++, action };
    push(heap, event);
    return () => {
      event.action = undefined;
    };
  }

  return {
    get trueUs() {
      return trueUs;
    },
    at,
    after: (delayUs, action) => at(trueUs + delayUs, action),
    run(untilUs) {
      while (heap.length > 0 && heap[0]!.trueUs <= untilUs) {
        const event = pop(heap);
        if (event.action === undefined) continue;
        trueUs = event.trueUs;
        event.action();
      }
      if (untilUs !== Infinity) trueUs = Math.max(trueUs, untilUs);
    },
  };
}

function earlier(a: Event, b: Event): boolean {
  return a.trueUs < b.trueUs || (a.trueUs === b.trueUs && a.order < b.order);
}

/** Binary heap: each event is at or before both events below it. */
function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!earlier(event, heap[parent]!)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): Event {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child++;
    if (!earlier(heap[child]!, last)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
  return first;
}
