/** Two mappers at a gateway: one is honest and counts, one makes noise. Arguments: folder with dmi.sock, seed. */
import { join } from "node:path";
import { SimRandom } from "@penstock/testkit";
import { encodeDmi } from "@penstock/wire";
import { answeringServer } from "../dmi/answering-server.ts";
import { BareGrpcClient } from "../dmi/bare-grpc-client.ts";
import { oneOf, upTo } from "./noise-bytes.ts";
import { type GoodCall, noisyCalls } from "./noisy-calls.ts";
import { noisyServer } from "./noisy-server.ts";
import { heldAt, places, spoiltPlace, tenant } from "./shape.ts";

const [folder = "", seed = "0"] = process.argv.slice(2);
const random = new SimRandom(Number(seed));
const manager = join(folder, "dmi.sock");
const service = "/v1beta1.DeviceManagerService";
let isQuiet = false;

function registration(name: string, protocol: string, address: string): Uint8Array {
  const info = { name, protocol, version: "1", api_version: "v1beta1", state: "" };
  return encodeDmi("MapperRegisterRequest", {
    ...{ withData: true, mapper: { ...info, address: new TextEncoder().encode(address) } },
  });
}
function report(deviceName: string, values: readonly (readonly [string, string])[], time: string): Uint8Array {
  const twins = values.map(([propertyName, value]) => {
    const reported = { value, metadata: new Map([["timestamp", time]]) };
    return { propertyName, observedDesired: null, reported };
  });
  const reportedDevice = { twins, reportToCloud: false, reportCycle: 0 };
  return encodeDmi("ReportDeviceStatusRequest", { deviceName, deviceNamespace: tenant, reportedDevice });
}

const wrongTexts = ["", "NaN", "1e400", "99999999999999999999", "0x10", "\u0000", "ü".repeat(10_000)];
function goodCall(): GoodCall {
  const now = Date.now();
  const time = oneOf(random, [now, now, now, now - 60_000, now + 10 ** 9, 0, "999999999999999", "-1", "x"]);
  const i = upTo(random, places);
  const text = random.number() < 0.7 ? String(heldAt(i)) : oneOf(random, wrongTexts);
  const status = (message: Uint8Array, mayBeSpoilt: boolean) => ({
    method: `${service}/ReportDeviceStatus`,
    message,
    mayBeSpoilt,
  });
  const states = { deviceNamespace: tenant, state: oneOf(random, ["ok", "offline", "purple", ""]) };
  return oneOf<() => GoodCall>(random, [
    () => status(report("wild", [[`p${i}`, text]], String(time)), false),
    () => status(report("wild", [[`p${i}`, text]], String(time)), false),
    () => status(report("wild", [[spoiltPlace, text.slice(0, 100)]], String(time)), true),
    () => status(report(oneOf(random, ["nobody", "", "wild"]), [["nothing", "1"]], String(time)), true),
    () => ({
      ...{ method: `${service}/ReportDeviceStates`, mayBeSpoilt: false },
      message: encodeDmi("ReportDeviceStatesRequest", { ...states, deviceName: "wild" }),
    }),
    () => ({
      ...{ method: `${service}/MapperRegister`, mayBeSpoilt: false },
      message: registration(`gone-${upTo(random, 5)}`, oneOf(random, ["wild", "other"]), join(folder, "nobody.sock")),
    }),
  ])();
}

/** One value after the other, the next when the one before was taken. @returns the last */
async function count(): Promise<{ readonly told: number; readonly refused: number; readonly slowestMs: number }> {
  const path = join(folder, "honest.sock");
  await answeringServer(path, ["v1beta1.DeviceMapperService"]);
  const client = new BareGrpcClient(manager);
  const registered = await client.call(`${service}/MapperRegister`, registration("honest", "honest", path));
  let told = 0;
  let refused = registered.status === 0 ? 0 : 1;
  let slowestMs = 0;
  while (!isQuiet) {
    const at = performance.now();
    const { status } = await client.call(
      `${service}/ReportDeviceStatus`,
      report("honest", [["n", String(told + 1)]], String(Date.now())),
    );
    slowestMs = Math.max(slowestMs, performance.now() - at);
    if (status === 0) told++;
    else refused++;
    await new Promise((done) => setTimeout(done, 5));
  }
  return { told, refused, slowestMs };
}

const wild = join(folder, "wild.sock");
await noisyServer({ path: wild, random, isQuiet: () => isQuiet, wellShare: 0.6, right: () => new Uint8Array() });
const client = new BareGrpcClient(manager);
await client.call(`${service}/MapperRegister`, registration("wild", "wild", wild));
const counting = count();
const noise = Array.from({ length: 3 }, () =>
  noisyCalls({ path: manager, random, isQuiet: () => isQuiet, good: goodCall }),
);
process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  isQuiet = true;
  Promise.all([counting, ...noise]).then(async ([counted, ...made]) => {
    // It means well again: registered anew, with a socket that answers.
    await client.call(`${service}/MapperRegister`, registration("wild", "wild", wild));
    const values = Array.from({ length: places }, (_, i) => [`p${i}`, String(heldAt(i))] as const);
    const tell = () => client.call(`${service}/ReportDeviceStatus`, report("wild", values, String(Date.now())));
    const { status } = await tell();
    setInterval(tell, 100);
    process.send!({ ...counted, made: made.reduce((sum, one) => sum + one, 0), lastStatus: status });
  });
});
process.send!("begun");
