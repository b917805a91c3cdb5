import type {
  AlarmAct,
  AlarmActOutcome,
  AlarmTransition,
  AssignedSet,
  CallReport,
  DesiredReport,
  DesiredValue,
  ErrorCode,
  MethodCall,
  Micros,
  NodeReport,
  OutboxEntry,
  PropertyHold,
  Ranges,
  ToldMapper,
} from "@penstock/model";
import type {
  Browse,
  Browsed,
  Certificate,
  CloudMessage,
  EdgeMessage,
  Hello,
  Lane,
  ReportsTaken,
} from "@penstock/wire";
import type { Compression } from "./compress.ts";
import type { BootOffset } from "./correct-time.ts";
import type { InFlight } from "./readings-message.ts";
import type { CertificateLife } from "./renewal.ts";
import type { Transit } from "./transit.ts";
import type { Window } from "./window.ts";

/** One connection's worth of link at the gateway. All times are monotonic microseconds unless they are Micros. */
export interface EdgeSession {
  readonly phase: "greeting" | "open" | "over";
  readonly hello: Hello;
  readonly openedAt: number;
  readonly heardAt: number;
  readonly pingedAt: number;
  /** committed as far as this session knows; everything below `hello.lowest` counts as settled */
  readonly held: Ranges;
  /** what the outbox held when the session began and the cloud had not */
  readonly backlog: Ranges;
  /** next seq to offer, per lane */
  readonly next: { readonly live: number; readonly backlog: number };
  /** last durable seq that the outbox told */
  readonly durable: number;
  readonly inFlight: readonly InFlight[];
  readonly progressAt: number;
  readonly window: Window;
  readonly compression: Compression;
  readonly credit: { readonly live: number; readonly backlog: number };
  /** lane for which entries are being read from the outbox */
  readonly reading: InFlight["lane"] | null;
  readonly liveInARow: number;
  /** by lane: a message of one lane may overtake the other's, so what one has told the other does not rely on */
  readonly layoutsSent: { readonly [lane in "live" | "backlog"]: ReadonlySet<number> };
  readonly boot: BootOffset | null;
  /** below it every missing seq has been told as dropped */
  readonly toldLowest: number;
  readonly reportsOut: ReadonlySet<string>;
  /** ids of calls whose end was told in this session and is not acknowledged */
  readonly callReportsOut: ReadonlySet<string>;
  /** number of the last transition of an alarm that was told in this session */
  readonly alarmsOut: number;
  readonly statusText: string;
  readonly statusAt: number;
  readonly renewedAt: number | null;
  /** highest seq handed to the line, in any session of this boot */
  readonly sent: number;
  readonly pings: number;
  /** null: the cloud stamps nothing, or nothing stamped has come */
  readonly transit: Transit | null;
  /** the ping that has not been answered */
  readonly asked: { readonly n: number; readonly at: number } | null;
  /** when the last answer came */
  readonly answeredAt: number;
}

export type EdgeInput =
  | { readonly t: "message"; readonly message: CloudMessage; readonly now: number }
  /** any frame came, whatever it was */
  | { readonly t: "heard"; readonly now: number }
  | { readonly t: "durable"; readonly highest: number; readonly now: number }
  | {
      readonly t: "entries";
      readonly lane: InFlight["lane"];
      readonly entries: readonly OutboxEntry[];
      readonly now: number;
    }
  | { readonly t: "reports"; readonly reports: readonly DesiredReport[] }
  | { readonly t: "applied"; readonly version: number }
  | { readonly t: "desired-taken"; readonly values: readonly DesiredValue[]; readonly time: Micros }
  | { readonly t: "holds"; readonly holds: readonly PropertyHold[] }
  | { readonly t: "mappers"; readonly mappers: readonly ToldMapper[] }
  | { readonly t: "manifest"; readonly hash: string; readonly text: Uint8Array }
  | Browsed
  | { readonly t: "calls-taken"; readonly ids: readonly string[] }
  | { readonly t: "call-reports"; readonly reports: readonly CallReport[] }
  | { readonly t: "alarms"; readonly epoch: string; readonly transitions: readonly AlarmTransition[] }
  | { readonly t: "alarm-acts-done"; readonly outcomes: readonly AlarmActOutcome[] }
  | {
      readonly t: "tick";
      readonly now: number;
      readonly wall: Micros;
      readonly lowest: number;
      readonly report: NodeReport;
      readonly certificate: CertificateLife | null;
    };

export type EdgeEffect =
  | { readonly t: "send"; readonly lane: Lane; readonly message: EdgeMessage }
  | { readonly t: "read"; readonly lane: InFlight["lane"]; readonly from: number; readonly maxBytes: number }
  | { readonly t: "acknowledge"; readonly ranges: Ranges }
  | { readonly t: "new-epoch"; readonly held: Ranges }
  /** `again`: readings that go over the line a second time */
  | { readonly t: "welcomed"; readonly again: number; readonly boot: BootOffset }
  | { readonly t: "apply-assigned"; readonly set: AssignedSet }
  | { readonly t: "take-desired"; readonly values: readonly DesiredValue[] }
  | { readonly t: "reports-taken"; readonly taken: ReportsTaken["taken"] }
  | { readonly t: "give-manifests"; readonly hashes: readonly string[] }
  | { readonly t: "browse"; readonly question: Browse }
  | { readonly t: "take-calls"; readonly calls: readonly MethodCall[] }
  | { readonly t: "call-reports-taken"; readonly ids: readonly string[] }
  | { readonly t: "alarms-taken"; readonly epoch: string; readonly numbers: readonly number[] }
  | { readonly t: "take-alarm-acts"; readonly acts: readonly AlarmAct[] }
  | { readonly t: "certificate"; readonly certificate: Certificate }
  | { readonly t: "close"; readonly code: ErrorCode; readonly message: string };

export interface EdgeStep {
  readonly state: EdgeSession;
  readonly effects: readonly EdgeEffect[];
}
