import { randomUUID } from "node:crypto";
import { AppError, argumentsFromText, invalid, parseDuration, valueToJson } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { nameValuePairs } from "../name-value-pairs.ts";
import { formatOf, print } from "../output.ts";
import { valueText } from "../value-cell.ts";

/** The way to the gateway and back needs a moment besides the call's own time. */
const graceMs = 3000;
/** The longest that one request waits; a longer call is waited for in several. */
const waitMaxMs = 30_000;

export function callCommand(program: Command): void {
  program
    .command("call <device> <method> [arguments...]")
    .description("call a method, at most once; returns its result, or why it has none: name=value for each argument")
    .option("--timeout <duration>", "until when it must have ended; the method's own unless stated")
    .option("--no-wait", "return as soon as it is accepted")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        device: string,
        method: string,
        given: readonly string[],
        options: { timeout?: string; wait: boolean; output?: string },
        command: Command,
      ) => {
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        const { tenant } = context;
        const { methods } = await client.twins.get({ params: { tenant, device } });
        const known = methods.find((one) => one.method === method);
        if (known === undefined) {
          const names = methods.map((one) => one.method).join(", ");
          const text = `Device "${device}" has no method "${method}": it has ${names || "none"}`;
          throw new AppError("twin/unknown-method", text);
        }
        // Checked here for a quick answer, and again by the cloud and by the gateway.
        const checked = argumentsFromText({ name: method, arguments: known.arguments }, nameValuePairs(given));
        const timeoutMs = options.timeout === undefined ? known.timeoutMs : durationMs(options.timeout);
        const deadline = performance.now() + timeoutMs + graceMs;
        const request = {
          params: { tenant, device, method },
          body: {
            arguments: Object.fromEntries(checked.map(({ name, type, value }) => [name, valueToJson(type, value)])),
            ...(options.timeout !== undefined && { timeout: options.timeout }),
          },
          idempotencyKey: randomUUID(),
        };
        const wait = options.wait ? `${Math.min(waitMaxMs, timeoutMs + graceMs)}ms` : "0ms";
        let call = await client.methods.call({ ...request, query: { wait } });
        while (options.wait && call.state !== "done" && performance.now() < deadline) {
          // Asking with the same key waits for the same call, it never makes another.
          call = await client.methods.call({ ...request, query: { wait: `${waitMaxMs}ms` } });
        }
        const what = `${device}.${method} ${call.id}`;
        if (options.wait && call.state !== "done") {
          throw new AppError("twin/pending", `${what} is still ${call.state}: the gateway has not answered`);
        }
        print(formatOf(options.output), call, () => {
          if (call.state !== "done") return `${what} ${call.state}`;
          const steps = call.steps.map(({ property, state }) => `${property} ${state}`).join(", ");
          const result = call.resultType === null ? steps : valueText(call.result, known.resultUnit);
          return `${what} done${result === "" ? "" : `: ${result}`}`;
        });
      },
    );
}

function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw invalid([{ field: "--timeout", value: text, rule: "must be a duration such as 250ms, 1s, 1h30m" }]);
}
