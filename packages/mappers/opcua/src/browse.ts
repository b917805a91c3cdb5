import { type Access, AppError, type BrowsedNode, type ValueType } from "@penstock/model";
import {
  AttributeIds,
  BrowseDirection,
  type ClientSession,
  DataType,
  type DataValue,
  NodeClass,
  type NodeId,
  type ReferenceDescription,
} from "node-opcua-client";
import type { NodeTypes } from "./node-types.ts";
import type { Session } from "./session.ts";
import { reasonOf } from "./status.ts";

/** Where the browser begins. @source OPC UA 1.05 Part 5, 8.2.2 */
const objectsFolder = "i=85";
const mostNodes = 2000;
const hierarchical = "i=33";

const valueTypeOf: Readonly<Partial<Record<DataType, ValueType>>> = {
  [DataType.Boolean]: "bool",
  [DataType.SByte]: "int8",
  [DataType.Byte]: "uint8",
  [DataType.Int16]: "int16",
  [DataType.UInt16]: "uint16",
  [DataType.Int32]: "int32",
  [DataType.UInt32]: "uint32",
  [DataType.Int64]: "int64",
  [DataType.UInt64]: "uint64",
  [DataType.Float]: "float32",
  [DataType.Double]: "float64",
  [DataType.ByteString]: "bytes",
  [DataType.ExtensionObject]: "json",
  [DataType.Variant]: "json",
};

/** Objects and variables directly below a node; a path is the node ids from the top, [] the Objects folder. */
export async function browseBelow(
  session: Session,
  types: NodeTypes,
  path: readonly string[],
  signal: AbortSignal,
): Promise<readonly BrowsedNode[]> {
  const nodeId = session.ids.parse(path.at(-1) ?? objectsFolder);
  const references = await session.ask(`browse ${nodeId.toString()}`, signal, (open) => referencesOf(open, nodeId));
  const children = references.filter(
    ({ nodeClass }) => nodeClass === NodeClass.Object || nodeClass === NodeClass.Variable,
  );
  const variables = children.filter(({ nodeClass }) => nodeClass === NodeClass.Variable).map((child) => child.nodeId);
  const typeOf = await types.of(variables, signal);
  const more = await attributesOf(session, children, signal);
  const units = await unitsOf(session, variables, signal);
  return children.map((child): BrowsedNode => {
    const key = child.nodeId.toString();
    const written = session.ids.write(child.nodeId);
    const { access, description } = more.get(key) ?? {};
    const type = typeOf.get(key);
    const unit = units.get(key);
    const name = child.displayName.text ?? child.browseName.name ?? key;
    const isVariable = child.nodeClass === NodeClass.Variable;
    return {
      name: name === "" ? key : name,
      path: [...path, written],
      // What lies below a variable describes it, mostly; who wants it can still ask for it.
      ...(isVariable ? { visitor: { nodeId: written } } : { hasChildren: true }),
      ...(type !== undefined &&
        !(type instanceof AppError) && {
          type: type.valueRank >= 0 ? ("json" as const) : (valueTypeOf[type.dataType] ?? "string"),
        }),
      ...(access !== undefined && { access }),
      ...(unit !== undefined && { unit }),
      ...(description !== undefined && { description }),
    };
  });
}

async function referencesOf(session: ClientSession, nodeId: NodeId): Promise<ReferenceDescription[]> {
  const description = {
    ...{ nodeId, referenceTypeId: hierarchical, browseDirection: BrowseDirection.Forward, includeSubtypes: true },
    nodeClassMask: NodeClass.Object | NodeClass.Variable,
    resultMask: 63,
  };
  let result = await session.browse(description);
  if (!result.statusCode.isGood()) {
    throw new AppError(reasonOf(result.statusCode), `Cannot browse ${nodeId.toString()}: ${result.statusCode.name}`);
  }
  const all = [...(result.references ?? [])];
  while (result.continuationPoint !== null && result.continuationPoint?.length > 0) {
    const isEnough = all.length >= mostNodes;
    result = await session.browseNext(result.continuationPoint, isEnough);
    all.push(...(result.references ?? []));
    if (isEnough) break;
  }
  // A node may be reached by several references.
  return [...new Map(all.map((reference) => [reference.nodeId.toString(), reference])).values()].slice(0, mostNodes);
}

interface More {
  readonly access?: Access;
  readonly description?: string;
}
async function attributesOf(
  session: Session,
  children: readonly ReferenceDescription[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, More>> {
  const asked = children.flatMap(({ nodeId }) => [
    { nodeId, attributeId: AttributeIds.UserAccessLevel },
    { nodeId, attributeId: AttributeIds.Description },
  ]);
  const answers = await readAll(session, asked, signal);
  return new Map(
    children.map(({ nodeId }, i) => {
      const level = answers[i * 2]?.value?.value;
      const text = (answers[i * 2 + 1]?.value?.value as { text?: unknown } | null)?.text;
      const access = typeof level === "number" ? accessOf(level) : undefined;
      return [
        nodeId.toString(),
        {
          ...(access !== undefined && { access }),
          ...(typeof text === "string" && text !== "" && { description: text }),
        },
      ];
    }),
  );
}

/** @source OPC UA 1.05 Part 3, 8.57: bit 0 is the right to read, bit 1 to write */
function accessOf(level: number): Access | undefined {
  const [canRead, canWrite] = [(level & 1) !== 0, (level & 2) !== 0];
  if (canRead) return canWrite ? "readWrite" : "read";
  return canWrite ? "write" : undefined;
}

/** EngineeringUnits of analog items. @source OPC UA 1.05 Part 8, 5.3.2 and 5.6.3 (EUInformation) */
async function unitsOf(
  session: Session,
  variables: readonly NodeId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const units = new Map<string, string>();
  if (variables.length === 0) return units;
  const hasProperty = "i=46";
  const descriptions = variables.map((nodeId) => ({
    ...{ nodeId, referenceTypeId: hasProperty, browseDirection: BrowseDirection.Forward, includeSubtypes: true },
    ...{ nodeClassMask: NodeClass.Variable, resultMask: 63 },
  }));
  const found: { readonly of: NodeId; readonly nodeId: NodeId }[] = [];
  for (let from = 0; from < descriptions.length; from += session.maxPerCall) {
    const part = descriptions.slice(from, from + session.maxPerCall);
    const results = await session.ask("browse units", signal, (open) => open.browse(part));
    results.forEach(({ references }, i) => {
      const unit = references?.find(({ browseName }) => browseName.name === "EngineeringUnits");
      if (unit !== undefined) found.push({ of: variables[from + i]!, nodeId: unit.nodeId });
    });
  }
  const asked = found.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.Value }));
  const answers = await readAll(session, asked, signal);
  found.forEach(({ of }, i) => {
    const unit = (answers[i]?.value?.value as { displayName?: { text?: unknown } } | null)?.displayName?.text;
    if (typeof unit === "string" && unit !== "") units.set(of.toString(), unit);
  });
  return units;
}

async function readAll(
  session: Session,
  asked: readonly { readonly nodeId: NodeId; readonly attributeId: AttributeIds }[],
  signal: AbortSignal,
): Promise<DataValue[]> {
  const answers: DataValue[] = [];
  for (let from = 0; from < asked.length; from += session.maxPerCall) {
    const part = asked.slice(from, from + session.maxPerCall);
    answers.push(...(await session.ask(`read ${part.length} attributes`, signal, (open) => open.read(part, 0))));
  }
  return answers;
}
