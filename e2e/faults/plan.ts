import { type LinkFault, SimRandom } from "@penstock/testkit";

export const scenarios = [
  "kill-agent",
  "kill-mapper",
  "kill-cloud",
  "cut",
  "half-open",
  "slow",
  "stall",
  "disk-full",
  "power-cut",
  "clock-jump",
  "duplicate",
  "reorder",
  "outage",
] as const;
export type Scenario = (typeof scenarios)[number];
/** none named: one random kill and one cut */
export type RunKind = Scenario | "mixed";

export type Victim = "agent" | "mapper" | "cloud";
/**
 * When exactly to strike: at once, or as soon as something is seen. "accepted": the witness has grown, so an append has
 * just resolved; "sent": a batch is on the line; "acknowledged": the cloud has just answered. What is promised too early is
 * found there and hardly ever elsewhere.
 */
export type Aim = "at-once" | "accepted" | "sent" | "acknowledged" | "storing";

/**
 * backlogMs: the line is cut for so long before, so that much is under way when the strike comes. The line
 * comes back when the agent runs again and has accepted more.
 */
export type Step = { readonly atMs: number } & (
  | {
      readonly act: "kill";
      readonly who: Victim;
      readonly aim: Aim;
      readonly downMs: number;
      readonly backlogMs: number;
    }
  | {
      readonly act: "power-cut";
      readonly aim: Aim;
      readonly downMs: number;
      readonly backlogMs: number;
      readonly garbage: number;
    }
  | {
      readonly act: "line";
      readonly fault: Exclude<LinkFault, { kind: "open" }>;
      readonly aim: Aim;
      readonly forMs: number;
    }
  | { readonly act: "frames"; readonly how: "duplicate" | "reorder"; readonly forMs: number }
  | { readonly act: "fill-disk"; readonly forMs: number }
  | { readonly act: "clock"; readonly offsetS: number }
);
type Kill = Extract<Step, { act: "kill" }>;
export interface Plan {
  readonly steps: readonly Step[];
  readonly durationMs: number;
}

/** What happens in a run and when: a function of its arguments alone. Times count from the first accepted reading. */
export function planRun(options: { readonly kind: RunKind; readonly seed: number; readonly seconds: number }): Plan {
  const { kind, seconds } = options;
  const random = new SimRandom(options.seed);
  const ms = seconds * 1000;
  /** evenly spread with a random place each, so that strikes do not fall on each other */
  const spread = (count: number) =>
    Array.from({ length: count }, (_, i) => Math.round((ms * (i + 0.2 + random.number() * 0.6)) / count));
  const strikes = Math.max(1, Math.round(seconds / 8));
  const downMs = () => random.between(0, 1500);
  const backlogMs = () => (random.chance(0.8) ? random.between(500, 2500) : 0);
  const kill = (who: Victim, atMs: number): Kill => {
    const aims: readonly Aim[] = who === "cloud" ? ["acknowledged", "storing"] : ["accepted", "sent"];
    const aim = random.chance(0.7) ? random.pick(aims) : "at-once";
    const isCut = who === "agent" && aim !== "sent";
    return { atMs, act: "kill", who, aim, downMs: downMs(), backlogMs: isCut ? backlogMs() : 0 };
  };
  const line = (atMs: number, fault: Extract<Step, { act: "line" }>["fault"], forMs: number): Step => ({
    ...{ atMs, act: "line", fault, forMs },
    aim: random.chance(0.8) ? "sent" : "at-once",
  });
  const long = Math.min(10_000, ms / 3);
  const early = () => Math.round(ms * (0.05 + random.number() * 0.3));
  const cutOf = (forMs: number, atMs: number) => line(atMs, { kind: "cut" }, forMs);

  switch (kind) {
    case "mixed": {
      const who = random.pick(["agent", "mapper", "cloud"] as const);
      const at = Math.round(ms * (0.1 + random.number() * 0.8));
      return plan([{ ...kill(who, at), backlogMs: 0 }, cutOf(long, early())], ms);
    }
    case "kill-agent":
      return plan(
        spread(strikes).map((at) => kill("agent", at)),
        ms,
      );
    case "kill-mapper":
      return plan(
        spread(strikes).map((at) => kill("mapper", at)),
        ms,
      );
    case "kill-cloud":
      return plan(
        spread(strikes).map((at) => kill("cloud", at)),
        ms,
      );
    case "power-cut":
      return plan(
        spread(strikes).map((atMs) => ({
          ...{ atMs, act: "power-cut", downMs: downMs(), backlogMs: backlogMs(), garbage: random.between(1, 20_000) },
          aim: random.chance(0.9) ? "accepted" : "at-once",
        })),
        ms,
      );
    case "cut": {
      const after = early() + long;
      const short = Array.from({ length: strikes * 2 }, (_, i) => after + ((ms - after) * (i + 0.5)) / (strikes * 2));
      return plan([cutOf(long, after - long), ...short.map((at) => cutOf(random.between(0, 500), Math.round(at)))], ms);
    }
    case "half-open":
    case "stall":
      return plan([line(early(), { kind: kind === "stall" ? "stalled" : "half-open" }, long)], ms);
    case "slow":
      return plan([line(early(), { kind: "slow", bytesPerSecond: random.between(2000, 20_000) }, long)], ms);
    case "duplicate":
    case "reorder":
      return plan([{ atMs: 0, act: "frames", how: kind, forMs: ms }], ms);
    case "disk-full":
      return plan([{ atMs: early(), act: "fill-disk", forMs: long }], ms);
    case "clock-jump":
      return plan(
        spread(strikes).map((atMs) => ({ atMs, act: "clock", offsetS: random.between(-7200, 7200) })),
        ms,
      );
    case "outage": {
      // The line is down for a minute whatever the run's length; both sides are killed twice within.
      const from = Math.round(ms * 0.15);
      const at = (share: number) => from + Math.round(60_000 * (share + random.number() * 0.1));
      const killOf = (who: Victim, atMs: number) => ({ ...kill(who, atMs), aim: "at-once", backlogMs: 0 }) as const;
      const kills = [
        killOf("agent", at(0.1)),
        killOf("cloud", at(0.3)),
        killOf("agent", at(0.5)),
        killOf("cloud", at(0.7)),
      ];
      const steps = [cutOf(60_000, from), ...kills];
      return plan(steps, Math.max(ms, from + 60_000 + 8000));
    }
  }
}

function plan(steps: readonly Step[], durationMs: number): Plan {
  return { steps: [...steps].sort((a, b) => a.atMs - b.atMs), durationMs };
}
