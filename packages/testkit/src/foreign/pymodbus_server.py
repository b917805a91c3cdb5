"""A Modbus TCP server that is not ours, with a fixed map, for tests of our mapper.

Usage: pymodbus_server.py [--host 127.0.0.1] [--port 0]. The first line of output is {"host", "port", "pid"}; it ends
when its standard input closes. Units 1 and 2 hold the same map, unit 2 with every word raised by one:

  coils and discrete inputs 0..99     bit i is set when i % 3 == 0
  holding and input registers 0..199  word i is 1000 + i, except in holding registers:
    100      int16    -215              (scale 0.1: -21.5)
    101..102 float32  21.5  ABCD        103..104 float32  21.5  CDAB
    105..106 int32    -123456789 ABCD   107..108 uint32   4000000000 CDAB
    109..112 uint64   2**53 + 1 ABCD    113..116 int64    -(2**53 + 1) CDAB
    117..120 float64  pi ABCD

Addresses are zero-based, as on the wire. Written for pymodbus 3.0.0.
"""
import argparse
import asyncio
import json
import os
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer

VALUES = [
    (100, ">h", -215, False),
    (101, ">f", 21.5, False),
    (103, ">f", 21.5, True),
    (105, ">i", -123456789, False),
    (107, ">I", 4000000000, True),
    (109, ">Q", 2**53 + 1, False),
    (113, ">q", -(2**53 + 1), True),
    (117, ">d", 3.141592653589793, False),
]


def unit(raised):
    words = [1000 + i + raised for i in range(200)]
    holding = list(words)
    for offset, form, value, swapped in VALUES:
        packed = struct.pack(form, value)
        own = list(struct.unpack(">%dH" % (len(packed) // 2), packed))
        own = own[::-1] if swapped else own
        holding[offset : offset + len(own)] = [(word + raised) & 0xFFFF for word in own]
    bits = [i % 3 == 0 for i in range(100)]
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, list(bits)),
        di=ModbusSequentialDataBlock(0, list(bits)),
        hr=ModbusSequentialDataBlock(0, holding),
        ir=ModbusSequentialDataBlock(0, words),
        zero_mode=True,
    )


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    context = ModbusServerContext(slaves={1: unit(0), 2: unit(1)}, single=False)
    server = ModbusTcpServer(context, address=(arguments.host, arguments.port), allow_reuse_address=True)
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    host, port = server.server.sockets[0].getsockname()[:2]
    print(json.dumps({"host": host, "port": port, "pid": os.getpid()}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()
    os._exit(0)


asyncio.run(main())
