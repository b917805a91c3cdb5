import { decodeDmi, encodeDmi } from "./dmi-codec.ts";
import type { DmiTopMessage } from "./dmi-messages.ts";
import { type DmiService, dmiServices } from "./dmi-table.ts";

/** One method as gRPC libraries want it described. */
export interface DmiMethod {
  /** "/v1beta1.DeviceManagerService/MapperRegister" */
  readonly path: string;
  readonly requestStream: false;
  readonly responseStream: false;
  requestSerialize(message: object): Buffer;
  requestDeserialize(bytes: Uint8Array): object;
  responseSerialize(message: object): Buffer;
  responseDeserialize(bytes: Uint8Array): object;
}

/** Requests and answers of every method of a service, by method name. */
export type DmiMethods<S extends DmiService> = (typeof dmiServices)[S];

export function dmiServiceDefinition<S extends DmiService>(
  service: S,
): Readonly<Record<keyof DmiMethods<S> & string, DmiMethod>> {
  const methods = Object.entries<readonly [DmiTopMessage, DmiTopMessage]>(dmiServices[service]);
  const described = methods.map(([name, [request, response]]): [string, DmiMethod] => [
    name,
    {
      path: `/${service}/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: serializer(request),
      requestDeserialize: (bytes) => decodeDmi(request, bytes),
      responseSerialize: serializer(response),
      responseDeserialize: (bytes) => decodeDmi(response, bytes),
    },
  ]);
  return Object.fromEntries(described) as Record<keyof DmiMethods<S> & string, DmiMethod>; // keys of the table
}

function serializer(name: DmiTopMessage): (message: object) => Buffer {
  return (message) => {
    const bytes = encodeDmi(name, message as never); // whoever calls gives the message of this name
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  };
}
