/**
 * Writes the table and the views of `docker/fargate/athena/*.sql` into the template that deploys
 * them, so that they stand in one place: run it after a change there. A test fails until then.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../docker/fargate/", import.meta.url);
const template = fileURLToPath(new URL("analytics.yaml", folder));

/** What the placeholders of the SQL are in the template. */
const PLACEHOLDERS = { "@LOCATION@": "s3://${Bucket}/records", "@FIRST_DAY@": "${FirstDay}" };

const TABLE = new RegExp(
  [
    /CREATE EXTERNAL TABLE IF NOT EXISTS `(?<name>\w+)` \((?<columns>.*?)\)/,
    /PARTITIONED BY \((?<partitions>.*?)\)/,
    /ROW FORMAT SERDE '(?<serde>\S+)'/,
    /WITH SERDEPROPERTIES \((?<serdeProperties>.*?)\)/,
    /STORED AS TEXTFILE/,
    /LOCATION '(?<location>\S+)'/,
    /TBLPROPERTIES \((?<properties>.*)\)/,
  ].map(({ source }) => source).join("\\s+") + "\\s*$",
  "s",
);

/**
 * The table, as Glue's `TableInput`: lines of YAML without indentation.
 *
 * @param sql a statement `CREATE EXTERNAL TABLE`
 * @throws if it has other clauses than table.sql
 */
export function tableYaml(sql: string): string[] {
  const clauses = TABLE.exec(sql)?.groups;
  if (clauses === undefined) throw new Error("this is not a statement as in table.sql");
  const { name, columns, partitions, serde, serdeProperties, location, properties } = clauses;
  return [
    `Name: ${name}`,
    "TableType: EXTERNAL_TABLE",
    "Parameters:",
    ...indent(2, ['EXTERNAL: "TRUE"', ...propertyLines(properties!)]),
    "PartitionKeys:",
    ...indent(2, columnLines(partitions!)),
    "StorageDescriptor:",
    `  Location: ${scalar(location!)}`,
    "  InputFormat: org.apache.hadoop.mapred.TextInputFormat",
    "  OutputFormat: org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "  SerdeInfo:",
    `    SerializationLibrary: ${serde}`,
    "    Parameters:",
    ...indent(6, propertyLines(serdeProperties!)),
    "  Columns:",
    ...indent(4, columnLines(columns!)),
  ];
}

/**
 * A query that Athena keeps under the view's name, as a resource: lines of YAML without
 * indentation.
 *
 * @param view name of the view, and of its file
 * @param sql the statement that makes it, after comments that say what it shows
 */
export function queryYaml(view: string, sql: string): string[] {
  const lines = sql.trimEnd().split("\n");
  const about = lines.slice(0, lines.findIndex((line) => !line.startsWith("--")));
  const description = about.map((line) => line.slice("-- ".length)).join(" ");
  const id = view.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return [
    `${id}Query:`,
    "  Type: AWS::Athena::NamedQuery",
    "  Condition: IsHome",
    "  Properties:",
    `    Name: ${view}`,
    `    Description: ${JSON.stringify(description)}`,
    "    Database: !Ref GlueDatabase",
    "    WorkGroup: !Ref WorkGroup",
    "    QueryString: |",
    // Not all that reads statements for Athena knows comments.
    ...indent(6, lines.filter((line) => !/^ *--/.test(line))),
  ];
}

/** The template with the parts between its markers made anew from the SQL. */
export function fillTemplate(yaml: string, sql: ReadonlyMap<string, string>): string {
  const views = [...sql.keys()].filter((name) => name !== "table").sort();
  const queries = views.flatMap((view, index) => [
    ...(index > 0 ? [""] : []),
    ...queryYaml(view, sql.get(view)!),
  ]);
  const withTable = fillPart(yaml, "table", tableYaml(sql.get("table")!));
  return fillPart(withTable, "queries", queries);
}

/** The statements of `docker/fargate/athena`, by the names of their files. */
export function readSql(): Map<string, string> {
  const athena = new URL("athena/", folder);
  const files = readdirSync(athena).filter((file) => file.endsWith(".sql"));
  return new Map(
    files.map((
      file,
    ) => [file.slice(0, -".sql".length), readFileSync(new URL(file, athena), "utf8")]),
  );
}

function fillPart(yaml: string, name: string, lines: string[]): string {
  const part = RegExp(`^( *)# begin: ${name}\\n.*?^ *# end: ${name}\\n`, "ms");
  const [, margin] = part.exec(yaml) ?? [];
  if (margin === undefined) throw new Error(`the template has no part "${name}"`);
  const filled = [`# begin: ${name}`, ...lines, `# end: ${name}`];
  return yaml.replace(part, () => `${indent(margin.length, filled).join("\n")}\n`);
}

function indent(columns: number, lines: string[]): string[] {
  return lines.map((line) => line === "" ? "" : " ".repeat(columns) + line);
}

function columnLines(list: string): string[] {
  return [...list.matchAll(/`(\w+)` (\w+)/g)].map(([, name, type]) =>
    `- { Name: ${name}, Type: ${type} }`
  );
}

function propertyLines(list: string): string[] {
  return [...list.matchAll(/'(.*?)' = '(.*?)'/g)].map(([, name, value]) =>
    `${name}: ${scalar(value!)}`
  );
}

/** A value of the SQL. What is the table's own to replace, as `${day}`, CloudFormation leaves. */
function scalar(value: string): string {
  const literal = value.replaceAll("${", "${!");
  const filled = Object.entries(PLACEHOLDERS).reduce(
    (text, [placeholder, known]) => text.replaceAll(placeholder, () => known),
    literal,
  );
  return filled === value ? JSON.stringify(value) : `!Sub ${JSON.stringify(filled)}`;
}

if (import.meta.main) {
  writeFileSync(template, fillTemplate(readFileSync(template, "utf8"), readSql()));
}
