import { AppError, type RuleActionSpec } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { openCall } from "./call-sink.ts";
import type { Sink } from "./sink.ts";
import type { OpenSink, SinkParts } from "./sink-parts.ts";
import { openWrite } from "./write-sink.ts";

/** What an alarm may do to devices, and where its rows go. */
export interface AlarmPlace {
  /** @param of.act  does its `n`th step, in the same turn; never throws */
  sink(of: {
    readonly rule: string;
    readonly alarm: string;
    act(on: "raise" | "clear", n: number, row: ObjectValue): void;
  }): Sink;
}

/**
 * Rows of an alarm. What it does to devices goes by the same ways as the actions `write` and `call`.
 *
 * @throws AppError rules/unknown-action where the gateway keeps no alarms
 */
export const openAlarm: OpenSink<"alarm"> = (settings, parts) => {
  const place = parts.site.alarms;
  if (place === undefined) throw new AppError("rules/unknown-action", 'This gateway has no action "alarm"');
  const steps = {
    raise: (settings.onRaise ?? []).map((step) => openStep(step, parts)),
    clear: (settings.onClear ?? []).map((step) => openStep(step, parts)),
  };
  const { rule, clock } = parts;
  let number = 0;
  const sink = place.sink({
    ...{ rule, alarm: settings.name },
    act(on, n, row) {
      number += 1;
      void steps[on][n]?.take({ rule, number, time: clock.now(), rows: [row] });
    },
  });
  return {
    take: (output) => sink.take(output),
    async close() {
      await sink.close();
      await Promise.all([...steps.raise, ...steps.clear].map((step) => step.close()));
    },
  };
};

function openStep({ write, call }: Pick<RuleActionSpec, "write" | "call">, parts: SinkParts): Sink {
  return write === undefined ? openCall(call!, parts) : openWrite(write, parts);
}
