import { randomUUID } from "node:crypto";
import { AppError, desiredFromText, invalid, isErrorCode, parseDuration, valueToJson } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { valueText } from "../value-cell.ts";

/** How much longer than the time to live the command waits: the way back needs a moment too. */
const graceMs = 2000;
/** The longest that one request waits; a longer time to live is waited for in several. */
const waitMaxMs = 30_000;

export function setCommand(program: Command): void {
  program
    .command("set <device> <property> <value>")
    .description("set a desired value; returns when it has been written and read back, or with the reason why not")
    .option("--ttl <duration>", "how long it may wait for the gateway and the machine", "60s")
    .option("--no-wait", "return as soon as it is accepted")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        device: string,
        property: string,
        value: string,
        options: { ttl: string; wait: boolean; output?: string },
        command: Command,
      ) => {
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        const ttlMs = parseDuration(options.ttl);
        if (ttlMs === null) {
          const field = { field: "--ttl", value: options.ttl, rule: "must be a duration such as 250ms, 1s, 1h30m" };
          throw invalid([field]);
        }
        const params = { tenant: context.tenant, device, property };
        const twin = await client.twins.get({ params: { tenant: context.tenant, device } });
        const known = twin.properties.find((p) => p.property === property);
        if (known === undefined) {
          const names = twin.properties.map((p) => p.property).join(", ");
          throw new AppError(
            "twin/unknown-property",
            `Device "${device}" has no property "${property}": it has ${names || "none"}`,
          );
        }
        // Checked here for a quick answer, and again by the cloud and by the gateway.
        const json = valueToJson(
          known.type,
          desiredFromText({ ...known, name: property }, value, `${device}.${property}`),
        );
        const idempotencyKey = randomUUID();
        const deadline = performance.now() + ttlMs + graceMs;
        const wait = options.wait ? `${Math.min(waitMaxMs, ttlMs + graceMs)}ms` : "0ms";
        let outcome = await client.twins.setDesired({
          params,
          query: { wait },
          body: { value: json, ttl: options.ttl },
          idempotencyKey,
        });
        while (options.wait && isOpen(outcome.state) && performance.now() < deadline) {
          // Asking with the same key waits for the same desired value, it never sets another.
          outcome = await client.twins.setDesired({
            params,
            query: { wait: `${waitMaxMs}ms` },
            body: { value: json, ttl: options.ttl },
            idempotencyKey,
          });
        }
        const what = `${device}.${property} = ${valueText(outcome.value, known.unit)}`;
        if (isOpen(outcome.state) && options.wait) {
          throw new AppError(
            "twin/pending",
            `${what} is still ${outcome.state}: ${outcome.message ?? "the gateway or the machine has not answered"}`,
          );
        }
        if (outcome.state === "failed" || outcome.state === "expired" || outcome.state === "superseded") {
          const code = isErrorCode(outcome.reason)
            ? outcome.reason
            : outcome.state === "expired"
              ? "twin/expired"
              : "twin/superseded";
          throw new AppError(code, `${what} ${outcome.state}: ${outcome.message ?? code}`);
        }
        print(
          formatOf(options.output),
          outcome,
          () =>
            `${what} ${outcome.state}${outcome.state === "confirmed" ? `, read back ${valueText(outcome.readBack, known.unit)}` : ""}`,
        );
      },
    );
}

function isOpen(state: string): boolean {
  return state === "pending" || state === "sent";
}
