/// <reference lib="dom" />
/** The text beside the pointer. */

import { byId, setText } from "./dom.ts";

const GAP = 14;

export function showTip(text: string, x: number, y: number): void {
  const tip = byId("tip");
  tip.hidden = false;
  setText(tip, text);
  const { width, height } = tip.getBoundingClientRect();
  const left = x + GAP + width > innerWidth ? x - GAP - width : x + GAP;
  const top = y + GAP + height > innerHeight ? y - GAP - height : y + GAP;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, top)}px`;
}

export function hideTip(): void {
  byId("tip").hidden = true;
}
