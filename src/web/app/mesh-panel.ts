/// <reference lib="dom" />
/** The mesh on the page: its canvas, how it is gone through by pointer and keys, and its table. */

import { formatMs } from "../../cli/numbers.ts";
import { type Condition, CONDITIONS, WORDS } from "./condition.ts";
import { byId, el, setText } from "./dom.ts";
import { cellAt, type Layout, layOut } from "./heat-layout.ts";
import { drawHeatMap, drawMark } from "./heat-map.ts";
import type { Cell, Matrix } from "./matrix.ts";
import type { Palette } from "./palette.ts";
import { hideTip, showTip } from "./tip.ts";
import { describeBound, describeCondition, describeKey } from "./words.ts";

interface Place {
  row: number;
  column: number;
}
interface Pair {
  from: string;
  to: string;
}

export interface MeshPanel {
  show(matrix: Matrix, about: string, routes: readonly string[], palette: Palette): void;
  select(pair: Pair | undefined): void;
  /** What is drawn now, for a picture. */
  readonly canvas: HTMLCanvasElement;
}

export function createMeshPanel(onSelect: (from: string, to: string) => void): MeshPanel {
  const canvas = byId<HTMLCanvasElement>("heat-map");
  const context = canvas.getContext("2d")!;
  const scroll = byId("mesh-scroll");
  const reading = byId("mesh-reading");
  const selectedFrame = byId("mesh-selected");
  const hoverFrame = byId("mesh-hover");
  const details = byId<HTMLDetailsElement>("mesh-table");
  let matrix: Matrix | undefined;
  let layout: Layout | undefined;
  let palette: Palette | undefined;
  let routes: readonly string[] = [];
  let hover: Place | undefined;
  let selected: Pair | undefined;
  let isDue = false;

  function draw(): void {
    isDue = false;
    if (matrix === undefined || palette === undefined) return;
    context.font =
      '13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
    layout = layOut(matrix, scroll.clientWidth, (text) => context.measureText(text).width);
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(layout.width * ratio), Math.round(layout.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${layout.width}px`;
      canvas.style.height = `${layout.height}px`;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawHeatMap(context, matrix, layout, palette, routes);
    showFrames();
  }

  /** Frames are elements of their own: to move them, nothing is drawn anew. */
  function showFrames(): void {
    const place = selected && matrix && {
      row: matrix.rows.indexOf(selected.from),
      column: matrix.columns.indexOf(selected.to),
    };
    showFrame(selectedFrame, place && place.row >= 0 && place.column >= 0 ? place : undefined);
    showFrame(hoverFrame, hover);
  }

  function showFrame(frame: HTMLElement, place: Place | undefined): void {
    frame.hidden = place === undefined || layout === undefined;
    if (place === undefined || layout === undefined) return;
    const { left, top, cellWidth, cellHeight } = layout;
    frame.style.width = `${cellWidth - 1}px`;
    frame.style.height = `${cellHeight - 1}px`;
    frame.style.transform = `translate(${left + place.column * cellWidth - 0.5}px, ${
      top + place.row * cellHeight - 0.5
    }px)`;
  }

  function drawSoon(): void {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  }

  const cellOf = (place: Place | undefined): Cell | undefined =>
    place && matrix?.cells[place.row]?.[place.column];

  function describePlace(place: Place): string {
    const cell = cellOf(place);
    const names = `${matrix!.rows[place.row]} → ${matrix!.columns[place.column]}`;
    return cell === undefined ? `${names}: no messages` : cell.keys.map(describeKey).join("\n\n");
  }

  function move(place: Place | undefined): void {
    if (place?.row === hover?.row && place?.column === hover?.column) return;
    hover = place;
    showFrame(hoverFrame, hover);
  }

  function choose(place: Place | undefined): void {
    if (cellOf(place) === undefined) return;
    onSelect(matrix!.rows[place!.row]!, matrix!.columns[place!.column]!);
  }

  canvas.addEventListener("pointermove", (event) => {
    if (matrix === undefined || layout === undefined) return;
    const place = cellAt(matrix, layout, event.offsetX, event.offsetY);
    move(place);
    if (place === undefined) hideTip();
    else showTip(describePlace(place), event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", () => {
    move(undefined);
    hideTip();
  });
  canvas.addEventListener("click", (event) => {
    if (matrix && layout) choose(cellAt(matrix, layout, event.offsetX, event.offsetY));
  });
  canvas.addEventListener("blur", () => {
    move(undefined);
    setText(reading, "");
  });
  canvas.addEventListener("keydown", (event) => {
    if (matrix === undefined || matrix.rows.length === 0) return;
    const { row, column } = hover ?? { row: 0, column: -1 };
    const steps: Record<string, [row: number, column: number]> = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, Math.max(0, column)],
      ArrowDown: [hover ? row + 1 : 0, Math.max(0, column)],
      Home: [row, 0],
      End: [row, matrix.columns.length - 1],
    };
    const to = steps[event.key];
    if (event.key === "Enter" || event.key === " ") choose(hover);
    else if (event.key === "Escape") move(undefined);
    else if (to === undefined) return;
    else {
      const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most - 1);
      move({ row: clamp(to[0], matrix.rows.length), column: clamp(to[1], matrix.columns.length) });
      setText(reading, describePlace(hover!).replaceAll("\n", "; "));
    }
    event.preventDefault();
  });
  details.addEventListener("toggle", () => fillTable());
  new ResizeObserver(drawSoon).observe(scroll);

  function fillTable(): void {
    if (!details.open || matrix === undefined) return;
    const { rows, columns, cells } = matrix;
    const text = (cell: Cell | undefined) =>
      cell?.keys.map(({ key, value, figures, condition }) =>
        `${cell.keys.length > 1 ? `${key.view.route} ` : ""}${
          value === undefined ? "?" : `${formatMs(value)} ${describeBound(figures)}`
        }${condition === "ok" ? "" : ` ${describeCondition(condition)}`}`
      ).join("; ") ?? "–";
    const head = el(
      "tr",
      {},
      el("th", { scope: "col", class: "text" }, "from \\ to"),
      ...columns.map((name) => el("th", { scope: "col" }, name)),
    );
    const body = rows.map((name, row) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", class: "text" }, name),
        ...columns.map((_, column) => el("td", {}, text(cells[row]![column]))),
      )
    );
    details.querySelector(".scroll")!.replaceChildren(
      el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)),
    );
  }

  return {
    canvas,
    show(fresh, about, labels, colours) {
      matrix = fresh;
      routes = labels;
      palette = colours;
      setText(byId("mesh-about"), about);
      showLegend(fresh, colours);
      canvas.hidden = fresh.rows.length === 0;
      fillTable();
      draw();
    },
    select(pair) {
      selected = pair;
      showFrames();
    },
  };
}

/** The scale, and the marks with how many keys have each. */
function showLegend(matrix: Matrix, palette: Palette): void {
  const counts = new Map<Condition, number>();
  for (const { condition } of matrix.cells.flat().flatMap((cell) => cell?.keys ?? [])) {
    counts.set(condition, (counts.get(condition) ?? 0) + 1);
  }
  const items = CONDITIONS.filter((each) => each !== "ok").map((condition) =>
    el(
      "li",
      { title: WORDS[condition].means },
      swatch(condition, palette),
      `${WORDS[condition].word} ${counts.get(condition) ?? 0}`,
    )
  );
  const { range } = matrix;
  const scale = range === undefined
    ? []
    : [el("li", {}, formatMs(range.min), gradient(palette), `${formatMs(range.max)} ms`)];
  byId("legend").replaceChildren(...scale, ...items);
}

function small(width: number, height: number, draw: (context: CanvasRenderingContext2D) => void) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  canvas.width = width * 2;
  canvas.height = height * 2;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d")!;
  context.scale(2, 2);
  draw(context);
  return canvas;
}

function gradient(palette: Palette): HTMLCanvasElement {
  return small(88, 12, (context) => {
    for (let x = 0; x < 88; x++) {
      context.fillStyle = palette.ramp(x / 87).fill;
      context.fillRect(x, 0, 1, 12);
    }
  });
}

function swatch(condition: Condition, palette: Palette): HTMLCanvasElement {
  return small(16, 16, (context) => {
    if (condition === "slow" || condition === "lossy") {
      context.fillStyle = palette.ramp(0.4).fill;
      context.fillRect(0, 0, 16, 16);
      return drawMark(context, condition, 16, 0, 15, palette);
    }
    context.fillStyle = palette.idle;
    context.fillRect(0, 0, 16, 16);
    context.strokeStyle = palette.idleMark;
    context.beginPath();
    const lines = condition === "dead"
      ? [[0, 0, 16, 16], [16, 0, 0, 16]]
      : [[0, 6, 6, 0], [0, 13, 13, 0], [4, 16, 16, 4], [11, 16, 16, 11]];
    for (const [x1, y1, x2, y2] of lines) {
      context.moveTo(x1!, y1!);
      context.lineTo(x2!, y2!);
    }
    context.stroke();
    if (condition === "dead") context.strokeRect(0.5, 0.5, 15, 15);
  });
}
