/** Reads the statement that makes Athena's table, and lays files out as it expects to find them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Where the SQL is. */
export const ATHENA = fileURLToPath(new URL("../../docker/fargate/athena/", import.meta.url));

export interface TableColumn {
  name: string;
  /** As Hive calls it: `string`, `double`. */
  type: string;
}

export interface AthenaTable {
  columns: TableColumn[];
  partitions: TableColumn[];
  properties: Record<string, string>;
}

/** The table over what lies in `location` from `firstDay` (yyyy/MM/dd) on. */
export async function readTable(location: string, firstDay: string): Promise<AthenaTable> {
  const text = await readFile(`${ATHENA}table.sql`, "utf8");
  const ddl = text.replaceAll("@LOCATION@", location).replaceAll("@FIRST_DAY@", firstDay);
  const [, columns, partitions, properties] =
    /^CREATE EXTERNAL TABLE IF NOT EXISTS `records` \((.*?)\)\s+PARTITIONED BY \((.*?)\).*TBLPROPERTIES \((.*)\)\s*$/s
      .exec(ddl)!;
  return {
    columns: parseColumns(columns!),
    partitions: parseColumns(partitions!),
    properties: Object.fromEntries(
      [...properties!.matchAll(/'(.*?)' = '(.*?)'/g)].map(([, name, value]) => [name, value]),
    ),
  };
}

function parseColumns(list: string): TableColumn[] {
  return list.trim().split(/,\s*/).map((line) => {
    const [, name, type] = /^`(\w+)` (\w+)$/.exec(line)!;
    return { name: name!, type: type! };
  });
}

/** The folder that Firehose puts what it received in this hour into, within its destination. */
export function firehoseFolder(time: Date): string {
  return time.toISOString().slice(0, 13).replaceAll(/[-T]/g, "/");
}

/**
 * All places where the table looks for files: a shell pattern, and a regular expression whose
 * groups are the partition.
 */
export function placesOf({ properties }: AthenaTable): { pattern: string; partition: string } {
  const template = properties["storage.location.template"]!;
  const place = (day: string, hour: string) =>
    template.replace("${day}", day).replace("${hour}", hour);
  const digits = Number(properties["projection.hour.digits"]);
  const day = properties["projection.day.format"]!;
  return {
    pattern: `${place(day.replaceAll(/\w+/g, "*"), "*")}*`,
    partition: place(`(${day.replaceAll(/\w/g, "\\d")})`, `(\\d{${digits}})`),
  };
}
