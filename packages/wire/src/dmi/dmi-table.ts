/**
 * The messages of KubeEdge's device mapper interface, package `v1beta1`, proto3: `name=number:type`, where the type is
 * `string` unless stated, `[T]` repeated and `{T}` a map from string. Numbers are what travels, so they never change.
 *
 * @source KubeEdge 1.23, dmi/v1beta1: names and numbers as every mapper and EdgeCore have them
 */
const text = {
  MapperRegisterRequest: "withData=1:bool mapper=2:MapperInfo",
  MapperRegisterResponse: "modelList=1:[DeviceModel] deviceList=2:[Device]",
  MapperInfo: "name=1 version=2 api_version=3 protocol=4 address=5:bytes state=6",
  DeviceModel: "name=1 spec=2:DeviceModelSpec namespace=3",
  DeviceModelSpec: "properties=1:[ModelProperty] commands=2:[DeviceCommand]",
  ModelProperty: "name=1 description=2 type=3 accessMode=4 minimum=5 maximum=6 unit=7",
  DeviceCommand: "name=1 url=2 method=3 status_code=4:[string] parameters=5:[string] response=6:bytes",
  Device: "name=1 spec=2:DeviceSpec status=3:DeviceStatus namespace=4",
  DeviceSpec: "deviceModelReference=1 protocol=2:ProtocolConfig properties=3:[DeviceProperty] methods=4:[DeviceMethod]",
  DeviceMethod: "name=1 description=2 propertyNames=3:[string]",
  DeviceProperty:
    "name=1 desired=2:TwinProperty visitors=3:VisitorConfig reportCycle=4:int64 collectCycle=5:int64 reportToCloud=6:bool pushMethod=7:PushMethod",
  ProtocolConfig: "protocolName=1 configData=2:CustomizedValue",
  VisitorConfig: "protocolName=1 configData=2:CustomizedValue",
  CustomizedValue: "data=1:{Any}",
  PushMethod:
    "http=1:PushMethodHTTP mqtt=2:PushMethodMQTT dbMethod=3:DBMethod otel=4:PushMethodOTEL anomalyDetection=5:AnomalyDetection",
  PushMethodHTTP: "hostname=1 port=2:int64 requestpath=3 timeout=4:int64",
  PushMethodMQTT: "address=1 topic=2 qos=3:int32 retained=4:bool",
  PushMethodOTEL: "endpointURL=1",
  DBMethod: "influxdb2=1:DBMethodInfluxdb2 redis=2:DBMethodRedis tdengine=3:DBMethodTDEngine mysql=4:DBMethodMySQL",
  DBMethodInfluxdb2: "influxdb2ClientConfig=1:Influxdb2ClientConfig influxdb2DataConfig=2:Influxdb2DataConfig",
  Influxdb2ClientConfig: "url=1 org=2 bucket=3",
  Influxdb2DataConfig: "measurement=1 tag=2:{string} fieldKey=3",
  DBMethodRedis: "redisClientConfig=1:RedisClientConfig",
  RedisClientConfig: "addr=1 db=2:int32 poolsize=3:int32 minIdleConns=4:int32",
  DBMethodTDEngine: "tdEngineClientConfig=1:TDEngineClientConfig",
  TDEngineClientConfig: "addr=1 dbname=2",
  DBMethodMySQL: "mysqlClientConfig=1:MySQLClientConfig",
  MySQLClientConfig: "addr=1 database=2 userName=3",
  AnomalyDetection: "data=1:{Any}",
  // Here the namespace is 3, in the request below it is 2.
  ReportDeviceStatusRequest: "deviceName=1 reportedDevice=2:DeviceStatus deviceNamespace=3",
  ReportDeviceStatesRequest: "deviceName=1 deviceNamespace=2 state=3",
  DeviceStatus: "twins=1:[Twin] reportToCloud=2:bool reportCycle=3:int64",
  Twin: "propertyName=1 observedDesired=2:TwinProperty reported=3:TwinProperty",
  TwinProperty: "value=1 metadata=2:{string}",
  RegisterDeviceRequest: "device=1:Device",
  RegisterDeviceResponse: "deviceName=1 deviceNamespace=2",
  RemoveDeviceRequest: "deviceName=1 deviceNamespace=2",
  UpdateDeviceRequest: "device=1:Device",
  CreateDeviceModelRequest: "model=1:DeviceModel",
  CreateDeviceModelResponse: "deviceModelName=1 deviceModelNamespace=2",
  RemoveDeviceModelRequest: "modelName=1 modelNamespace=2",
  UpdateDeviceModelRequest: "model=1:DeviceModel",
  GetDeviceRequest: "deviceName=1 deviceNamespace=2",
  GetDeviceResponse: "device=1:Device",
  Empty: "",
  /** google.protobuf.Any */
  Any: "type_url=1 value=2:bytes",
} as const;

export type DmiMessageName = keyof typeof text;
export type DmiScalar = "string" | "bytes" | "bool" | "int32" | "int64";
export interface DmiField {
  readonly name: string;
  readonly number: number;
  readonly kind: "one" | "list" | "map";
  readonly type: DmiScalar | DmiMessageName;
}

export const dmiFields = Object.fromEntries(
  Object.entries(text).map(([name, fields]) => [name, fields.split(" ").filter(Boolean).map(parsed)]),
) as unknown as Readonly<Record<DmiMessageName, readonly DmiField[]>>; // the keys are those of the table

function parsed(field: string): DmiField {
  const [, name, number, open, type = "string"] = /^(\w+)=(\d+)(?::([[{]?)(\w+)[\]}]?)?$/.exec(field)!;
  const kind = open === "[" ? "list" : open === "{" ? "map" : "one";
  return { name: name!, number: Number(number), kind, type: type as DmiField["type"] }; // of the table above
}

/** Methods of the two services, each unary: what they take and give. */
export const dmiServices = {
  "v1beta1.DeviceManagerService": {
    MapperRegister: ["MapperRegisterRequest", "MapperRegisterResponse"],
    ReportDeviceStatus: ["ReportDeviceStatusRequest", "Empty"],
    ReportDeviceStates: ["ReportDeviceStatesRequest", "Empty"],
  },
  "v1beta1.DeviceMapperService": {
    RegisterDevice: ["RegisterDeviceRequest", "RegisterDeviceResponse"],
    RemoveDevice: ["RemoveDeviceRequest", "Empty"],
    UpdateDevice: ["UpdateDeviceRequest", "Empty"],
    CreateDeviceModel: ["CreateDeviceModelRequest", "CreateDeviceModelResponse"],
    RemoveDeviceModel: ["RemoveDeviceModelRequest", "Empty"],
    UpdateDeviceModel: ["UpdateDeviceModelRequest", "Empty"],
    GetDevice: ["GetDeviceRequest", "GetDeviceResponse"],
  },
} as const satisfies Record<string, Record<string, readonly [DmiMessageName, DmiMessageName]>>;
export type DmiService = keyof typeof dmiServices;
