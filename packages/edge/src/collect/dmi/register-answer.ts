import { type DmiDevice, type DmiModel, encodeDmi } from "@penstock/wire";
import { mostAnswerBytes, type RegisterAnswer, toDmi } from "./dmi-device.ts";
import type { WantedDevice } from "./mapper-link.ts";

/** Of a mapper's devices as many as one answer holds, and which; the others are told one by one. */
export function registerAnswer(
  wanted: ReadonlyMap<string, WantedDevice>,
  desiredOf: (key: string) => ReadonlyMap<string, string>,
): { readonly answer: RegisterAnswer; readonly told: readonly string[] } {
  const modelList: DmiModel[] = [];
  const deviceList: DmiDevice[] = [];
  const told: string[] = [];
  let bytes = 0;
  for (const [key, one] of wanted) {
    const { device, model } = toDmi(one, desiredOf(key));
    bytes += encodeDmi("RegisterDeviceRequest", { device }).length;
    bytes += encodeDmi("CreateDeviceModelRequest", { model }).length;
    if (bytes > mostAnswerBytes) break;
    modelList.push(model);
    deviceList.push(device);
    told.push(key);
  }
  return { answer: { modelList, deviceList }, told };
}
