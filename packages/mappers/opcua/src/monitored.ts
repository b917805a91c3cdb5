import type { Point, PointResult } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import {
  AttributeIds,
  constructEventFilter,
  DataChangeFilter,
  DataChangeTrigger,
  type DataValue,
  DeadbandType,
  type MonitoredItemCreateRequestOptions,
  MonitoringMode,
  ofType,
  type Variant,
} from "node-opcua-client";
import { eventResult, isQueueOverflow } from "./event-result.ts";
import type { Address, Visitor } from "./fields.ts";
import type { NodeIds } from "./node-ids.ts";
import { numericRange } from "./numeric-range.ts";
import { datedResultOf } from "./result-of.ts";
import { hasOverflown } from "./status.ts";

type OpcuaPoint = Point<Address, Visitor>;
export interface Monitored {
  readonly request: MonitoredItemCreateRequestOptions;
  readonly take: (value: DataValue | readonly Variant[]) => PointResult;
  /** the server's queue was full, and something before this went */
  readonly isBehind: (value: DataValue | readonly Variant[]) => boolean;
}

/**
 * What the server is asked to watch for a point, and how its news is read.
 *
 * @throws AppError mapper/bad-address, or mapper/unsupported for events as anything but json
 */
export function monitored(point: OpcuaPoint, handle: number, ids: NodeIds): Monitored {
  const { visitor, type, address } = point;
  const { indexRange, queue, discard } = visitor;
  const nodeId = ids.parse(visitor.nodeId, address);
  const common = { clientHandle: handle, discardOldest: discard === "oldest", queueSize: queue };
  if (visitor.event !== undefined) {
    if (type !== "json") throw new AppError("mapper/unsupported", `Cannot take events as "${type}": they are json`);
    const { event: fields, eventType } = visitor;
    const where = eventType === undefined ? undefined : ofType(ids.parse(eventType, address));
    // Asked for besides: the time, so that the reading has it, and what says that some are missing.
    const paths = [...fields.map((field) => field.replaceAll("/", ".")), "Time", "EventType"];
    const filter = constructEventFilter(paths, where);
    return {
      request: {
        itemToMonitor: { nodeId, attributeId: AttributeIds.EventNotifier },
        monitoringMode: MonitoringMode.Reporting,
        requestedParameters: { ...common, samplingInterval: 0, filter },
      },
      take: (values) => eventResult(fields, values as readonly Variant[]),
      isBehind: (values) => isQueueOverflow(fields, values as readonly Variant[]),
    };
  }
  return {
    request: {
      itemToMonitor: {
        ...{ nodeId, attributeId: AttributeIds.Value },
        ...(indexRange !== undefined && { indexRange: numericRange(indexRange) }),
      },
      monitoringMode: MonitoringMode.Reporting,
      requestedParameters: {
        ...common,
        samplingInterval: visitor.sampling ?? visitor.publishing,
        ...deadband(visitor),
      },
    },
    take: (value) => datedResultOf(type, value as DataValue),
    isBehind: (value) => hasOverflown((value as DataValue).statusCode),
  };
}

function deadband({ deadband: value, deadbandKind }: Visitor): { readonly filter?: DataChangeFilter } {
  if (value === undefined || value === 0) return {};
  const deadbandType = deadbandKind === "percent" ? DeadbandType.Percent : DeadbandType.Absolute;
  return {
    filter: new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType, deadbandValue: value }),
  };
}
