import assert from "node:assert/strict";
import { test } from "node:test";
import { mapperProtocol } from "@penstock/wire";
import fc from "fast-check";
import {
  notStarted,
  type SupervisorEffect,
  type SupervisorInput,
  type SupervisorState,
  supervise,
  supervision,
  supervisorWakesAt,
} from "./supervisor.ts";

const hello: SupervisorInput = { t: "hello", protocol: mapperProtocol };

function play() {
  let state: SupervisorState = notStarted;
  let now = 0;
  const send = (input: SupervisorInput): string[] => {
    let effects: readonly SupervisorEffect[];
    [state, effects] = supervise(state, input, now);
    return effects.map((effect) => (effect.t === "down" ? `down ${effect.code}` : effect.t));
  };
  const wait = (ms: number): string[] => {
    const until = now + ms;
    const effects: string[] = [];
    for (let at = supervisorWakesAt(state); at !== null && at <= until; at = supervisorWakesAt(state)) {
      now = at;
      effects.push(...send({ t: "tick" }));
    }
    now = until;
    return effects;
  };
  const jump = (ms: number): string[] => {
    now += ms;
    return send({ t: "tick" });
  };
  const start = () => {
    send({ t: "want", isWanted: true });
    send({ t: "found", missing: null });
    send({ t: "started", pid: 7 });
    return send(hello);
  };
  return { send, wait, jump, start, state: () => state };
}

test("supervise() starts a wanted mapper and tells up after its hello", () => {
  const { send, state } = play();
  assert.deepEqual(send({ t: "want", isWanted: true }), ["find"]);
  assert.deepEqual(send({ t: "found", missing: null }), ["spawn"]);
  assert.deepEqual(send({ t: "started", pid: 7 }), []);
  assert.deepEqual(send(hello), ["up"]);
  assert.deepEqual([state().phase, state().pid], ["running", 7]);
});

test("supervise() looks again for a missing mapper", () => {
  const { send, wait } = play();
  send({ t: "want", isWanted: true });
  const missing = { code: "mapper/not-found", message: 'no mapper "modbus"' } as const;
  assert.deepEqual(send({ t: "found", missing }), ["down mapper/not-found"]);
  assert.deepEqual(wait(supervision.findEveryMs), ["find"]);
  assert.deepEqual(send({ t: "found", missing: null }), ["spawn"]);
});

test("supervise() restarts after a death, later and later, and soon again after a long run", () => {
  const { send, wait, start, state } = play();
  start();
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(send({ t: "exited", message: "SIGKILL" }), ["down mapper/stopped"]);
    let waited = 0;
    while (wait(50).length === 0) waited += 50;
    waits.push(waited);
    assert.deepEqual(send({ t: "found", missing: null }), ["spawn"]);
    send(hello);
  }
  assert.ok(waits[0]! <= supervision.restartAfterMs && waits.every((w, i) => i === 0 || w >= waits[i - 1]!));
  assert.ok(waits[9]! <= supervision.restartAtMostMs && waits[9]! > 20_000);
  for (let ran = 0; ran < supervision.longRunMs; ran += supervision.pingEveryMs) {
    assert.deepEqual(wait(supervision.pingEveryMs), ["ping"]);
    send({ t: "pong", n: state().ping!.n });
  }
  send({ t: "exited", message: "SIGKILL" });
  assert.deepEqual(wait(supervision.restartAfterMs), ["find"]);
});

test("supervise() kills a mapper that answers no ping, and starts the next only after the exit", () => {
  const { send, wait, start } = play();
  start();
  assert.deepEqual(wait(supervision.pingEveryMs), ["ping"]);
  assert.deepEqual(wait(supervision.pongWithinMs), ["kill", "down mapper/stopped"]);
  assert.deepEqual(wait(60_000), []);
  send({ t: "exited", message: "SIGKILL" });
  assert.deepEqual(wait(supervision.restartAfterMs), ["find"]);
});

