/** Runs Athena's views on DuckDB, which takes the same SQL. */
import { readFile } from "node:fs/promises";
import { ATHENA, placesOf, readTable } from "./athena-table.ts";

/** In the order of their making: later ones read from earlier ones. */
export const VIEWS: readonly string[] = [
  "hops",
  "paths",
  "figures_by_key",
  "loss_by_key",
  "routes_compared",
  "summaries",
];

/** Hive's types by DuckDB's names. */
const TYPES: Record<string, string> = { string: "VARCHAR" };

/** What examples call and DuckDB lacks. The views do without. */
const MACROS = [
  "CREATE MACRO approx_percentile(value, share) AS quantile_disc(value, share)",
];

/** DuckDB has no binary for every machine. */
const duckdb = await import("@duckdb/node-api").catch(() => undefined);

/** Why nothing can be queried here; false where it can. */
export const duckdbMissing = duckdb === undefined && "DuckDB's binary is not installed";

type Row = Record<string, unknown>;

export interface Lake {
  /** Rows with numbers as numbers, the rest as text. */
  query(sql: string): Promise<Row[]>;
  /** What each reading of the table is filtered by. */
  scans(sql: string): Promise<string[]>;
  close(): void;
}

/** Opens what lies in `folder`, as Firehose wrote it there, as Athena would. */
export async function openLake(folder: string): Promise<Lake> {
  const table = await readTable(folder, "2020/01/01");
  const { pattern, partition } = placesOf(table);
  const instance = await duckdb!.DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const columns = table.columns.map(({ name, type }) => `"${name}": '${TYPES[type] ?? type}'`);
  await connection.run(`
    CREATE TABLE records AS
    SELECT
      * EXCLUDE (filename),
      regexp_extract(filename, '${partition}', 1) AS day,
      regexp_extract(filename, '${partition}', 2) AS hour
    FROM read_json(
      '${pattern}', format = 'newline_delimited', filename = true, ignore_errors = true,
      columns = {${columns.join()}}
    )`);
  for (const macro of MACROS) await connection.run(macro);
  for (const view of VIEWS) await connection.run(await readFile(`${ATHENA}${view}.sql`, "utf8"));
  return {
    async query(sql) {
      const result = await connection.runAndReadAll(sql);
      return result.getRowObjectsJS().map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, plain(value)]),
        )
      );
    },
    async scans(sql) {
      const result = await connection.runAndReadAll(`EXPLAIN (FORMAT json) ${sql}`);
      return scansOf(JSON.parse(String(result.getRowsJS()[0]![1])));
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Date ? value.toISOString() : value;
}

interface PlanNode {
  name: string;
  children: PlanNode[];
  extra_info: Record<string, unknown>;
}

function scansOf(nodes: readonly PlanNode[]): string[] {
  return nodes.flatMap(({ name, extra_info, children }) => [
    ...(name.includes("SCAN") && extra_info["Table"] ? [JSON.stringify(extra_info)] : []),
    ...scansOf(children),
  ]);
}
