/** The lines of the rows about dead slaves: ten slaves on each; on one of a kind two die, on the other all live. */
export const lineTransports = ["tcp", "rtu"] as const;
export type LineTransport = (typeof lineTransports)[number];
export type LineKind = "all-living" | "some-dead";
export interface SlaveLine {
  readonly transport: LineTransport;
  readonly kind: LineKind;
}
export const nameOfLine = ({ transport, kind }: SlaveLine) => `${transport}-${kind}`;
export const slaveLines: readonly SlaveLine[] = lineTransports.flatMap((transport) => [
  { transport, kind: "all-living" as const },
  { transport, kind: "some-dead" as const },
]);

export const slaves = Array.from({ length: 10 }, (_, i) => i + 1);
/** 20 % of them, not side by side */
export const mortal: ReadonlySet<number> = new Set([4, 9]);
export const living = slaves.filter((unit) => !mortal.has(unit));

/** Every third register, of which 5 % do not exist. */
export const offsets = Array.from({ length: 20 }, (_, i) => i * 3);
export const missingPercent = 5;
export const registersOfSlave = 60;
export const timeoutMs = 300;
export const cycleMs = 2000;
/** Modbus over Serial Line V1.02, 2.5.1: 19,200 baud unless agreed otherwise; 11 bits a character */
export const pace = { baud: 19_200, bitsPerCharacter: 11, turnaroundMs: 5 };
