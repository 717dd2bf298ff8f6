// The dashboard in a real browser, on a live mesh of three servers and their clients.

import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { formatCount, formatMs } from "../cli/numbers.ts";
import type { KeyView, MeshView } from "../metrics/mesh-view.ts";
import {
  accessibilityProblems,
  openPage,
  skip,
  startBrowser,
  type WatchedPage,
} from "./browser.ts";
import { GAINS_MS, meshOf, REGIONS, startDashboardServer, startLiveMesh } from "./live-mesh.ts";

interface Exported extends Omit<MeshView, "keys"> {
  view: string;
  keys: (KeyView & { condition: string })[];
}

/** What a button of the page saves. */
async function exported(page: Page, kind: "png" | "csv" | "json"): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(`[data-export="${kind}"]`).click(),
  ]);
  assert.match(download.suggestedFilename(), RegExp(`^performance-\\d{8}T\\d{6}\\.${kind}$`));
  return readFile(await download.path());
}

const exportedJson = async (page: Page): Promise<Exported> =>
  JSON.parse((await exported(page, "json")).toString());

/** Texts of a table's body, row by row. */
const rowsOf = (page: Page, table: string): Promise<string[][]> =>
  page.locator(`${table} tbody tr`).evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent ?? ""))
  );

async function withText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 60_000 });
}

/** Waits until a table has rows, and those that match alone: panels are drawn one after another. */
async function withRows(page: Page, table: string, wanted: RegExp): Promise<string[][]> {
  for (const endMs = Date.now() + 60_000;; await sleep(50)) {
    const rows = await rowsOf(page, table);
    if (rows.length > 0 && rows.every((row) => wanted.test(row.join()))) return rows;
    assert.ok(Date.now() < endMs, `${table} has not only ${wanted} but ${rows.join("; ")}`);
  }
}

async function openDashboard(browser: Browser, url: string): Promise<WatchedPage> {
  const opened = await openPage(browser, url, { viewport: { width: 1440, height: 900 } });
  await withText(opened.page, "#status", "Live");
  return opened;
}

