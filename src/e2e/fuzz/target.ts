/** What is fuzzed: a decoder, or all that stands behind one, and what must hold of it. */

/**
 * How mutations cut an input into pieces, so that most of what they make gets past the first check:
 *
 * - `bytes`: as it stands
 * - `frames`: frames with their length before them (relay/frame.ts), one or many
 * - `datagrams`: as written by `joinDatagrams`, one or many
 * - `json`: lines, mostly of JSON
 */
export type Shape = "bytes" | "frames" | "datagrams" | "json";

export interface Target {
  readonly name: string;
  readonly shape: Shape;
  /** Longer inputs are cut off. */
  readonly mostBytes: number;
  /** Inputs that are as they ought to be, made by our own encoders. */
  seeds(): Uint8Array[];
  /**
   * Gives an input to what is tested.
   *
   * @returns whether it was taken for what it ought to be
   * @throws where something does not hold that has to, whatever the input is
   */
  run(input: Uint8Array): boolean | Promise<boolean>;
}

/** What `read` gives; undefined where it refuses the input by its own error. */
export function readOrRefuse<T>(
  read: () => T,
  refusal: new (...all: never[]) => Error,
): T | undefined {
  try {
    return read();
  } catch (error) {
    // An error without words tells users nothing.
    if (error instanceof refusal && error.message !== "") return undefined;
    throw error;
  }
}
