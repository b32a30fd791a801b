// duck.mjs DATABASE SCRIPT [NAME=VALUE...]: runs a SQL script in DuckDB.
//
// Every :NAME of the script becomes its VALUE first. The package is found where run.sh has
// installed it, under build/bench.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { DuckDBInstance } = createRequire(resolve("build/bench") + "/")("@duckdb/node-api");
const [database, script, ...settings] = process.argv.slice(2);
let sql = readFileSync(script, "utf8");
for (const setting of settings) {
  const [name, value] = setting.split("=");
  sql = sql.replaceAll(`:${name}`, value);
}
const instance = await DuckDBInstance.create(database);
const connection = await instance.connect();
await connection.run(sql);
connection.closeSync();
instance.closeSync();
