"""
A DMI mapper in another language than ours. Like those of KubeEdge's framework it registers first and listens after that,
writes the wanted value of every writable property whenever it gets a device, and reports texts. It is steered by one JSON
object a line on standard input and tells what happens, one a line.

usage: mapper.py MANAGER_SOCKET OWN_SOCKET NAME PROTOCOL
"""
import json
import sys
import threading
import time
from concurrent import futures

import grpc

from generated import pb, plain, rpc

manager_socket, own_socket, name, protocol = sys.argv[1:5]
lock = threading.Lock()
devices, models, values = {}, {}, {}


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def shape(device):
    spec = device.spec
    return {
        "name": device.name, "namespace": device.namespace, "model": spec.deviceModelReference,
        "protocol": spec.protocol.protocolName, "config": plain(spec.protocol.configData),
        "filled": all(device.HasField(f) for f in ("spec", "status")) and spec.HasField("protocol")
        and all(p.HasField(f) for p in spec.properties for f in ("desired", "visitors", "pushMethod")),
        "properties": {p.name: {"desired": p.desired.value, "type": p.desired.metadata.get("type"),
                                "collect": p.collectCycle, "report": p.reportCycle, "toCloud": p.reportToCloud,
                                "visitor": plain(p.visitors.configData)} for p in spec.properties},
        "methods": {m.name: list(m.propertyNames) for m in spec.methods},
    }


def shape_model(model):
    return {p.name: [p.type, p.accessMode, p.minimum, p.maximum, p.unit] for p in model.spec.properties}


def take(device):
    key = (device.namespace, device.name)
    devices[key] = device
    model = models[(device.namespace, device.spec.deviceModelReference)]
    access = {p.name: p.accessMode for p in model.spec.properties}
    for one in device.spec.properties:
        if access[one.name] == "ReadWrite":
            values[(key, one.name)] = one.desired.value
            say(wrote=one.name, device=device.name, value=one.desired.value)


class Mapper(rpc.DeviceMapperServiceServicer):
    def RegisterDevice(self, request, context):
        device = request.device
        say(call="RegisterDevice", device=shape(device))
        # A device that is known is passed over with success, as the framework does.
        if (device.namespace, device.name) not in devices:
            take(device)
        return pb.RegisterDeviceResponse(deviceName=device.name, deviceNamespace=device.namespace)

    def UpdateDevice(self, request, context):
        say(call="UpdateDevice", device=shape(request.device))
        take(request.device)
        return pb.UpdateDeviceResponse()

    def RemoveDevice(self, request, context):
        say(call="RemoveDevice", name=request.deviceName)
        devices.pop((request.deviceNamespace, request.deviceName), None)
        return pb.RemoveDeviceResponse()

    def CreateDeviceModel(self, request, context):
        say(call="CreateDeviceModel", model=request.model.name, properties=shape_model(request.model))
        models[(request.model.namespace, request.model.name)] = request.model
        return pb.CreateDeviceModelResponse()

    def UpdateDeviceModel(self, request, context):
        say(call="UpdateDeviceModel", model=request.model.name, properties=shape_model(request.model))
        models[(request.model.namespace, request.model.name)] = request.model
        return pb.UpdateDeviceModelResponse()

    def RemoveDeviceModel(self, request, context):
        say(call="RemoveDeviceModel", model=request.modelName)
        models.pop((request.modelNamespace, request.modelName), None)
        return pb.RemoveDeviceModelResponse()

    def GetDevice(self, request, context):
        raise RuntimeError("mappers of the framework fall over this")


def twin(property_name, value, timestamp=None, **more):
    metadata = {} if timestamp is None else {"timestamp": str(timestamp)}
    return pb.Twin(propertyName=property_name, reported=pb.TwinProperty(value=value, metadata=metadata), **more)


def report(stub, device, namespace, twins):
    return stub.ReportDeviceStatus(pb.ReportDeviceStatusRequest(
        deviceName=device, deviceNamespace=namespace, reportedDevice=pb.DeviceStatus(twins=twins)), timeout=5)


def flood(stub, device, namespace, properties, calls, seconds, threads=2):
    """`calls` a second in all, each of all the properties, from several threads; values count up."""
    counts = [0] * threads
    failed = [0] * threads
    begun = time.monotonic()

    def work(i):
        sent = 0
        while True:
            now = time.monotonic() - begun
            if now >= seconds:
                break
            due = int(now * calls / threads)
            if sent >= due:
                time.sleep(0.001)
                continue
            inflight = []
            for _ in range(min(due - sent, 20)):
                stamp = int(time.time() * 1000)
                request = pb.ReportDeviceStatusRequest(
                    deviceName=device, deviceNamespace=namespace,
                    reportedDevice=pb.DeviceStatus(twins=[twin(p, str(sent * threads + i), stamp) for p in properties]))
                inflight.append(stub.ReportDeviceStatus.future(request, timeout=10))
                sent += 1
            for one in inflight:
                if one.exception() is None:
                    counts[i] += 1
                else:
                    failed[i] += 1

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    say(flooded=sum(counts), failed=sum(failed), seconds=time.monotonic() - begun)


def main():
    channel = grpc.insecure_channel(f"unix:{manager_socket}")
    stub = rpc.DeviceManagerServiceStub(channel)
    begun = time.monotonic()
    try:
        answer = stub.MapperRegister(pb.MapperRegisterRequest(withData=True, mapper=pb.MapperInfo(
            name=name, version="1.18.0", api_version="v1beta1", protocol=protocol,
            address=own_socket.encode())), timeout=1)
    except grpc.RpcError as error:
        say(refused=error.code().name, details=error.details())
        return
    took = time.monotonic() - begun
    for model in answer.modelList:
        models[(model.namespace, model.name)] = model
    say(registered=name, took=took, models={m.name: shape_model(m) for m in answer.modelList},
        devices=[shape(d) for d in answer.deviceList])
    for device in answer.deviceList:
        take(device)
    # Only now it listens: what changed meanwhile must not be lost.
    time.sleep(0.3)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    rpc.add_DeviceMapperServiceServicer_to_server(Mapper(), server)
    server.add_insecure_port(f"unix:{own_socket}")
    server.start()
    say(listening=own_socket)
    for line in sys.stdin:
        order = json.loads(line)
        do = order.pop("do")
        try:
            if do == "report":
                twins = [twin(p, v, order.get("timestamp")) for p, v in order["values"].items()]
                report(stub, order["device"], order.get("namespace", "default"), twins)
            elif do == "bare":
                report(stub, order["device"], "default", [pb.Twin(propertyName="t"), pb.Twin()])
                stub.ReportDeviceStatus(pb.ReportDeviceStatusRequest(deviceName=order["device"]), timeout=5)
            elif do == "current":
                for (key, prop), value in list(values.items()):
                    report(stub, key[1], key[0], [twin(prop, value)])
            elif do == "state":
                stub.ReportDeviceStates(pb.ReportDeviceStatesRequest(
                    deviceName=order["device"], deviceNamespace="default", state=order["state"]), timeout=5)
            elif do == "flood":
                flood(stub, order["device"], "default", order["properties"], order["calls"], order["seconds"])
            say(done=do)
        except grpc.RpcError as error:
            say(done=do, error=error.code().name, details=error.details())


main()
