import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LineSettings, Value, ValueType } from "@penstock/model";

/** What stands of a point in a device file, and the connection that it is reached by. */
export interface RehearsedPoint {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly line: LineSettings;
  readonly address: Readonly<Record<string, unknown>>;
  readonly type: ValueType;
  readonly visitor: Readonly<Record<string, unknown>>;
}
/** What a rehearsal is asked to do; each is answered once, under its number. */
export type RehearsalOrder =
  /** → null: the process said hello */
  | { readonly do: "start" }
  /** → `Outcome`; `mapper/stopped` when the process ends before */
  | ({ readonly do: "read" } & RehearsedPoint)
  /** → `Outcome`: the first that the device tells by itself; takes the place of an earlier subscription */
  | ({ readonly do: "subscribe" } & RehearsedPoint)
  /** → null: the device has taken it, else `Outcome` */
  | ({ readonly do: "write"; readonly value: Value } & RehearsedPoint)
  /** → null: the process has begun with whatever it was told before */
  | { readonly do: "hear" }
  /** → null: SIGKILL has ended the process */
  | { readonly do: "kill" }
  /** → how the process ended that was told to stop: "exit 0" */
  | { readonly do: "stop" };
export type Outcome = { readonly value: Value } | { readonly code: string };
export interface RehearsalMessage {
  readonly id: number;
  readonly order: RehearsalOrder;
}
export interface RehearsalAnswer {
  readonly id: number;
  readonly answer?: unknown;
  /** why it could not be done */
  readonly error?: string;
}

/** Where the programs stand, from the kit: in the workspace; in a bundle beside it, or one folder above. */
const programs: readonly (readonly [rehearsal: string, host: string])[] = [
  ["../../mapper-host/src/rehearsal/main.ts", "../../mapper-host/src/main.ts"],
  ["mapper-rehearsal.js", "mapper-host.js"],
  ["../mapper-rehearsal.js", "../mapper-host.js"],
];

/**
 * A mapper's own process, as a gateway starts it, for tests that kill it. A program of Penstock's stands between: it speaks
 * to the process as a gateway does, and to us in plain orders, so that the kit knows nothing of that language.
 */
export class Rehearsal {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  #last = 0;

  /**
   * @param options.manifest path of the mapper's `mapper.json`
   * @param options.folder the mapper's own folder at the gateway
   */
  constructor(options: { readonly manifest: string; readonly folder: string }) {
    const [rehearsal, host] = installedPrograms();
    // Node's test runner tells its children that they are tests; what is started here stands alone.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.#child = fork(rehearsal, [host, options.manifest, options.folder], {
      ...{ env, execArgv: [], serialization: "advanced" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => {
      const { id, answer, error } = message as RehearsalAnswer; // our own program's
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(error));
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The rehearsal ended with ${code}`));
      this.#waiting.clear();
    });
  }

  async start(): Promise<void> {
    await this.#ask({ do: "start" });
  }

  async read(point: RehearsedPoint): Promise<Outcome> {
    return (await this.#ask({ do: "read", ...point })) as Outcome;
  }

  async subscribe(point: RehearsedPoint): Promise<Outcome> {
    return (await this.#ask({ do: "subscribe", ...point })) as Outcome;
  }

  /** @returns "written", or the code of the error */
  async write(point: RehearsedPoint, value: Value): Promise<string> {
    const outcome = (await this.#ask({ do: "write", ...point, value })) as { code: string } | null;
    return outcome === null ? "written" : outcome.code;
  }

  async hear(): Promise<void> {
    await this.#ask({ do: "hear" });
  }

  async kill(): Promise<void> {
    await this.#ask({ do: "kill" });
  }

  /** @returns "exit 0" */
  async stop(): Promise<string> {
    return String(await this.#ask({ do: "stop" }));
  }

  /** Ends the mapper's process too, however it is. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // Whoever still waits has given up.
    this.#waiting.clear();
    const ended = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  #ask(order: RehearsalOrder): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order } satisfies RehearsalMessage, (error) => {
        if (error !== null && this.#waiting.delete(id)) reject(error);
      });
    });
  }
}

function installedPrograms(): readonly [rehearsal: string, host: string] {
  for (const [rehearsal, host] of programs) {
    const found = join(import.meta.dirname, rehearsal);
    if (existsSync(found)) return [found, resolve(import.meta.dirname, host)];
  }
  throw new Error(`No mapper can be started from here: "${import.meta.dirname}" is no part of an installation`);
}
