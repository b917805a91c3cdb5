import { userInfo } from "node:os";
import { resolve } from "node:path";
import {
  AppError,
  argumentsFromText,
  desiredFromText,
  type LocalCallAnswer,
  type LocalReleaseAnswer,
  type LocalSetAnswer,
  type LocalStatus,
  type LocalTwinAnswer,
  limits,
  valueToJson,
} from "@penstock/model";
import type { Command } from "commander";
import { askGateway, type LocalAsk } from "../local-client.ts";
import { statusText, twinText } from "../local-tables.ts";
import { nameValuePairs } from "../name-value-pairs.ts";
import { type Format, formatOf, print } from "../output.ts";
import { timeText } from "../time-cell.ts";
import { valueText } from "../value-cell.ts";

/** What can be done on the gateway's own machine, with no cloud in reach and no login: who may read the data folder may. */
export function edgeLocalCommands(edge: Command): void {
  local(edge, "status", "what the gateway on this machine does: link, lines, cycles, mappers, outbox, holds").action(
    async (_: unknown, command: Command) => {
      const status = await asking(command)<LocalStatus>({ method: "GET", path: ["status"] });
      print(format(command), status, () => statusText(status));
    },
  );
  local(edge, "twin <device>", "values of a device as its gateway knows them, with who set and who holds them").action(
    async (device: string, _: unknown, command: Command) => {
      const twin = await readTwin(command, device);
      print(format(command), twin, () => twinText(twin));
    },
  );
  local(edge, "set <device> <property> <value>", "set a value at the gateway, by the property's localWrites")
    .option("--holder <name>", "who holds the property, as the cloud is told; your user name unless stated")
    .option("--hold <duration>", "how long it holds, where localWrites is hold; until it is released unless stated")
    .option("--ttl <duration>", "how long it may wait for the machine", "60s")
    .action(setHere);
  local(edge, "release <device> <property>", "end a hold: what waits of the cloud goes on").action(
    async (device: string, property: string, _: unknown, command: Command) => {
      const path = ["devices", device, "properties", property, "hold"];
      const answer = await asking(command)<LocalReleaseAnswer>({ method: "DELETE", path });
      print(format(command), answer, () => releaseText(answer));
    },
  );
  local(edge, "call <device> <method> [arguments...]", "call a method at the gateway, at most once: name=value each")
    .option("--timeout <duration>", "until when it must have ended; the method's own unless stated")
    .action(callHere);
}

interface SetFlags {
  readonly holder?: string;
  readonly hold?: string;
  readonly ttl: string;
}

/** Commander gives -o to the command above, which has an option of that name too. */
function format(command: Command): Format {
  return formatOf((command.optsWithGlobals() as { readonly output?: string }).output);
}

function local(edge: Command, name: string, description: string): Command {
  return edge.command(name).description(description).option("-o, --output <format>", "json or yaml");
}

function asking(command: Command): <T>(ask: LocalAsk) => Promise<T> {
  const { dataDir } = command.optsWithGlobals() as { readonly dataDir: string };
  return (ask) => askGateway(resolve(dataDir), ask);
}

function readTwin(command: Command, device: string): Promise<LocalTwinAnswer> {
  return asking(command)({ method: "GET", path: ["devices", device, "twin"] });
}

async function setHere(device: string, property: string, text: string, flags: SetFlags, command: Command) {
  const { properties } = await readTwin(command, device);
  const known = properties.find((one) => one.property === property);
  if (known === undefined) throw unknown("property", { device, name: property, known: namesOf(properties) });
  // Checked here because only here the type says what the text means; and again by the gateway.
  const value = desiredFromText({ ...known, name: property }, text, `${device}.${property}`);
  const answer = await asking(command)<LocalSetAnswer>({
    ...{ method: "PUT", path: ["devices", device, "properties", property, "local"] },
    query: { wait: `${limits.desiredWaitMaxMs}ms` },
    body: {
      ...{ value: valueToJson(known.type, value), holder: flags.holder ?? userInfo().username, ttl: flags.ttl },
      ...(flags.hold !== undefined && { hold: flags.hold }),
    },
  });
  const what = `${device}.${property} = ${text}`;
  if (answer.state === "pending" || answer.state === "sent")
    throw new AppError("twin/pending", `${what} is still ${answer.state}: the machine has not answered`);
  print(format(command), answer, () => {
    const proof = answer.state === "confirmed" ? `, read back ${valueText(answer.readBack, known.unit)}` : "";
    const { hold } = answer;
    const until = hold?.until == null ? "until it is released" : `until ${timeText(hold.until)}`;
    return `${what} ${answer.state}${proof}${hold === null ? "" : `; ${hold.holder} holds it ${until}`}`;
  });
}

async function callHere(
  device: string,
  method: string,
  given: readonly string[],
  flags: { readonly timeout?: string },
  command: Command,
) {
  const { methods } = await readTwin(command, device);
  const known = methods.find((one) => one.method === method);
  if (known === undefined) throw unknown("method", { device, name: method, known: methods.map((one) => one.method) });
  const checked = argumentsFromText({ name: method, arguments: known.arguments }, nameValuePairs(given));
  const answer = await asking(command)<LocalCallAnswer>({
    ...{ method: "POST", path: ["devices", device, "methods", method] },
    body: {
      arguments: Object.fromEntries(checked.map(({ name, type, value }) => [name, valueToJson(type, value)])),
      ...(flags.timeout !== undefined && { timeout: flags.timeout }),
    },
  });
  print(format(command), answer, () => {
    const steps = answer.steps.map(({ property, state }) => `${property} ${state}`).join(", ");
    const result = answer.resultType === null ? steps : valueText(answer.result, null);
    return `${device}.${method} ${answer.state}${result === "" ? "" : `: ${result}`}`;
  });
}

function releaseText({ device, property, released, desired }: LocalReleaseAnswer): string {
  if (!released) return `Nobody held ${device}.${property}`;
  const isOpen = desired?.state === "pending" || desired?.state === "written";
  return `${device}.${property} is released${isOpen ? `; version ${desired.version} of the cloud goes on` : ""}`;
}

function namesOf(properties: LocalTwinAnswer["properties"]): string[] {
  return properties.map(({ property }) => property);
}

function unknown(
  kind: "property" | "method",
  { device, name, known }: { device: string; name: string; known: readonly string[] },
): AppError {
  const text = `Device "${device}" has no ${kind} "${name}": it has ${known.join(", ") || "none"}`;
  return new AppError(`twin/unknown-${kind}`, text);
}
