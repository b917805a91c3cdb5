import { resolve } from "node:path";
import { type AppError, checkMqttSpec, effectiveMqtt, invalid, type MqttBroker, parseDuration } from "@penstock/model";
import type { Command } from "commander";
import { installedPaths } from "../installed-paths.ts";
import { logLevel } from "../log-level.ts";
import { portNumber, wholeNumber } from "../numeric-option.ts";
import { formatOf } from "../output.ts";
import { runUntilSignal } from "../run-until-signal.ts";
import { edgeLocalCommands } from "./edge-local.ts";

interface EdgeFlags {
  readonly dataDir: string;
  readonly cloud?: string;
  readonly mqttHost: string;
  readonly mqttPort: string;
  readonly broker?: string;
  readonly brokerUser?: string;
  readonly localApiPort: string;
  readonly mappers: readonly string[];
  readonly dmiSocket?: string;
  readonly ekuiperPort?: string;
  readonly ekuiper?: string;
  readonly outboxMegabytes: string;
  readonly outboxAge: string;
  readonly outboxFull: string;
  readonly witness?: string;
  readonly syncWitness?: string;
  readonly logLevel: string;
  readonly output?: string;
  readonly untilStdinEnds?: boolean;
}

export function edgeCommand(program: Command): void {
  const edge = program
    .command("edge")
    .description("run the gateway agent; it starts from its data folder, with or without the cloud")
    .option("--data-dir <path>", "where everything is kept", "penstock-data/edge")
    .option("--cloud <url>", "https://HOST:PORT of the cloud, when it has moved since the gateway joined")
    .option("--mqtt-host <address>", "address of the MQTT broker", "127.0.0.1")
    .option("--mqtt-port <number>", "port of the MQTT broker; 0 = any free one", "1883")
    .option(
      "--broker <url>",
      "mqtt://HOST:PORT of another broker instead of the embedded one; PENSTOCK_BROKER_PASSWORD is its password",
    )
    .option("--broker-user <name>", "user at that broker")
    .option("--local-api-port <number>", "port of the local API on loopback; 0 = any free one", "0")
    .option("--mappers <folder...>", "further folders with mappers", [])
    .option("--dmi-socket <path>", "socket for mappers that speak KubeEdge's DMI v1beta1; none unless stated")
    .option("--ekuiper-port <number>", "port of eKuiper's REST shape on loopback; 0 = any free one; none unless stated")
    .option(
      "--ekuiper <url>",
      "http://HOST:PORT of a running eKuiper that runs the rules; our own engine unless stated",
    )
    .option("--outbox-megabytes <number>", "how much the outbox may hold", "1024")
    .option("--outbox-age <duration>", "how old a reading in the outbox may become", "30d")
    .option("--outbox-full <policy>", "drop-oldest, or refuse what is new", "drop-oldest")
    .option("--witness <file>", "append every accepted reading to this file, for fault runs")
    .option("--sync-witness <file>", "append every synced file and length to this file, for fault runs")
    .option("--log-level <level>", "trace, debug, info, warn or error", "info")
    .option("--until-stdin-ends", "end when standard input ends, so that it never outlives the program that started it")
    .option("-o, --output <format>", "json: the first line is one object with the addresses")
    .action(async (flags: EdgeFlags) => {
      const format = formatOf(flags.output);
      const options = {
        dataDir: resolve(flags.dataDir),
        cloud: flags.cloud ?? null,
        mqtt: {
          host: flags.mqttHost,
          port: portNumber("--mqtt-port", flags.mqttPort),
          broker: brokerOf(flags, process.env.PENSTOCK_BROKER_PASSWORD),
        },
        localApi: { port: portNumber("--local-api-port", flags.localApiPort) },
        mapperFolders: [installedPaths.mappers, ...flags.mappers.map((folder) => resolve(folder))],
        mapperHost: installedPaths.mapperHost,
        dmiSocket: flags.dmiSocket === undefined ? null : resolve(flags.dmiSocket),
        ekuiper: {
          port: flags.ekuiperPort === undefined ? null : portNumber("--ekuiper-port", flags.ekuiperPort),
          url: ekuiperOf(flags.ekuiper),
        },
        outbox: {
          bytes: wholeNumber("--outbox-megabytes", flags.outboxMegabytes, { min: 1, max: 1_000_000 }) * 1_048_576,
          ageMs: duration("--outbox-age", flags.outboxAge),
          policy: policyOf(flags.outboxFull),
        },
        witnessPath: flags.witness === undefined ? null : resolve(flags.witness),
        syncWitnessPath: flags.syncWitness === undefined ? null : resolve(flags.syncWitness),
        logLevel: logLevel(flags.logLevel),
      };
      const { startEdge } = await import("@penstock/edge");
      const agent = await startEdge(options);
      const { node, mqttAddress, localAddress, ekuiperAddress } = agent;
      const ekuiper = ekuiperAddress === null ? {} : { ekuiperAddress };
      if (format === "text") console.log(`Penstock gateway "${node}" runs; MQTT at ${mqttAddress}`);
      else console.log(JSON.stringify({ node, mqttAddress, localAddress, ...ekuiper, pid: process.pid }));
      await runUntilSignal({ close: () => agent.close(), untilStdinEnds: flags.untilStdinEnds === true });
    });
  edge
    .command("join")
    .description(
      "make this machine a gateway of the cloud at --cloud: checks its CA against the token, then asks for a certificate",
    )
    .requiredOption("--token <token>", "join token, from penstock edge token NODE")
    .action(async (flags: { token: string }, command: Command) => {
      const { dataDir, cloud } = command.optsWithGlobals() as EdgeFlags;
      // Commander gives --cloud to the command above, which has an option of that name too.
      if (cloud === undefined) throw missing("--cloud", "must be given: https://HOST:PORT");
      const { joinCloud } = await import("@penstock/edge");
      const joined = await joinCloud({
        dataDir: resolve(dataDir),
        cloud,
        token: flags.token,
      });
      console.log(
        `Joined tenant "${joined.tenant.name}" as node "${joined.node.name}"; start it with: penstock edge --data-dir ${dataDir}`,
      );
    });
  edge
    .command("token <node>")
    .description("make a join token for a node, creating the node if need be; single use, shown this once")
    .option("--ttl <duration>", "how long it is valid", "1h")
    .option("-o, --output <format>", "json or yaml")
    .action(async (node: string, { ttl }: { ttl: string }, command: Command) => {
      const { makeJoinToken } = await import("../join-token.ts");
      const flags = command.optsWithGlobals() as EdgeFlags;
      // Commander gives -o to the command above as well.
      await makeJoinToken({ node, ttl, format: formatOf(flags.output), flags: command.optsWithGlobals() });
    });
  edgeLocalCommands(edge);
}

