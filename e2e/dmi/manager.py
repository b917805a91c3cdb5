"""
A DMI manager that behaves as EdgeCore does: one token bucket for all three calls, numbers as floats of 32 bits, models with
every device, devices by protocol. Steered by one JSON object a line on standard input, tells what comes one a line.

usage: manager.py SOCKET PROTOCOL PER_SECOND BURST < orders
"""
import json
import os
import sys
import threading
import time
from concurrent import futures

import grpc

from generated import pb, rpc, wrapped

socket, protocol, per_second, burst = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
lock = threading.Lock()
tokens, filled = burst, time.monotonic()
devices, mappers = {}, {}


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def allowed(context):
    global tokens, filled
    with lock:
        now = time.monotonic()
        tokens = min(burst, tokens + (now - filled) * per_second)
        filled = now
        if tokens >= 1:
            tokens -= 1
            return
    say(limited=True)
    context.abort(grpc.StatusCode.UNKNOWN, "fail to report because of too many request")


def device_of(order):
    properties = []
    for name, one in order["properties"].items():
        properties.append(pb.DeviceProperty(
            name=name, desired=pb.TwinProperty(value=one.get("desired", "")),
            visitors=pb.VisitorConfig(protocolName=protocol, configData=wrapped(one["visitor"])),
            collectCycle=one.get("collect", 0), reportCycle=one.get("report", 0), reportToCloud=True))
    device = pb.Device(name=order["name"], namespace="plant", spec=pb.DeviceSpec(
        deviceModelReference=order["name"] + "-model",
        protocol=pb.ProtocolConfig(protocolName=protocol, configData=wrapped(order["config"])), properties=properties),
        status=pb.DeviceStatus(reportToCloud=True, reportCycle=1000))
    model = pb.DeviceModel(name=order["name"] + "-model", namespace="plant", spec=pb.DeviceModelSpec(properties=[
        pb.ModelProperty(name=n, type=o["type"], accessMode=o.get("access", "ReadOnly"), maximum=o.get("maximum", ""))
        for n, o in order["properties"].items()]))
    return device, model


class Manager(rpc.DeviceManagerServiceServicer):
    def MapperRegister(self, request, context):
        allowed(context)
        info = request.mapper
        mappers[info.name] = info.address.decode()
        say(registered=info.name, protocol=info.protocol, address=info.address.decode(), api=info.api_version,
            withData=request.withData)
        answer = pb.MapperRegisterResponse()
        for device, model in devices.values():
            answer.deviceList.append(device)
            answer.modelList.append(model)
        return answer

    def ReportDeviceStatus(self, request, context):
        allowed(context)
        twins = {}
        for one in request.reportedDevice.twins:
            # EdgeCore reaches into both and falls over when one is missing.
            if not one.HasField("observedDesired") or not one.HasField("reported"):
                say(fatal=one.propertyName)
            twins[one.propertyName] = [one.reported.value, one.observedDesired.value, one.reported.metadata.get("type")]
        say(device=request.deviceName, namespace=request.deviceNamespace, twins=twins, at=time.time(),
            stamps=[one.reported.metadata.get("timestamp") for one in request.reportedDevice.twins])
        return pb.ReportDeviceStatusResponse()

    def ReportDeviceStates(self, request, context):
        allowed(context)
        say(device=request.deviceName, state=request.state)
        return pb.ReportDeviceStatesResponse()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
rpc.add_DeviceManagerServiceServicer_to_server(Manager(), server)
if os.path.exists(socket):
    os.remove(socket)
server.add_insecure_port(f"unix:{socket}")
server.start()
say(listening=socket)
for line in sys.stdin:
    order = json.loads(line)
    do = order.pop("do")
    try:
        result = None
        stub = None
        if mappers:
            channel = grpc.insecure_channel(f"unix:{list(mappers.values())[0]}")
            stub = rpc.DeviceMapperServiceStub(channel)
        if do in ("prepare", "add", "update"):
            device, model = device_of(order)
            devices[device.name] = (device, model)
            if do == "add":
                stub.CreateDeviceModel(pb.CreateDeviceModelRequest(model=model), timeout=10)
                answer = stub.RegisterDevice(pb.RegisterDeviceRequest(device=device), timeout=10)
                result = [answer.deviceName, answer.deviceNamespace]
            elif do == "update":
                stub.UpdateDeviceModel(pb.UpdateDeviceModelRequest(model=model), timeout=10)
                stub.UpdateDevice(pb.UpdateDeviceRequest(device=device), timeout=10)
        elif do == "remove":
            devices.pop(order["name"], None)
            stub.RemoveDevice(pb.RemoveDeviceRequest(deviceName=order["name"], deviceNamespace="plant"), timeout=10)
        elif do == "get":
            answer = stub.GetDevice(pb.GetDeviceRequest(deviceName=order["name"], deviceNamespace="plant"), timeout=10)
            result = {t.propertyName: t.reported.value for t in answer.device.status.twins}
        say(done=do, result=result)
    except grpc.RpcError as error:
        say(done=do, error=error.code().name, details=error.details())
