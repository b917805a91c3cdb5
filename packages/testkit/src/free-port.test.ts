import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "./free-port.ts";

const wanted = 120;
const ask = `
  const { freePort } = await import(${JSON.stringify(join(import.meta.dirname, "free-port.ts"))});
  const ports = [];
  while (ports.length < ${wanted}) ports.push(await freePort());
  console.log(JSON.stringify(ports));
  process.stdin.resume();
`;

test("freePort() gives every process ports of its own, which the system gives to nobody", async () => {
  const own: number[] = [];
  const others = [1, 2].map(() => spawn(process.execPath, ["--input-type=module", "-e", ask]));
  while (own.length < wanted) own.push(await freePort());
  const printed = await Promise.all(others.map(async ({ stdout }) => String((await once(stdout, "data"))[0])));
  for (const other of others) other.stdin.end();
  const all = [...own, ...printed.flatMap((ports) => JSON.parse(ports) as number[])];
  assert.equal(new Set(all).size, 3 * wanted);
  const [lowest] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/).map(Number);
  assert.ok(Math.max(...all) < lowest!);
});

test("freePort() leaves out a port that somebody else has", async () => {
  const next = (await freePort()) + 1;
  const somebody = createServer();
  await new Promise<void>((done) => somebody.listen(next, "127.0.0.1", done));
  assert.notEqual(await freePort(), next);
  somebody.close();
});
