import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ReportData } from "../web/page.ts";
import { documentOf, run, workFolder } from "./report-world.ts";
import { BACK, hopLine, START_US, UP } from "./sample-records.ts";

/** Ten seconds on two routes, the second one 3 ms faster. */
const LINES = Array.from({ length: 200 }, (_, n) => {
  const receivedUs = START_US + n * 50_000;
  const delayUs = 5000 + (n % 7) * 100;
  const fast = { session: "a2", toSession: "a2", route: "accelerated" };
  return [
    hopLine(UP, n, { delayUs, rawUs: delayUs, pathUs: delayUs, receivedUs }),
    hopLine(BACK, n, { delayUs, pathUs: 2 * delayUs, receivedUs }),
    hopLine({ ...UP, ...fast }, n, {
      ...{ delayUs: delayUs - 3000, rawUs: delayUs - 3000, pathUs: delayUs, receivedUs },
    }),
  ];
}).flat();

test("the page has the figures of the report inside", async (t) => {
  const folder = await workFolder(t);
  const [records, page] = [join(folder, "records.ndjson"), join(folder, "report.html")];
  await writeFile(records, LINES.join(""));
  const { keys } = await documentOf([records]);
  await run([records, "--html", page]);

  const html = await readFile(page, "utf8");
  const json = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(html)![1]!;
  const { mesh, series, percentiles }: ReportData = JSON.parse(json);
  assert.equal(mesh.keys.length, keys.length);
  for (const row of keys) {
    const key = mesh.keys.find((one) => one.key === row.key && one.route === row.route)!;
    assert.deepEqual([key.count, key.lost, key.ms], [row.count, row.lost, row.ms]);
    const { points } = series.series.find(({ id }) => id === key.id)!;
    assert.equal(points.reduce((sum, point) => sum + point[1], 0), row.count);
    assert.equal(Math.max(...points.map((point) => point[6]!)), row.ms!.max);
    const { curve } = percentiles.curves.find(({ id }) => id === key.id)!;
    assert.deepEqual(curve.at(-1), [1, row.ms!.max]);
  }
  assert.match(html, /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
  assert.ok(!/(src|href)="(?!data:|#)/.test(html), "it asks for nothing");
});

test("a comparison stands at the top of the page", async (t) => {
  const folder = await workFolder(t);
  const [records, page] = [join(folder, "records.ndjson"), join(folder, "report.html")];
  await writeFile(records, LINES.join(""));
  await run([records, "--compare", "direct", "accelerated", "--html", page]);
  const json = /id="report-data">(.*?)<\/script>/s.exec(await readFile(page, "utf8"))![1]!;
  const [difference] = (JSON.parse(json) as ReportData).mesh.differences;
  assert.deepEqual([difference!.a, difference!.b], ["direct", "accelerated"]);
  assert.ok(Math.abs(difference!.owd_ms!.p50 + 3) < 0.05, `${difference!.owd_ms!.p50} ms`);
});

test("a page that cannot be written is told", async (t) => {
  const folder = await workFolder(t);
  const records = join(folder, "records.ndjson");
  await writeFile(records, LINES.join(""));
  await assert.rejects(
    run([records, "--html", join(folder, "no", "where.html")]),
    /--html: ENOENT/,
  );
});
