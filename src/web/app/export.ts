/// <reference lib="dom" />
/** Takes away what is shown: figures as CSV and JSON, the pictures as one PNG. */

import type { MeshView } from "../../metrics/mesh-view.ts";
import type { ShownKey } from "./matrix.ts";
import type { Palette } from "./palette.ts";
import { type View, viewToHash } from "./view.ts";

const HEAD = [
  ...["key", "from", "to", "route", "hops", "echo", "state", "window_s", "count", "lost"],
  ...["p50_ms", "p95_ms", "p99_ms", "max_ms", "error_ms", "reporters"],
];

/** RFC 4180. A name that a spreadsheet would take for a formula gets an apostrophe before it. */
function csvField(value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(keys: readonly ShownKey[], windowS: number): string {
  const rows = keys.map(({ key: { view }, figures, condition }) => [
    ...[view.key, view.from, view.to, view.route, view.hops, view.echo, condition, windowS],
    ...[figures?.count, figures?.lost],
    ...[figures?.delays?.p50, figures?.delays?.p95, figures?.delays?.p99, figures?.delays?.max],
    ...[figures?.errorMs, view.reporters.join(" ")],
  ]);
  return [HEAD, ...rows].map((row) => `${row.map(csvField).join()}\r\n`).join("");
}

/** What is shown, in the shapes of the HTTP interface, with the view that chose it. */
export function toJson(mesh: MeshView, keys: readonly ShownKey[], view: View, at: number): string {
  const shown = keys.map(({ key, figures, condition }) => ({
    ...key.view,
    condition,
    window: {
      seconds: view.windowS,
      count: figures?.count,
      lost: figures?.lost,
      ms: figures?.delays && {
        p50: figures.delays.p50,
        p95: figures.delays.p95,
        p99: figures.delays.p99,
        max: figures.delays.max,
      },
      error_ms: figures?.errorMs,
    },
    points: key.points,
  }));
  return JSON.stringify({ ...mesh, at, view: viewToHash(view), keys: shown }, undefined, 1);
}

/** @param parts canvases from top to bottom, each under its title */
export function toPicture(
  parts: readonly { title: string; canvas: HTMLCanvasElement }[],
  caption: string,
  palette: Palette,
): Promise<Blob> {
  const ratio = devicePixelRatio;
  const pad = 24 * ratio;
  const head = 36 * ratio;
  const width = Math.max(640 * ratio, ...parts.map(({ canvas }) => canvas.width)) + 2 * pad;
  const height = parts.reduce((sum, { canvas }) => sum + head + canvas.height + pad, pad + head);
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const context = picture.getContext("2d")!;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, height);
  context.fillStyle = palette.text;
  context.textBaseline = "top";
  const family = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  let top = pad;
  for (const { title, canvas } of parts) {
    context.font = `600 ${16 * ratio}px ${family}`;
    context.fillText(title, pad, top);
    context.drawImage(canvas, pad, top + head);
    top += head + canvas.height + pad;
  }
  context.fillStyle = palette.quiet;
  context.font = `${12 * ratio}px ${family}`;
  context.fillText(caption, pad, top);
  return new Promise((resolve, reject) =>
    picture.toBlob((blob) => blob ? resolve(blob) : reject(new Error("no picture")), "image/png")
  );
}

export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
