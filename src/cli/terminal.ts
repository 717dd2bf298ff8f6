/** Where tables and the live view go. */
export interface Terminal {
  write(text: string): void;
  /** Columns of a line now. */
  columns(): number;
  /** Lines of the screen now. */
  rows(): number;
  /** Whether the cursor can be moved: a terminal that a person reads. */
  isTerminal: boolean;
  /** Whether ANSI colours are wanted. */
  colour: boolean;
}

/** What is needed of `process.stdout`. */
export interface OutputStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** Files and log viewers have no width of their own: wide enough for the keys as records have them. */
const COLUMNS_OF_FILES = 120;
const TERMINAL_COLUMNS = 80;
const TERMINAL_ROWS = 24;

/**
 * An output stream as a terminal. Colours only on a terminal, and not if `NO_COLOR` has a value
 * (no-color.org) or `TERM` is `dumb`, which cannot move its cursor either.
 */
export function createTerminal(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isTerminal = stream.isTTY === true && environment["TERM"] !== "dumb";
  return {
    write: (text) => {
      stream.write(text);
    },
    // A terminal that was just opened may say 0.
    columns: () => stream.isTTY === true ? stream.columns || TERMINAL_COLUMNS : COLUMNS_OF_FILES,
    rows: () => stream.rows || TERMINAL_ROWS,
    isTerminal,
    colour: isTerminal && !environment["NO_COLOR"],
  };
}
