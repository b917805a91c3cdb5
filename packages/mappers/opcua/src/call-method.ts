import type { MethodCall } from "@penstock/mapper-sdk";
import { AppError, type Value } from "@penstock/model";
import type { Argument, Variant } from "node-opcua-client";
import type { Address, Method } from "./fields.ts";
import { jsonOfVariant } from "./json-of.ts";
import type { NodeTypes } from "./node-types.ts";
import type { Session } from "./session.ts";
import { reasonOf } from "./status.ts";
import { toValue } from "./to-value.ts";
import { toVariant } from "./to-variant.ts";

/**
 * Calls a method once. Arguments go by their names in the method's InputArguments. The result is the only output, or as json
 * an object of all outputs by name.
 *
 * @source OPC UA 1.05 Part 4, 5.12.2; Part 3, 5.7 (arguments)
 */
export async function callMethod(
  session: Session,
  types: NodeTypes,
  call: MethodCall<Address, Method>,
  signal: AbortSignal,
): Promise<Value> {
  const methodId = session.ids.parse(call.visitor.nodeId, call.address);
  const objectId = session.ids.parse(call.visitor.objectId, call.address);
  const name = `"${call.method}"`;
  const { inputArguments, outputArguments } = await session.ask(`read the arguments of ${name}`, signal, (open) =>
    open.getArgumentDefinition(methodId),
  );
  const given = new Set(Object.keys(call.arguments));
  const variants: Variant[] = [];
  for (const argument of inputArguments) {
    const key = argument.name ?? "";
    const value = call.arguments[key];
    if (value === undefined || value === null) throw refused(name, `argument "${key}" is missing`);
    given.delete(key);
    const dataType = await types.builtIn(argument.dataType, signal);
    variants.push(toVariant({ dataType, valueRank: argument.valueRank }, value));
  }
  const [unknown] = given;
  if (unknown !== undefined) throw refused(name, `the server knows no argument "${unknown}"`);
  const request = { objectId, methodId, inputArguments: variants };
  const result = await session.ask(`call ${name}`, signal, (open) => open.call(request));
  if (!result.statusCode.isGood()) {
    const bad = result.inputArgumentResults?.findIndex((status) => !status.isGood()) ?? -1;
    const which =
      bad < 0 ? "" : `, argument "${inputArguments[bad]?.name ?? bad}": ${result.inputArgumentResults![bad]!.name}`;
    throw new AppError(reasonOf(result.statusCode), `Cannot call ${name}: ${result.statusCode.name}${which}`);
  }
  return resultOf(call, outputArguments, result.outputArguments ?? []);
}

function resultOf(call: MethodCall<Address, Method>, named: readonly Argument[], outputs: readonly Variant[]): Value {
  if (call.result === null) return null;
  if (call.result === "json" && outputs.length !== 1) {
    return {
      json: Object.fromEntries(outputs.map((output, i) => [named[i]?.name ?? String(i), jsonOfVariant(output)])),
    };
  }
  const [only] = outputs;
  if (only === undefined)
    throw new AppError("mapper/bad-answer", `Cannot give the result of "${call.method}": it has none`);
  const converted = toValue(call.result, only);
  if ("value" in converted) return converted.value;
  throw new AppError(converted.reason, `Cannot give the result of "${call.method}" as "${call.result}"`);
}

function refused(name: string, why: string): AppError {
  return new AppError("mapper/value-refused", `Cannot call ${name}: ${why}`);
}
