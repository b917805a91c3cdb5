import { appendFileSync } from "node:fs";
import { type CallOptions, defineMapper, type MethodCall, oneOf, text } from "@penstock/mapper-sdk";
import { AppError, type Value } from "@penstock/model";

/** A machine that writes down each act when it has happened, so that a test can count what reached it. */
export const press = defineMapper({
  name: "press",
  summary: "A press that notes each stroke in a file",
  version: "1.0.0",
  main: "./index.ts",
  connection: { journal: text({ summary: "file that takes a line for each act" }) },
  address: {},
  visitor: {},
  method: { how: oneOf(["answer", "refuse", "mute"], { summary: "mute: it acts and never answers" }) },
  permissions: [],
  open: async ({ journal }) => {
    const held = new Map<string, Value>();
    let strokes = 0n;
    return {
      read: async (points) => points.map(({ property }) => ({ value: held.get(property) ?? 0 })),
      write: async ({ property }, value) => {
        if (value === 13) throw new AppError("mapper/value-refused", `The press does not take 13 for "${property}"`);
        held.set(property, value);
        appendFileSync(journal, `write ${property}=${value}\n`);
      },
      async call({ method, visitor, arguments: given }: MethodCall<unknown, { how: string }>, { signal }: CallOptions) {
        const { how } = visitor;
        if (how === "refuse") throw new AppError("mapper/value-refused", "The guard is open");
        const list = Object.entries(given).map(([name, value]) => `${name}=${value}`);
        appendFileSync(journal, `${method}(${list.join(",")})\n`);
        strokes += BigInt((given.strokes as number | undefined) ?? 1);
        if (how === "answer") return strokes;
        return new Promise<Value>((_, reject) => {
          signal.addEventListener("abort", () => reject(new AppError("aborted", "Nobody waits any more")));
        });
      },
      close: async () => {},
    };
  },
});
