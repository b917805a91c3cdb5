import type { CallOptions } from "@penstock/mapper-sdk";
import type { TraceStep } from "@penstock/wire";

/** of one request; the first are kept */
const mostTraceSteps = 16;

/** The files that a followed request passes, to be told with its answer; does nothing for one that nobody follows. @param file whose steps they are */
export function followed(
  file: string,
  isTraced: boolean | undefined,
): {
  readonly step: (message: string) => void;
  readonly call: Pick<CallOptions, "trace">;
  readonly answer: { readonly trace?: readonly TraceStep[] };
} {
  if (isTraced !== true) return { step: () => {}, call: {}, answer: {} };
  const trace: TraceStep[] = [];
  const add = (of: string, message: string) => {
    if (trace.length < mostTraceSteps) trace.push({ file: of, message });
  };
  return { step: (message) => add(file, message), call: { trace: add }, answer: { trace } };
}