test("the dashboard of a live mesh", { skip }, async (t) => {
  const { servers: [europe, america], clients } = await startLiveMesh(t);
  const browser = await startBrowser(t);
  const folder = await mkdtemp(join(tmpdir(), "dashboard-"));
  const isComplete = ({ keys, differences }: MeshView) =>
    REGIONS.every((region) => keys.some(({ from }) => from === `client-${region}`)) &&
    differences.length >= 3 && differences.every(({ pairs }) => pairs >= 100) &&
    differences.some(({ from }) => from === "client-europe");
  await meshOf(america!, isComplete);
  const { page, complaints } = await openDashboard(browser, america!.url);

  await t.test("tells which route is faster, by how much, and how sure that is", async () => {
    await page.locator("#freeze").click();
    await withText(page, "#status", "Frozen");
    const { differences } = await exportedJson(page);
    const gained = differences.find(({ from }) => from === "client-europe")!;
    const card = page.locator(".answer").filter({ hasText: "client-europe → server-america" });
    const medianMs = gained.owd_ms!.p50;
    assert.equal(
      await card.locator(".verdict").textContent(),
      `accelerated is ${formatMs(-medianMs)} ms faster`,
    );
    const { low, high } = gained.owd_median_ms!;
    const room = gained.error_ms!.max + 3;
    const isNear = -GAINS_MS[0]! > low - room && -GAINS_MS[0]! < high + room;
    assert.ok(isNear, `${low} to ${high} ms, by the proxies ${-GAINS_MS[0]!}`);
    assert.match((await page.locator("#answer-summary").textContent())!, /faster than direct/);
  });

  await t.test("shows in every chart what the interface says", async () => {
    const shown = await exportedJson(page);
    const api = await meshOf(america!, () => true);
    const apiKeys = new Map(api.keys.map((key) => [key.id, key]));
    assert.ok(shown.keys.length >= 10);
    for (const { id, key, route, count } of shown.keys) {
      const known = apiKeys.get(id)!;
      assert.deepEqual([known.key, known.route], [key, route]);
      assert.ok(known.count >= count, `${key}: ${known.count} since, ${count} then`);
    }
    const rows = await rowsOf(page, "#figures");
    assert.equal(rows.length, shown.keys.length);
    const lines = shown.keys.map(({ from, to, route, echo, count, lost, ms }) =>
      [
        `${from} → ${to}`,
        echo ? `${route}, echo` : route,
        formatCount(count),
        formatCount(lost),
        ...[ms!.p50, ms!.p95, ms!.p99, ms!.max].map(formatMs),
      ].join()
    );
    const figures = rows.map((row) => [row[0], row[1], ...row.slice(3, 9)].join());
    assert.deepEqual(figures.toSorted(), lines.toSorted());

    // Bars: the original's two charts, the largest first.
    const pictured = shown.keys.filter(({ id, key, route, hops, count }) =>
      !shown.keys.some((twin) =>
        twin.id !== id && hops === 1 && twin.key === key && twin.route === route &&
        twin.count > count
      )
    );
    const most = pictured.toSorted((a, b) => b.ms!.p95 - a.ms!.p95)[0]!;
    const bar = (await page.locator("#bars-p95 .bar").first().textContent())!;
    assert.ok(
      bar.includes(`${most.from} → ${most.to}`) && bar.includes(formatMs(most.ms!.p95)),
      bar,
    );
  });

  await t.test("lets the mesh be gone through by keys alone", async () => {
    await page.locator("#heat-map").focus();
    const reading = async () => (await page.locator("#mesh-reading").textContent())!;
    const go = async (key: string, wanted: RegExp) => {
      for (let presses = 0; presses < 10 && !wanted.test(await reading()); presses++) {
        await page.keyboard.press(key);
      }
      assert.match(await reading(), wanted);
    };
    await page.keyboard.press("Home");
    await go("ArrowDown", /^client-asia → /);
    await go("ArrowRight", /^client-asia → server-asia · home; P50 [\d.]+ /);
    await page.keyboard.press("Enter");
    await withText(page, "#course-title", "client-asia → server-asia");
    await page.locator("#course-table summary").click();
    await page.locator("#course-table tbody tr").first().waitFor();
    const { keys } = await exportedJson(page);
    const chosen = keys.filter(({ from, to }) => from === "client-asia" && to === "server-asia");
    const rows = await rowsOf(page, "#course-table");
    const p95 = chosen.map(({ last }) => formatMs(last![4]!));
    // The page stands still, the course was asked for later: it may have newer intervals.
    assert.ok(rows.some((row) => p95.includes(row[5]!)), `${rows[0]}: P95 was ${p95}`);
  });

  await t.test("filters by name, in charts, files and links alike", async () => {
    await page.locator("#filter").fill("client-europe -echo accelerated");
    await page.locator('input[value="max"]').check();
    await withText(page, "#mesh-about", "Max");
    const wanted = /client-europe.*accelerated/;
    const rows = await withRows(page, "#figures", wanted);
    const csv = (await exported(page, "csv")).toString().trimEnd().split("\r\n");
    assert.equal(csv.length, rows.length + 1);
    assert.ok(csv[0]!.startsWith("key,from,to,route,hops,echo,state"));
    const second = await openDashboard(browser, page.url());
    await withText(second.page, "#mesh-about", "Max");
    assert.equal(
      await second.page.locator("#filter").inputValue(),
      "client-europe -echo accelerated",
    );
    assert.equal((await withRows(second.page, "#figures", wanted)).length, rows.length);
    assert.deepEqual(second.complaints, []);
    await second.page.context().close();
  });

  await t.test("saves a picture", async () => {
    const png = await exported(page, "png");
    assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    assert.ok(png.readUInt32BE(16) >= 640 && png.readUInt32BE(20) > 300);
  });

  await t.test("keeps its figures while frozen, and catches up", async () => {
    const before = await page.locator("#figures tbody").textContent();
    const { at } = await exportedJson(page);
    await meshOf(america!, (mesh) => mesh.at > at + 2000);
    assert.equal(await page.locator("#figures tbody").textContent(), before);
    await page.locator("#freeze").click();
    await withText(page, "#status", "Live");
    await page.waitForFunction(
      (text) => document.querySelector("#figures tbody")!.textContent !== text,
      before,
    );
    await page.locator("#filter").fill("");
  });

  await t.test("is usable by all: light, dark, on a phone", async () => {
    const views = {
      light: { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
      dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
      phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", deviceScaleFactor: 2 },
    } as const;
    for (const [name, options] of Object.entries(views)) {
      const opened = await openPage(browser, america!.url, options);
      await withText(opened.page, ".answer .verdict", "faster");
      await withText(opened.page, "#percentiles-legend", "direct");
      assert.deepEqual(await accessibilityProblems(opened.page), [], name);
      const overflow = await opened.page.evaluate(() =>
        document.documentElement.scrollWidth - innerWidth
      );
      assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the screen`);
      const path = join(folder, `${name}.png`);
      await opened.page.screenshot({ path, fullPage: true });
      t.diagnostic(`screenshot: ${path}`);
      assert.deepEqual(opened.complaints, [], name);
      await opened.page.context().close();
    }
  });

  await t.test("shows as dead what nobody measures any more", async () => {
    const watched = await openDashboard(browser, `${europe!.url}#filter=client-asia`);
    await withText(watched.page, "#figures td", "ok");
    clients[2]!.signal("SIGKILL");
    await withText(watched.page, "#figures td", "dead");
    await withText(watched.page, "#legend li", /dead [1-9]/);
    await withText(watched.page, "#clients td", "dead");
    assert.deepEqual(watched.complaints, []);
    await watched.page.context().close();
  });

  await t.test("finds its server again after a restart", async () => {
    assert.deepEqual(complaints, []);
    await page.evaluate(() => document.body.dataset["seen"] = "before");
    const { port, url } = america!;
    await america!.stop();
    await withText(page, "#status", "Connection lost");
    const again = { port, http: Number(new URL(url).port) };
    await startDashboardServer(t, "server-america", again);
    await withText(page, "#status", "Live");
    await withText(page, "#figures th", "client-europe → server-america");
    assert.equal(await page.evaluate(() => document.body.dataset["seen"]), "before");
  });

  // What the browser logs of a server that is away is no fault of the page.
  const faults = complaints.filter((text) => !/net::ERR_(CONNECTION|EMPTY|INCOMPLETE)/.test(text));
  assert.deepEqual(faults, []);
});
