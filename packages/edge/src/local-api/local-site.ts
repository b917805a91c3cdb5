import type { AssignedSet, LocalStatus, LocalTwin, NodeReport } from "@penstock/model";

/** What the local API shows and acts on. */
export interface LocalSite {
  readonly node: string;
  /** null before the first assignment */
  assigned(): AssignedSet | null;
  readonly twin: LocalTwin;
  report(): NodeReport;
  link(): LocalStatus["link"];
}
