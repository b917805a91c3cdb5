import {
  type ConnectionSpec,
  type DeviceModelResource,
  type DeviceModelSpec,
  type DeviceResource,
  type DeviceSpec,
  extractModel,
  invalid,
} from "@penstock/model";
import type { Caller, CheckingContext } from "./context.ts";
import { type FoundDevice, findDevice } from "./device-lookup.ts";
import { mustFind } from "./device-references.ts";
import type { KindService } from "./kind-service.ts";
import { specOf } from "./resource-rows.ts";
import { rowDocument } from "./row-document.ts";

export interface ExtractionRequest {
  /** name of the new model */
  readonly model: string;
  /** further devices that are to use it */
  readonly of?: readonly string[] | undefined;
  /** true: what would come of it, nothing is stored */
  readonly dryRun?: boolean | undefined;
}
export interface ExtractionView {
  model: { name: string; spec: DeviceModelSpec };
  devices: { name: string; spec: DeviceSpec }[];
}

/** "Make a model of this device." */
export function createModelExtraction(
  context: CheckingContext,
  parts: {
    readonly devices: Pick<KindService<"Device", DeviceSpec, DeviceResource["status"]>, "update">;
    readonly models: Pick<
      KindService<"DeviceModel", DeviceModelSpec, DeviceModelResource["status"]>,
      "create" | "remove"
    >;
  },
) {
  const { db, secrets } = context;

  async function protocolOf({ tenant, spec }: FoundDevice): Promise<string> {
    if (typeof spec.connection !== "string") return spec.connection.protocol;
    const at = { tenant, kind: "Connection", name: spec.connection, field: "spec.connection" } as const;
    return specOf<ConnectionSpec>(await mustFind(db, at)).protocol;
  }
  return {
    /**
     * What the devices have in common becomes a model that they name from then on; in effect each stays what it was, at
     * every step: what was done when a later step fails need not be undone.
     *
     * @throws AppError input/invalid for a device that has a model or another protocol; resource/name-taken
     */
    async extract(
      caller: Caller,
      ref: { readonly tenant: string; readonly device: string },
      request: ExtractionRequest,
    ): Promise<ExtractionView> {
      const names = [...new Set([ref.device, ...(request.of ?? [])])];
      const found: FoundDevice[] = [];
      for (const device of names) found.push(await findDevice(db, caller, { tenant: ref.tenant, device }));
      const protocol = await protocolOf(found[0]!);
      for (const [i, one] of found.entries()) {
        const field = i === 0 ? "device" : "of";
        const refuse = (rule: string) => invalid([{ field, value: `"${one.row.name}"`, rule }]);
        if (one.spec.model !== undefined) throw refuse(`has the model "${one.spec.model}" already`);
        const other = await protocolOf(one);
        if (other !== protocol) throw refuse(`is on a connection of ${other}, "${ref.device}" on one of ${protocol}`);
      }
      const result = extractModel({
        name: request.model,
        protocol,
        devices: found.map(({ row }) => secrets.open<DeviceSpec>(row)),
      });
      const { tenant } = found[0]!;
      const hide = <Spec>(kind: "Device" | "DeviceModel", spec: Spec) =>
        secrets.hide({ tenant_uid: tenant, kind }, spec);
      const view: ExtractionView = {
        model: { name: request.model, spec: hide("DeviceModel", result.model) },
        devices: names.map((name, i) => ({ name, spec: hide("Device", result.devices[i]!) })),
      };
      if (request.dryRun === true) return view;
      const model = { tenant: ref.tenant, name: request.model };
      await parts.models.create(caller, model, { metadata: { name: request.model }, spec: result.model });
      let lifted = 0;
      try {
        for (const [i, { row }] of found.entries()) {
          const at = { tenant: ref.tenant, name: row.name };
          const replace = rowDocument(row, result.devices[i]);
          await parts.devices.update(caller, at, { replace, ifMatch: String(row.resource_version) });
          lifted += 1;
        }
      } catch (error) {
        if (lifted === 0) await parts.models.remove(caller, model, "*");
        throw error;
      }
      return view;
    },
  };
}
