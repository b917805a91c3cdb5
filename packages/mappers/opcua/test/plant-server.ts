import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@penstock/testkit";
import {
  coerceLocalizedText,
  coerceQualifiedName,
  DataType,
  type MessageSecurityMode,
  makeAccessLevelFlag,
  resolveNodeId,
  type SecurityPolicy,
  StatusCodes,
  setErrorLogger,
  setWarningLogger,
  Variant,
  VariantArrayType,
} from "node-opcua-client";
import { OPCUAServer, type OPCUAServerOptions } from "node-opcua-server";
import { ownIdentity } from "../src/own-identity.ts";

type AddressSpace = NonNullable<OPCUAServer["engine"]["addressSpace"]>;
type Namespace = ReturnType<AddressSpace["registerNamespace"]>;
type UAVariable = ReturnType<Namespace["addVariable"]>;

export const plantUri = "urn:penstock:test:plant";

export interface PlantOptions {
  readonly port?: number;
  /** counters `count0`… that the test raises */
  readonly counters?: number;
  /** namespaces made before the plant's own, so that its number is another */
  readonly namespacesBefore?: number;
  readonly policies?: readonly SecurityPolicy[];
  readonly modes?: readonly MessageSecurityMode[];
  readonly options?: Partial<OPCUAServerOptions>;
}

/** A real OPC UA server in this process with a little plant on it. */
export class PlantServer {
  readonly server: OPCUAServer;
  readonly folder: string;
  readonly counters: UAVariable[] = [];
  namespace!: Namespace;
  /** what methods were called with */
  readonly calls: unknown[][] = [];

  private constructor(server: OPCUAServer, folder: string) {
    this.server = server;
    this.folder = folder;
  }

  static async start(given: PlantOptions = {}): Promise<PlantServer> {
    setWarningLogger(() => {});
    setErrorLogger(() => {});
    const folder = await mkdtemp(join(tmpdir(), "penstock-opcua-server-"));
    const { applicationUri } = await ownIdentity(folder);
    const anyone = new TrustsAnyone() as unknown as NonNullable<OPCUAServerOptions["userCertificateManager"]>;
    const server = new OPCUAServer({
      port: given.port ?? (await freePort()),
      hostname: "127.0.0.1",
      serverCertificateManager: anyone,
      userCertificateManager: anyone,
      certificateFile: join(folder, "own/certificate.pem"),
      privateKeyFile: join(folder, "own/key.pem"),
      serverInfo: { applicationUri },
      ...(given.policies !== undefined && { securityPolicies: [...given.policies] }),
      ...(given.modes !== undefined && { securityModes: [...given.modes] }),
      serverCapabilities: { maxSessions: 100, minSupportedSampleRate: 0 },
      userManager: {
        isValidUser: (user: string, password: string) => user === "operator" && password === "s3cret",
      },
      ...given.options,
    });
    await server.initialize();
    const plant = new PlantServer(server, folder);
    plant.#furnish(given);
    await server.start();
    return plant;
  }

