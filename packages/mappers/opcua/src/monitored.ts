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
import { eventResult } from "./event-result.ts";
import type { Address, Visitor } from "./fields.ts";
import type { NodeIds } from "./node-ids.ts";
import { numericRange } from "./numeric-range.ts";
import { datedResultOf } from "./result-of.ts";

type OpcuaPoint = Point<Address, Visitor>;
export interface Monitored {
  readonly request: MonitoredItemCreateRequestOptions;
  readonly take: (value: DataValue | readonly Variant[]) => PointResult;
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
    // The time is asked for besides, so that the reading has it.
    const filter = constructEventFilter([...fields.map((field) => field.replaceAll("/", ".")), "Time"], where);
    return {
      request: {
        itemToMonitor: { nodeId, attributeId: AttributeIds.EventNotifier },
        monitoringMode: MonitoringMode.Reporting,
        requestedParameters: { ...common, samplingInterval: 0, filter },
      },
      take: (values) => eventResult(fields, values as readonly Variant[]),
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
  };
}

function deadband({ deadband: value, deadbandKind }: Visitor): { readonly filter?: DataChangeFilter } {
  if (value === undefined || value === 0) return {};
  const deadbandType = deadbandKind === "percent" ? DeadbandType.Percent : DeadbandType.Absolute;
  return {
    filter: new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType, deadbandValue: value }),
  };
}