/** A password on a command line is seen by everybody on the machine, so it comes by the environment. */
function brokerOf({ broker: url, brokerUser: user }: EdgeFlags, password: string | undefined): MqttBroker | null {
  if (url === undefined) return null;
  const broker = { url, ...(user !== undefined && { user }), ...(password !== undefined && { password }) };
  const isUrl = /^mqtts?:\/\/[^\s@/?#]+\/?$/.test(url) && URL.canParse(url);
  if (!isUrl) throw invalid([{ field: "--broker", value: url, rule: "must be mqtt://HOST:PORT or mqtts://HOST:PORT" }]);
  const fields = checkMqttSpec({ broker }, "--");
  if (fields.length > 0) throw missing("--broker-user", "must be there when there is a password");
  return effectiveMqtt({ broker }).broker;
}

function missing(field: string, rule: string): AppError {
  return invalid([{ field, value: "(none)", rule }]);
}

function duration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  const field = { field: option, value: text, rule: "must be a duration such as 250ms, 1s, 1h30m" };
  throw invalid([field]);
}

function policyOf(text: string): "drop-oldest" | "refuse" {
  if (text === "drop-oldest" || text === "refuse") return text;
  const field = { field: "--outbox-full", value: text, rule: "must be drop-oldest or refuse" };
  throw invalid([field]);
}

function ekuiperOf(url: string | undefined): string | null {
  if (url === undefined || /^https?:\/\/[^\s@/?#]+\/?$/.test(url)) return url ?? null;
  throw invalid([{ field: "--ekuiper", value: url, rule: "must be http://HOST:PORT or https://HOST:PORT" }]);
}
