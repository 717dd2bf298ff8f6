import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptedFormat,
  boundText,
  type Family,
  familyLines,
  labelsText,
  sampleLine,
} from "./exposition.ts";

const COUNTER: Family = { name: "a_b_seconds", type: "counter", unit: "seconds", help: "x\\y\nz" };

test("both formats name counters, units and infos as each wants them", () => {
  assert.equal(
    familyLines(COUNTER, "prometheus"),
    "# HELP a_b_seconds_total x\\\\y\\nz\n# TYPE a_b_seconds_total counter\n",
  );
  assert.equal(
    familyLines(COUNTER, "openmetrics"),
    "# HELP a_b_seconds x\\\\y\\nz\n# TYPE a_b_seconds counter\n# UNIT a_b_seconds seconds\n",
  );
  const info: Family = { name: "build", type: "info", help: "h" };
  assert.match(familyLines(info, "prometheus"), /# TYPE build_info gauge/);
  assert.match(familyLines(info, "openmetrics"), /# TYPE build info/);
  assert.equal(sampleLine(info, 'v="1"', 1), 'build_info{v="1"} 1\n');
});

test("labels are escaped, and left out where they are empty", () => {
  assert.equal(labelsText({ a: 'x"\\\n', b: "", c: "東京" }), 'a="x\\"\\\\\\n",c="東京"');
  assert.equal(sampleLine(COUNTER, "", 0.5), "a_b_seconds_total 0.5\n");
});

test("numbers that are none are written as both formats have them", () => {
  const gauge: Family = { name: "g", type: "gauge", help: "h" };
  assert.equal(sampleLine(gauge, "", Infinity), "g +Inf\n");
  assert.equal(sampleLine(gauge, "", NaN), "g NaN\n");
  assert.equal(boundText(1), "1.0");
  assert.equal(boundText(0.00005), "0.00005");
});

test("OpenMetrics is for those who ask for it", () => {
  assert.equal(acceptedFormat(undefined), "prometheus");
  assert.equal(acceptedFormat("text/html, */*;q=0.8"), "prometheus");
  assert.equal(acceptedFormat("application/openmetrics-text; version=1.0.0, */*"), "openmetrics");
  assert.equal(acceptedFormat("application/openmetrics-text;q=0, text/plain"), "prometheus");
});
