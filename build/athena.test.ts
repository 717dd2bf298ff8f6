import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fillTemplate, queryYaml, readSql, tableYaml } from "./athena.ts";

test("the template of analytics has the table and the views of athena/*.sql", () => {
  const yaml = readFileSync(new URL("../docker/fargate/analytics.yaml", import.meta.url), "utf8");
  const lines = yaml.split("\n");
  const made = fillTemplate(yaml, readSql()).split("\n");
  const first = made.findIndex((line, index) => line !== lines[index]);
  assert.equal(first, -1, `line ${first + 1} is old: build/athena.ts writes them anew`);
  assert.equal(lines.length, made.length);
});

test("a table becomes one of Glue's, with what the template knows filled in", () => {
  const lines = tableYaml(
    "CREATE EXTERNAL TABLE IF NOT EXISTS `t` (\n  `from` string,\n  `ms` double\n)\n" +
      "PARTITIONED BY (\n  `day` string\n)\nROW FORMAT SERDE 'a.Serde'\n" +
      "WITH SERDEPROPERTIES (\n  'x.y' = 'true'\n)\nSTORED AS TEXTFILE\n" +
      "LOCATION '@LOCATION@/'\n" +
      "TBLPROPERTIES (\n  'range' = '@FIRST_DAY@,NOW',\n  'place' = '@LOCATION@/${day}/'\n)\n",
  );
  assert.deepEqual(lines, [
    "Name: t",
    "TableType: EXTERNAL_TABLE",
    "Parameters:",
    '  EXTERNAL: "TRUE"',
    '  range: !Sub "${FirstDay},NOW"',
    '  place: !Sub "s3://${Bucket}/records/${!day}/"',
    "PartitionKeys:",
    "  - { Name: day, Type: string }",
    "StorageDescriptor:",
    '  Location: !Sub "s3://${Bucket}/records/"',
    "  InputFormat: org.apache.hadoop.mapred.TextInputFormat",
    "  OutputFormat: org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "  SerdeInfo:",
    "    SerializationLibrary: a.Serde",
    "    Parameters:",
    '      x.y: "true"',
    "  Columns:",
    "    - { Name: from, Type: string }",
    "    - { Name: ms, Type: double }",
  ]);
  assert.throws(() => tableYaml("CREATE TABLE `t` (`ms` double)"), /not a statement/);
});

test("a view becomes a query of its name", () => {
  assert.deepEqual(
    queryYaml("two_words", "-- Shows\n-- two.\nCREATE VIEW two_words AS\n  -- One.\nSELECT 1\n"),
    [
      "TwoWordsQuery:",
      "  Type: AWS::Athena::NamedQuery",
      "  Condition: IsHome",
      "  Properties:",
      "    Name: two_words",
      '    Description: "Shows two."',
      "    Database: !Ref GlueDatabase",
      "    WorkGroup: !Ref WorkGroup",
      "    QueryString: |",
      "      CREATE VIEW two_words AS",
      "      SELECT 1",
    ],
  );
});
