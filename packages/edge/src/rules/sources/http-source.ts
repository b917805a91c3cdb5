import { limits, parseDuration, type RuleSourceSpec } from "@penstock/model";
import type { Cancel } from "@penstock/runtime";
import { HttpPeer } from "../sinks/http/exchange.ts";
import { judgeStatus } from "../sinks/http/judge-status.ts";
import { badMessages } from "./bad-messages.ts";
import { jsonRows } from "./json-rows.ts";
import { RowGate } from "./row-gate.ts";
import type { Source, SourceParts } from "./source-parts.ts";

const timeoutMs = 10_000;
const leastMs = 100;

/**
 * Asks an HTTP server again and again; each answer is a row or a list of rows. One question at a time: where an answer takes
 * longer than the pause, times are left out.
 */
export function openHttpSource(spec: NonNullable<RuleSourceSpec["http"]>, parts: SourceParts): Source {
  const { clock, log, name, metrics } = parts;
  const peer = new HttpPeer({ clock, timeoutMs, answerBytes: limits.devicePayloadBytes });
  const gate = new RowGate(parts);
  const bad = badMessages(parts);
  const failed = metrics.counter("penstock_rules_source_failures_total", "Times that a source could not be reached", {
    source: name,
  });
  const abort = new AbortController();
  const everyMs = Math.max(leastMs, parseDuration(spec.every) ?? leastMs);
  const url = new URL(spec.url);
  const headers = {
    accept: "application/json",
    ...spec.headers,
    ...(spec.token !== undefined && { authorization: `Bearer ${spec.token}` }),
  };
  let cancel: Cancel = () => {};
  let asking: Promise<void> = Promise.resolve();
  let isWell = true;

  const ask = async () => {
    try {
      const answer = await peer.ask({ method: "GET", url, headers, body: null }, abort.signal);
      judgeStatus(`GET ${url.origin}${url.pathname}`, answer);
      const rows = answer.isWhole ? jsonRows(new TextDecoder().decode(answer.body)) : null;
      if (rows === null) bad(`GET ${url.origin}${url.pathname}`);
      else await gate.give(rows, {});
      isWell = true;
    } catch (error) {
      failed.add();
      if (isWell && !abort.signal.aborted) log.warn({ source: name, error }, "A source of a rule cannot be reached");
      isWell = false;
    }
  };
  const next = (delayMs: number) => {
    cancel = clock.after(delayMs, () => {
      const began = clock.monotonic();
      asking = ask().then(() => {
        if (abort.signal.aborted) return;
        const spentMs = (clock.monotonic() - began) / 1000;
        next(everyMs - (spentMs % everyMs));
      });
    });
  };
  next(0);
  return {
    async close() {
      cancel();
      abort.abort();
      gate.close();
      peer.close();
      await Promise.race([asking, Promise.resolve()]);
    },
  };
}