// Presence states this time (docs/guides/operate.md), so it is part of the promise, whenever the mapper begins to hang.
test("supervise() tells a mapper that hangs down within 3 s, and never one that answers within 2 s", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2000 }), { maxLength: 8 }), fc.nat({ max: 999 }), (pongsAfterMs, idleMs) => {
      const { send, wait, start, state } = play();
      start();
      for (const ms of pongsAfterMs) {
        while (state().ping === null) assert.ok(!wait(50).includes("kill"));
        assert.deepEqual(wait(ms), []);
        send({ t: "pong", n: state().ping!.n });
      }
      // The last it said may be a pong, or a while ago.
      if (state().ping === null) for (let ms = 0; ms < idleMs && state().ping === null; ms += 10) wait(10);
      let silentMs = 0;
      while (!wait(10).includes("down mapper/stopped")) silentMs += 10;
      assert.ok(silentMs < 3000, `${silentMs} ms`);
    }),
  );
});

test("supervise() does not kill a mapper because the agent itself stood still", () => {
  const { send, wait, jump, start } = play();
  start();
  assert.deepEqual(wait(supervision.pingEveryMs), ["ping"]);
  assert.deepEqual(jump(60_000), []);
  send({ t: "pong", n: 1 });
  assert.deepEqual(wait(supervision.pingEveryMs), ["ping"]);
  assert.deepEqual(wait(supervision.pongWithinMs), ["kill", "down mapper/stopped"]);
});

test("supervise() refuses another protocol version with both ranges", () => {
  const { send, state } = play();
  send({ t: "want", isWanted: true });
  send({ t: "found", missing: null });
  assert.deepEqual(send({ t: "hello", protocol: { min: 8, max: 9 } }), ["kill", "down mapper/wrong-version"]);
  assert.match(state().message ?? "", /8\.\.9.*1\.\.1/);
});

test("supervise() kills what says no hello, what breaks the protocol, and what does not stop when told", () => {
  const late = play();
  late.send({ t: "want", isWanted: true });
  late.send({ t: "found", missing: null });
  assert.deepEqual(late.wait(supervision.helloWithinMs), ["kill", "down mapper/stopped"]);

  const broken = play();
  broken.start();
  assert.deepEqual(broken.send({ t: "broken", message: "frame too large" }), ["kill", "down mapper/stopped"]);
  assert.deepEqual(broken.send({ t: "broken", message: "pipe closed" }), []);

  const stubborn = play();
  stubborn.start();
  assert.deepEqual(stubborn.send({ t: "want", isWanted: false }), ["stop"]);
  assert.deepEqual(stubborn.wait(supervision.stopWithinMs), ["kill"]);
  assert.deepEqual(stubborn.send({ t: "exited", message: "" }), []);
  assert.equal(stubborn.state().phase, "stopped");
});

test("supervise() starts again when it is wanted while it stops", () => {
  const { send, start } = play();
  start();
  send({ t: "want", isWanted: false });
  assert.deepEqual(send({ t: "want", isWanted: true }), []);
  assert.deepEqual(send({ t: "exited", message: "exit code 0" }), ["find"]);
});

test("supervise() under any order of events runs at most one process and ends running when wanted and well", () => {
  const any: fc.Arbitrary<SupervisorInput | { t: "wait"; ms: number }> = fc.oneof(
    fc.record({ t: fc.constant("want" as const), isWanted: fc.boolean() }),
    fc.constant(hello),
    fc.record({ t: fc.constant("pong" as const), n: fc.nat({ max: 5 }) }),
    fc.record({ t: fc.constant("broken" as const), message: fc.constant("x") }),
    fc.record({ t: fc.constant("exited" as const), message: fc.constant("x") }),
    fc.record({ t: fc.constant("wait" as const), ms: fc.nat({ max: 8000 }) }),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), (inputs) => {
      const { send, wait, state } = play();
      let alive = 0;
      const take = (effects: string[]) => {
        for (const effect of effects) {
          if (effect === "spawn") assert.equal(++alive, 1);
          if (effect === "find") take(send({ t: "found", missing: null }));
        }
      };
      for (const input of inputs) {
        if (input.t === "wait") take(wait(input.ms));
        // Only a living process says anything.
        else if (input.t === "want" || alive === 1) {
          if (input.t === "exited") alive = 0;
          take(send(input));
        }
      }
      take(send({ t: "want", isWanted: true }));
      for (let i = 0; i < 4 && state().phase !== "running"; i++) {
        if (alive === 1 && (state().phase === "killing" || state().phase === "stopping")) {
          alive = 0;
          take(send({ t: "exited", message: "x" }));
        }
        if (alive === 1) take(send(hello));
        else take(wait(supervision.restartAtMostMs));
      }
      assert.equal(state().phase, "running");
    }),
  );
});
