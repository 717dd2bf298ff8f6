// The page with a made-up mesh: every state, hostile names, ten thousand keys, a report's file.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { formatCount, formatMs } from "../cli/numbers.ts";
import { loadPage, renderReportPage } from "../web/page.ts";
import { accessibilityProblems, openPage, skip, startBrowser } from "./browser.ts";
import { startPageServer } from "./page-server.ts";
import { createSample } from "./sample-mesh.ts";

const MOST_BYTES = 600 * 1024;
const places = (kind: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
const regional = () =>
  createSample({
    senders: places("client", 5),
    receivers: places("server", 4),
    routes: ["direct", "accelerated"],
  });

/** Everything is there, the past as well. */
async function isShown(page: Page): Promise<void> {
  await page.locator("#figures tbody tr").first().waitFor();
  await page.locator('main[aria-busy="false"]').waitFor();
}

test("the page is small, and asks for nothing else", { skip }, async (t) => {
  const { html, script, style } = await loadPage();
  const bytes = [html, script, style].reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  t.diagnostic(`${bytes} bytes`);
});

test("every state has its mark and its word, and can be asked for", { skip }, async (t) => {
  const server = await startPageServer(t, regional());
  const { page, complaints } = await openPage(await startBrowser(t), server.url);
  await isShown(page);
  const legend = (await page.locator("#legend").textContent())!;
  for (const state of ["slow", "lossy", "stale", "dead"]) {
    const [, count] = RegExp(`${state} (\\d+)`).exec(legend)!;
    assert.ok(Number(count) > 0, `${state} in ${legend}`);
    await page.locator("#filter").fill(state);
    const rows = page.locator("#figures tbody tr");
    // Another state may have as many rows.
    await page.waitForFunction(
      ({ state, count }) => {
        const rows = [...document.querySelectorAll("#figures tbody tr")];
        return rows.length === count && rows.every((row) => row.textContent!.includes(state));
      },
      { state, count: Number(count) },
    );
    for (const text of await rows.allTextContents()) {
      assert.match(text, RegExp(`[▲◆◌✕] ${state}`));
    }
  }
  assert.deepEqual(await accessibilityProblems(page), []);
  assert.deepEqual(complaints, []);
});

test("the course and the curve of a pair hold what the interface says", { skip }, async (t) => {
  const sample = regional();
  const server = await startPageServer(t, sample);
  const link = `${server.url}#from=client-2&to=server-3&metric=p99&theme=dark`;
  const { page, complaints } = await openPage(await startBrowser(t), link);
  await isShown(page);
  await page.locator("#percentiles-legend li").nth(1).waitFor();
  const rowsOf = async (table: string) => {
    const rows = page.locator(`${table} tbody tr`);
    await rows.first().waitFor();
    return await rows.evaluateAll((all) =>
      all.map((row) => [...row.children].map((cell) => cell.textContent))
    );
  };
  const chosen = sample.mesh.keys.filter(({ from, to }) =>
    from === "client-2" && to === "server-3"
  );
  assert.deepEqual(chosen.map(({ route }) => route), ["direct", "accelerated"]);

  await page.locator("#percentiles-table summary").click();
  const curves = chosen.map(({ id, route, count }) => {
    const { curve } = sample.percentiles.curves.find((one) => one.id === id)!;
    const at = (quantile: number) => formatMs(curve.find(([q]) => q >= quantile)![1]);
    return [route, formatCount(count), ...[0.5, 0.9, 0.95, 0.99, 0.999, 1].map(at)];
  });
  assert.deepEqual((await rowsOf("#percentiles-table")).map((row) => row.slice(0, 8)), curves);

  await page.locator("#course-table summary").click();
  const points = chosen.map(({ id, route }) => {
    const [, count, lost, ...delays] = sample.series.series.find((one) => one.id === id)!
      .points.at(-1)!;
    return [route, formatCount(count), formatCount(lost), ...delays.slice(0, 4).map(Number)];
  });
  const newest = (await rowsOf("#course-table")).slice(0, 2).map((row) => row.slice(1, 8));
  assert.deepEqual(
    newest.toSorted(),
    points.map((row) => row.map((each) => typeof each === "number" ? formatMs(each) : each))
      .toSorted(),
  );
  assert.match((await page.locator("#course-title").textContent())!, /^P99 over time/);

  // Of two minutes of points, those of the last one.
  await page.locator("#filter").fill("client-2 server-3");
  await page.locator("#window").selectOption("60");
  await page.locator("#course-about", { hasText: "in the last minute" }).waitFor();
  await page.locator("#figures td", { hasText: /^600$/ }).nth(1).waitFor();

  // Dark by the link, whatever the system says; and the way back.
  const theme = () => page.locator("html").getAttribute("data-theme");
  assert.equal(await theme(), "dark");
  await page.locator("#theme").selectOption("light");
  assert.equal(await theme(), "light");
  assert.deepEqual(complaints, []);
});

test("names are text, whatever is in them", { skip }, async (t) => {
  const names = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "=HYPERLINK(A1)",
    "</script><b>",
  ];
  const sample = createSample({ senders: names, receivers: ["server"], routes: ["<i>a", "b'\""] });
  const server = await startPageServer(t, sample);
  const browser = await startBrowser(t);
  const { page, complaints } = await openPage(browser, server.url);
  await isShown(page);
  for (const name of names) {
    await page.locator("#figures th", { hasText: name }).first().waitFor();
  }
  assert.equal(await page.locator("main img, main b, main i, main script").count(), 0);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator('[data-export="csv"]').click(),
  ]);
  const csv = await readFile(await download.path(), "utf8");
  assert.ok(csv.includes(",'=HYPERLINK(A1),"), "a spreadsheet takes no name for a formula");
  assert.deepEqual(complaints, []);

  // In a report's file the same names stand within a script element.
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "report.html");
  await writeFile(file, await renderReportPage(sample));
  const report = await openPage(browser, pathToFileURL(file).href);
  await isShown(report.page);
  for (const name of names) {
    await report.page.locator("#figures th", { hasText: name }).first().waitFor();
  }
  assert.match((await report.page.locator("#status").textContent())!, /^Report up to /);
  await report.page.locator("#percentiles-legend li").first().waitFor();
  assert.deepEqual(report.complaints, []);
});

