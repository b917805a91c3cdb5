import { bool, defineMapper, int, text } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode, isErrorCode } from "@penstock/model";

/**
 * A mapper without a device, for the tests of its host: what a point gives is what its visitor says. `lamps` counts what
 * was opened, `on` switches behaviour.
 */
export const lamps = {
  opened: 0,
  closed: 0,
  refuseOpen: null as ErrorCode | null,
  lose: () => {},
  /** tells a change of what is subscribed to */
  tell: (_row: number, _value: number) => {},
  told: [] as string[],
  folder: "",
  written: [] as unknown[],
};

export const lamp = defineMapper({
  name: "lamp",
  summary: "Reads lamps that are not there",
  version: "1.0.0",
  main: "./index.ts",
  connection: { host: text() },
  address: {},
  visitor: {
    value: int({ default: 0 }),
    fails: text({ optional: true }),
    hangs: bool({ default: false }),
    crashes: bool({ default: false }),
    wrongType: bool({ default: false }),
  },
  subscribes: true,
  browses: true,
  open: async (_, { lost, folder }) => {
    lamps.folder = folder;
    lamps.opened++;
    if (lamps.refuseOpen !== null) throw new AppError(lamps.refuseOpen, "Cannot open lamp");
    lamps.lose = () => lost(new AppError("mapper/connection-lost", "The lamp fell down"));
    return {
      read: async (points) => {
        if (points.some((point) => point.visitor.hangs)) await new Promise(() => {});
        if (points.some((point) => point.visitor.crashes)) {
          setImmediate(() => {
            throw new Error("The lamp burst");
          });
        }
        return points.map(({ visitor, type }) => {
          const { fails, value } = visitor;
          if (fails === "all") throw new AppError("mapper/connection-lost", "The lamp fell down");
          if (isErrorCode(fails)) return { value: null, reason: fails };
          if (visitor.wrongType) return { value: "text" };
          return { value: type === "bool" ? value !== 0 : type === "int64" ? BigInt(value) : value };
        });
      },
      write: async (point, value) => {
        if (point.visitor.hangs) await new Promise(() => {});
        lamps.written.push(value);
      },
      subscribe: async (points, { each, ended }) => {
        if (points.some((point) => point.visitor.hangs)) await new Promise(() => {});
        lamps.tell = (row, value) => {
          if (!ended.aborted) each(row, { value });
        };
        ended.addEventListener("abort", () => lamps.told.push("ended"));
        for (const row of points.keys()) each(row, { value: 0 });
      },
      browse: async (path) => (path.length === 0 ? [{ name: "hall", path: ["hall"], hasChildren: true }] : []),
      close: async () => {
        lamps.closed++;
      },
    };
  },
});
