/** DMI messages as they are decoded: what a sender left out has its default, a message that is missing is null. */
import type { DmiMessageName } from "./dmi-table.ts";

export interface DmiAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}
export interface DmiCustomized {
  readonly data: ReadonlyMap<string, DmiAny>;
}
export interface DmiTwinProperty {
  readonly value: string;
  readonly metadata: ReadonlyMap<string, string>;
}
export interface DmiTwin {
  readonly propertyName: string;
  readonly observedDesired: DmiTwinProperty | null;
  readonly reported: DmiTwinProperty | null;
}
export interface DmiDeviceStatus {
  readonly twins: readonly DmiTwin[];
  readonly reportToCloud: boolean;
  /** milliseconds */
  readonly reportCycle: number;
}
export interface DmiConfig {
  readonly protocolName: string;
  readonly configData: DmiCustomized | null;
}
export interface DmiDeviceProperty {
  readonly name: string;
  readonly desired: DmiTwinProperty | null;
  readonly visitors: DmiConfig | null;
  /** milliseconds, as `collectCycle` */
  readonly reportCycle: number;
  readonly collectCycle: number;
  readonly reportToCloud: boolean;
  /** sinks of a mapper's own; here always empty */
  readonly pushMethod: object | null;
}
export interface DmiDevice {
  readonly name: string;
  readonly spec: {
    readonly deviceModelReference: string;
    readonly protocol: DmiConfig | null;
    readonly properties: readonly DmiDeviceProperty[];
    readonly methods: readonly {
      readonly name: string;
      readonly description: string;
      readonly propertyNames: readonly string[];
    }[];
  } | null;
  readonly status: DmiDeviceStatus | null;
  readonly namespace: string;
}
export interface DmiModelProperty {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly accessMode: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly unit: string;
}
export interface DmiModel {
  readonly name: string;
  readonly spec: { readonly properties: readonly DmiModelProperty[] } | null;
  readonly namespace: string;
}
export interface DmiMapperInfo {
  readonly name: string;
  readonly version: string;
  readonly api_version: string;
  readonly protocol: string;
  /** path of the mapper's socket, UTF-8 */
  readonly address: Uint8Array;
  readonly state: string;
}
export interface DmiDeviceName {
  readonly deviceName: string;
  readonly deviceNamespace: string;
}

/** The messages that travel by themselves. */
export interface DmiMessages {
  MapperRegisterRequest: { readonly withData: boolean; readonly mapper: DmiMapperInfo | null };
  MapperRegisterResponse: { readonly modelList: readonly DmiModel[]; readonly deviceList: readonly DmiDevice[] };
  ReportDeviceStatusRequest: DmiDeviceName & { readonly reportedDevice: DmiDeviceStatus | null };
  ReportDeviceStatesRequest: DmiDeviceName & { readonly state: string };
  RegisterDeviceRequest: { readonly device: DmiDevice | null };
  RegisterDeviceResponse: DmiDeviceName;
  RemoveDeviceRequest: DmiDeviceName;
  UpdateDeviceRequest: { readonly device: DmiDevice | null };
  CreateDeviceModelRequest: { readonly model: DmiModel | null };
  CreateDeviceModelResponse: { readonly deviceModelName: string; readonly deviceModelNamespace: string };
  RemoveDeviceModelRequest: { readonly modelName: string; readonly modelNamespace: string };
  UpdateDeviceModelRequest: { readonly model: DmiModel | null };
  GetDeviceRequest: DmiDeviceName;
  GetDeviceResponse: { readonly device: DmiDevice | null };
  Empty: object;
}
export type DmiTopMessage = keyof DmiMessages & DmiMessageName;