test("a hundred names on each side stay fluid", { skip }, async (t) => {
  const names = places("place", 100);
  const sample = createSample({ senders: names, receivers: names, routes: ["direct"] });
  const server = await startPageServer(t, sample);
  const { page, complaints } = await openPage(await startBrowser(t), server.url);
  await page.locator("#figures-about", { hasText: "9,900 keys" }).waitFor();
  await page.locator("#figures tbody tr").first().waitFor();

  // What grows with the mesh is drawn, not built: elsewhere only what is in sight exists.
  assert.ok(await page.locator("*").count() < 1500, `${await page.locator("*").count()} elements`);
  const bars = page.locator("#bars-p95 .bar");
  const last = page.locator("#bars-p95 .bar[aria-posinset='9900']");
  assert.equal(await last.count(), 0);
  await page.locator("#bars-p95 .bar-list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await last.waitFor({ state: "attached" });
  assert.ok(await bars.count() < 60);

  const frames = await page.evaluate(async () => {
    const canvas = document.getElementById("heat-map")!;
    canvas.scrollIntoView();
    const gaps: number[] = [];
    let lastMs = await new Promise<number>(requestAnimationFrame);
    for (let step = 0; step < 60; step++) {
      const at = { offset: 200 + step * 8 };
      const box = canvas.getBoundingClientRect();
      canvas.dispatchEvent(
        new PointerEvent("pointermove", {
          clientX: box.left + at.offset,
          clientY: box.top + at.offset,
        }),
      );
      const nowMs = await new Promise<number>(requestAnimationFrame);
      gaps.push(nowMs - lastMs);
      lastMs = nowMs;
    }
    return gaps.sort((a, b) => a - b);
  });
  await page.locator("#tip", { hasText: "place-" }).waitFor();
  t.diagnostic(
    `frames while the pointer moves over 9,900 cells: median ${frames[30]!.toFixed(1)} ms, ` +
      `95 % within ${frames[56]!.toFixed(1)} ms`,
  );

  const before = await page.locator("#figures tbody").textContent();
  server.update();
  await page.waitForFunction(
    (text) => document.querySelector("#figures tbody")!.textContent !== text,
    before,
  );
  assert.deepEqual(complaints, []);
});

test("what is missing is explained: no clients yet, no server at all", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const sample = createSample({ senders: [], receivers: ["server"], routes: ["direct"] });
  const server = await startPageServer(t, sample);
  const { page } = await openPage(browser, server.url);
  await page.locator("#notice", { hasText: "No message has been measured yet" }).waitFor();
  await page.locator("#clients", { hasText: "No client is connected" }).waitFor();
  await page.locator("#answer", { hasText: "Nothing to compare yet" }).waitFor();
  await page.route("**/api/v1/events", (route) => route.abort());
  await page.reload();
  await page.locator("#notice", { hasText: "The server does not answer" }).waitFor();
});

test("a report's file without a comparison tells how to ask for one", { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "report.html");
  const sample = createSample({ senders: ["a"], receivers: ["b"], routes: ["direct"] });
  await writeFile(file, await renderReportPage(sample));
  const { page } = await openPage(await startBrowser(t), pathToFileURL(file).href);
  await page.locator("#answer", { hasText: "--compare direct accelerated" }).waitFor();
});