  get port(): number {
    const [endpoint] = this.server.endpoints;
    // biome-ignore lint/suspicious/noExplicitAny: the port that was got stands nowhere else
    return (endpoint as any)._server.address().port;
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`;
  }

  variable(name: string, dataType: DataType, value: unknown, more: object = {}): UAVariable {
    return this.namespace.addVariable({
      organizedBy: this.server.engine.addressSpace!.rootFolder.objects,
      browseName: name,
      nodeId: `s=${name}`,
      minimumSamplingInterval: 0,
      valueRank: Array.isArray((more as { dimensions?: unknown }).dimensions) ? 2 : "arrayType" in more ? 1 : -1,
      dataType,
      value: new Variant({ dataType, value, arrayType: VariantArrayType.Scalar, ...more } as object),
    } as object as Parameters<Namespace["addVariable"]>[0]);
  }

  /** the first counter takes no value from clients */
  setReadOnly(isReadOnly: boolean): void {
    const level = makeAccessLevelFlag(isReadOnly ? "CurrentRead" : "CurrentRead | CurrentWrite");
    const [counter] = this.counters;
    counter!.accessLevel = level;
    counter!.userAccessLevel = level;
  }

  raise(value: number): void {
    for (const counter of this.counters) counter.setValueFromSource({ dataType: DataType.UInt32, value });
  }

  async stop(): Promise<void> {
    await this.server.shutdown(0);
    this.server.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  #furnish({ counters = 1, namespacesBefore = 0 }: PlantOptions): void {
    const space = this.server.engine.addressSpace!;
    for (let i = 0; i < namespacesBefore; i++) space.registerNamespace(`urn:penstock:test:before${i}`);
    this.namespace = space.registerNamespace(plantUri);
    for (let i = 0; i < counters; i++) {
      this.counters.push(this.variable(`count${i}`, DataType.UInt32, 0));
    }
    const array = { arrayType: VariantArrayType.Array };
    const scalars: [string, DataType, unknown, object?][] = [
      ["bool", DataType.Boolean, true],
      ["sbyte", DataType.SByte, -128],
      ["byte", DataType.Byte, 255],
      ["int16", DataType.Int16, -32768],
      ["uint16", DataType.UInt16, 65535],
      ["int32", DataType.Int32, -2147483648],
      ["uint32", DataType.UInt32, 4294967295],
      ["int64", DataType.Int64, [0x80000000, 1]],
      ["uint64", DataType.UInt64, [0xffffffff, 0xfffffffe]],
      ["float", DataType.Float, 0.1],
      ["double", DataType.Double, 1e300],
      ["nan", DataType.Double, Number.NaN],
      ["string", DataType.String, "Grüße"],
      ["dateTime", DataType.DateTime, new Date("2024-02-29T12:34:56.789Z")],
      ["guid", DataType.Guid, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"],
      ["byteString", DataType.ByteString, Buffer.from([0, 1, 254, 255])],
      ["xml", DataType.XmlElement, "<a/>"],
      ["nodeId", DataType.NodeId, resolveNodeId("i=85")],
      ["statusCode", DataType.StatusCode, StatusCodes.BadNodeIdUnknown],
      ["qualifiedName", DataType.QualifiedName, coerceQualifiedName("1:q")],
      ["localizedText", DataType.LocalizedText, coerceLocalizedText("Ofen")],
      ["doubles", DataType.Double, new Float64Array([1, 2.5, 3]), array],
      [
        "int64s",
        DataType.Int64,
        [
          [0, 1],
          [0xffffffff, 0xffffffff],
        ],
        array,
      ],
      ["bytes", DataType.Byte, Buffer.from([1, 2, 3]), array],
      [
        "matrix",
        DataType.Int16,
        new Int16Array([1, 2, 3, 4, 5, 6]),
        { arrayType: VariantArrayType.Matrix, dimensions: [2, 3] },
      ],
    ];
    for (const [name, dataType, value, more] of scalars) this.variable(name, dataType, value, more);
    const furnace = this.namespace.addObject({
      organizedBy: space.rootFolder.objects,
      browseName: "Furnace",
      nodeId: "s=Furnace",
    });
    this.namespace.addAnalogDataItem({
      componentOf: furnace,
      browseName: "Temperature",
      nodeId: "s=Furnace.Temperature",
      description: "Of the chamber",
      dataType: "Double",
      engineeringUnitsRange: { low: 0, high: 200 },
      engineeringUnits: {
        unitId: 4408652,
        namespaceUri: "",
        displayName: { text: "°C" },
        description: { text: "degree" },
      },
      value: new Variant({ dataType: DataType.Double, value: 20 }),
    } as object as Parameters<Namespace["addAnalogDataItem"]>[0]);
    const method = this.namespace.addMethod(furnace, {
      browseName: "Heat",
      nodeId: "s=Furnace.Heat",
      inputArguments: [
        { name: "degrees", dataType: DataType.Double },
        { name: "batch", dataType: DataType.Int64 },
      ],
      outputArguments: [{ name: "seconds", dataType: DataType.UInt32 }],
    } as object as Parameters<Namespace["addMethod"]>[1]);
    method.bindMethod((inputs, _, done) => {
      this.calls.push(inputs.map(({ value }) => value));
      const isHot = (inputs[0]!.value as number) > 1000;
      done(null, {
        statusCode: isHot ? StatusCodes.BadOutOfRange : StatusCodes.Good,
        outputArguments: [{ dataType: DataType.UInt32, value: 42 }],
      });
    });
  }
}

/** For the server's side: whoever comes is known. */
class TrustsAnyone {
  referenceCounter = 0;
  async initialize() {}
  async dispose() {}
  /** the library asks in either manner */
  async checkCertificate(_: unknown, done?: (error: null, status: typeof StatusCodes.Good) => void) {
    done?.(null, StatusCodes.Good);
    return StatusCodes.Good;
  }
  async getTrustStatus() {
    return StatusCodes.Good;
  }
  async verifyCertificate() {
    return "Good";
  }
  async trustCertificate() {}
  async rejectCertificate() {}
  async addIssuer() {}
  async addRevocationList() {}
}
