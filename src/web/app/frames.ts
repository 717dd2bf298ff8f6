/// <reference lib="dom" />
/** Draws within the frames of the screen, never so long that one is missed by much. */

/** Time for drawing within a frame, beyond which the rest waits for the next one. */
const FRAME_MS = 8;

/**
 * @param prepare returns what is to be drawn, step by step
 * @returns asks for all to be drawn anew from the next frame on
 */
export function createFrames(prepare: () => (() => void)[]): () => void {
  let steps: (() => void)[] = [];
  let isAsked = false;
  let isGoingOn = false;

  function draw(): void {
    const endMs = performance.now() + FRAME_MS;
    do steps.shift()?.(); while (steps.length > 0 && performance.now() < endMs);
    if (steps.length === 0 || isGoingOn) return;
    isGoingOn = true;
    requestAnimationFrame(() => {
      isGoingOn = false;
      // What is drawn anew need not be finished.
      if (!isAsked) draw();
    });
  }

  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      steps = prepare();
      draw();
    });
  };
}
