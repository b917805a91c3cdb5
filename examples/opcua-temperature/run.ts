/**
 * The temperature case in one command: `npm run example:furnace`.
 *
 *   furnace (OPC UA server) ─▶ gateway ─▶ rule "overheat" ─▶ alarm, burner out ─▶ furnace
 *                                 └──────────────────────────▶ cloud
 *
 * It starts a cloud, a gateway and the furnace, applies furnace.yaml and overheat.yaml, lights the burner, and tells what happens. Ctrl-C ends
 * it; the data stays in penstock-data, where `penstock up` keeps it too.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "8443" },
    "local-port": { type: "string", default: "8080" },
    "mqtt-port": { type: "string", default: "1883" },
    output: { type: "string", short: "o" },
  },
});
const here = import.meta.dirname;
const cli = resolve(here, "../../packages/cli/bin/penstock.js");
const isJson = flags.output === "json";
const children: ChildProcess[] = [];

/** One line of JSON after the other, until it ends. */
function start(name: string, args: readonly string[], take: (said: Record<string, unknown>) => void): Promise<void> {
  const child = spawn(process.execPath, [...args], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  child.once("exit", (code) => {
    if (!isStopping) console.error(`The ${name} ended (${code})`);
    stop();
  });
  return new Promise((ready) => {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      take(JSON.parse(line) as Record<string, unknown>);
      ready();
    });
  });
}

let isStopping = false;
function stop(): void {
  if (isStopping) return;
  isStopping = true;
  for (const child of children) child.kill("SIGTERM");
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);

const tell = (event: string, more: Record<string, unknown>, text: string) =>
  console.log(isJson ? JSON.stringify({ event, ...more }) : text);

const up: Record<string, unknown> = {};
const ports = ["port", "local-port", "mqtt-port"] as const;
await start("demo", [cli, "up", ...ports.flatMap((port) => [`--${port}`, flags[port]]), "-o", "json"], (said) => {
  if (said.event === undefined) Object.assign(up, said);
});
const furnace: Record<string, unknown> = {};
await start("furnace", [join(here, "furnace.ts")], (said) => {
  if (said.event === undefined) {
    Object.assign(furnace, said);
    return;
  }
  tell("furnace", { said }, `  furnace   ${told(said)}`);
});

const files = ["furnace.yaml", "overheat.yaml"].map((file) => readFileSync(join(here, file), "utf8"));
const documents = files.join("\n---\n").replaceAll("opc.tcp://127.0.0.1:4840", String(furnace.url));
await penstock(["apply", "-f", "-"], documents);
await penstock(["set", "furnace-01", "burner", "true"]);
tell("running", { ...up, furnace }, greeting());

async function penstock(args: readonly string[], input = ""): Promise<void> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["pipe", isJson ? "ignore" : "inherit", "inherit"] });
  child.stdin.end(input);
  const code = await new Promise<number | null>((done) => child.once("exit", done));
  if (code === 0) return;
  stop();
  process.exit(1);
}

function told(said: Record<string, unknown>): string {
  const at = `${said.celsius} °C`;
  if (said.event === "hot") return `${at}: above its limit of ${said.limit} °C`;
  if (said.event === "suspended")
    return `${at}: the burner is out${said.afterMs === null ? "" : `, ${said.afterMs} ms later`}`;
  if (said.event === "resumed") return `${at}: the burner is on`;
  return `${at}: the limit is ${said.limit} °C`;
}

function greeting(): string {
  const { user, password } = up.login as { user: string; password: string };
  return [
    "",
    `  Page      ${up.page}   ${user} / ${password}`,
    `  Furnace   ${furnace.url}`,
    "",
    "  In another terminal, in this folder:",
    "    npx penstock get alarms",
    "    npx penstock set furnace-01 highLimit 100     the next alarm comes later; the rule runs on",
    "    npx penstock set furnace-01 burner true       the furnace goes on",
    "",
  ].join("\n");
}
