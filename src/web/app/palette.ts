/// <reference lib="dom" />
/** Colours of the theme, for what is drawn on a canvas. */

import type { Condition } from "./condition.ts";

export interface Palette {
  surface: string;
  line: string;
  text: string;
  quiet: string;
  idle: string;
  idleMark: string;
  accent: string;
  marks: Readonly<Record<Condition, string>>;
  /** By the index of a route. */
  route(index: number): string;
  /** Its colour, to be seen through. */
  band(index: number): string;
  /** @param share 0 to 1, from low to high */
  ramp(share: number): { fill: string; text: string };
}

/** Colours that there are for routes; further ones begin anew. */
const ROUTES = 6;

type Rgb = readonly [number, number, number];

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const steps = mixRamp(rgbOf(read("ramp-low")), rgbOf(read("ramp-high")));
  const idleMark = read("idle-mark");
  const routes = Array.from({ length: ROUTES }, (_, index) => read(`route-${index}`));
  return {
    surface: read("surface"),
    line: read("line"),
    text: read("text"),
    quiet: read("quiet"),
    idle: read("idle"),
    idleMark,
    accent: read("accent"),
    marks: {
      ok: read("good"),
      slow: read("slow"),
      lossy: read("lossy"),
      stale: idleMark,
      dead: idleMark,
    },
    route: (index) => routes[index % ROUTES]!,
    band: (index) => `rgb(${rgbOf(routes[index % ROUTES]!).join(" ")} / 20%)`,
    ramp: (share) => steps[Math.round(Math.min(1, Math.max(0, share)) * RAMP_STEPS)]!,
  };
}

/** More than the eye tells apart; so that a colour is mixed once, not for each cell. */
const RAMP_STEPS = 128;

function mixRamp(low: Rgb, high: Rgb): { fill: string; text: string }[] {
  return Array.from({ length: RAMP_STEPS + 1 }, (_, step) => {
    const share = step / RAMP_STEPS;
    const mixed = low.map((from, i) => Math.round(from + (high[i]! - from) * share));
    return { fill: `rgb(${mixed.join()})`, text: isDark(mixed) ? "#ffffff" : "#10151c" };
  });
}

function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Relative luminance (WCAG) below which white is read better than black. */
function isDark(rgb: readonly number[]): boolean {
  const [r, g, b] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! < 0.18;
}
