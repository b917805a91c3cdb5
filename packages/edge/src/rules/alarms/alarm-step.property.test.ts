import assert from "node:assert/strict";
import { test } from "node:test";
import type { AlarmActKind, AlarmState, AlarmTransition, Micros, RuleUid } from "@penstock/model";
import fc from "fast-check";
import { type AlarmAction, definitionOf } from "./alarm-definition.ts";
import { type AlarmInput, type AlarmKey, alarmDue, alarmStep, newAlarmKey } from "./alarm-step.ts";

const rule = "r" as RuleUid;
type Event =
  | { readonly t: "row"; readonly value: number | null }
  | { readonly t: "pass"; readonly ms: number }
  /** time passes and nobody looks, as while a machine sleeps */
  | { readonly t: "sleep"; readonly ms: number }
  | { readonly t: "act"; readonly kind: AlarmActKind; readonly forMs: number | null };
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ t: fc.constant("row"), value: fc.option(fc.integer({ min: 0, max: 20 })) }) },
  { weight: 3, arbitrary: fc.record({ t: fc.constant("pass"), ms: fc.integer({ min: 1, max: 4000 }) }) },
  fc.record({ t: fc.constant("sleep"), ms: fc.integer({ min: 1, max: 4000 }) }),
  {
    weight: 2,
    arbitrary: fc.record({
      t: fc.constant("act"),
      kind: fc.constantFrom<AlarmActKind>("acknowledge", "shelve", "unshelve", "comment"),
      forMs: fc.option(fc.integer({ min: 1, max: 5000 })),
    }),
  },
);
const duration = fc.integer({ min: 0, max: 3000 }).map((ms) => `${ms}ms`);
const action: fc.Arbitrary<AlarmAction> = fc.record(
  {
    ...{ name: fc.constant("a"), message: fc.constant("m"), onDelay: duration, offDelay: duration },
    acknowledge: fc.constantFrom("required", "none"),
    escalate: fc.constantFrom([], [{ after: "1s" }, { after: "2s", severity: "critical" as const }]),
    when: fc.record({ value: fc.constant("v"), above: fc.constant(10), hysteresis: fc.constantFrom(0, 3) }),
  },
  { requiredKeys: ["name", "message", "when"] },
);

/** ISA-18.2, figure 3: from which states each transition may come, and to which it leads */
const legal: Partial<Record<AlarmTransition["kind"], readonly (readonly [AlarmState, AlarmState])[]>> = {
  raised: [
    ["normal", "unacknowledged"],
    ["returned", "unacknowledged"],
  ],
  cleared: [
    ["unacknowledged", "returned"],
    ["unacknowledged", "normal"],
    ["acknowledged", "normal"],
  ],
  acknowledged: [
    ["unacknowledged", "acknowledged"],
    ["returned", "normal"],
  ],
};

/** Plays events; whatever is due between them happens in its time. */
function play(events: readonly Event[], given: AlarmAction) {
  const definition = definitionOf({ uid: rule, name: "watch" }, given);
  let now = 1_000_000_000;
  let state: AlarmKey = newAlarmKey("", null, now);
  let next = 1;
  const told: AlarmTransition[] = [];
  const done: string[] = [];
  const at = () => ({ tick: now, time: now as Micros });
  const feed = (input: AlarmInput) => {
    const step = alarmStep(state, input, { definition, at: at(), next, isFlood: false });
    state = step.state;
    for (const effect of step.effects) {
      if (effect.t === "do") done.push(effect.on);
      else told.push(effect.transition);
    }
    next += step.effects.filter(({ t }) => t === "told").length;
  };
  for (const one of events) {
    if (one.t === "row") feed({ t: "row", row: { v: one.value }, message: "m" });
    else if (one.t === "act") {
      const until = one.kind === "shelve" && one.forMs !== null ? ((now + one.forMs * 1000) as Micros) : null;
      const act = {
        id: "",
        kind: one.kind,
        rule,
        alarm: "a",
        key: "",
        occurrence: 0,
        who: "ada",
        comment: null,
        until,
      };
      feed({ t: "act", act });
    } else if (one.t === "sleep") {
      now += one.ms * 1000;
      feed({ t: "tick" });
    } else {
      const end = now + one.ms * 1000;
      for (let due = alarmDue(state, definition, at()); due !== null && due <= end; ) {
        now = Math.max(now, due);
        feed({ t: "tick" });
        const after = alarmDue(state, definition, at());
        assert.ok(after === null || after > now, "what was due has happened");
        due = after;
      }
      now = end;
    }
  }
  return { told, done, state, definition };
}

test("whatever comes, an alarm goes the ways of the standard, and its numbers have no gaps", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), action, (events, given) => {
      const { told, done, state } = play(events, given);
      let last: AlarmState = "normal";
      for (const [i, transition] of told.entries()) {
        assert.equal(transition.number, i + 1);
        const ways = legal[transition.kind];
        if (ways === undefined) assert.equal(transition.state, last, transition.kind);
        else
          assert.ok(
            ways.some(([from, to]) => from === last && to === transition.state),
            `${transition.kind}: ${last} to ${transition.state}`,
          );
        last = transition.state;
      }
      // Devices are acted on in turns: raise, clear, raise …
      for (const [i, on] of done.entries()) assert.equal(on, i % 2 === 0 ? "raise" : "clear");
      assert.equal(state.standing === null, last === "normal");
      const shelved = told.filter(({ kind }) => kind === "shelved" || kind === "unshelved");
      if (state.shelving === null && shelved.length > 0) assert.equal(told.at(-1)!.shelving, null);
    }),
    { numRuns: 1000 },
  );
});

test("the same events give the same story; ticks that are not due change nothing", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), action, (events, given) => {
      const whole = play(events, given);
      const cut = events.flatMap((one): Event[] =>
        one.t === "pass" && one.ms > 1
          ? [
              { t: "pass", ms: 1 },
              { t: "pass", ms: one.ms - 1 },
            ]
          : [one],
      );
      assert.deepEqual(play(cut, given).told, whole.told);
    }),
    { numRuns: 300 },
  );
});
