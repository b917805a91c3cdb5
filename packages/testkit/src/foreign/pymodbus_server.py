"""A Modbus server that is not ours, with a fixed map, for tests of our mapper.

Usage: pymodbus_server.py [--host 127.0.0.1] [--port 0], or --serial PATH for RTU at 19200 baud without parity. The first
line of output is {"host", "port", "pid"} or {"path", "pid"}; it ends when its standard input closes. Units 1 and 2 hold the same map, unit 2 with every word raised by one:

  coils and discrete inputs 0..99     bit i is set when i % 3 == 0
  holding and input registers 0..299  word i is 1000 + i, except in holding registers:
    100      int16    -215              (scale 0.1: -21.5)
    101..102 float32  21.5  ABCD        103..104 float32  21.5  CDAB
    105..106 int32    -123456789 ABCD   107..108 uint32   4000000000 CDAB
    109..112 uint64   2**53 + 1 ABCD    113..116 int64    -(2**53 + 1) CDAB
    117..120 float64  pi ABCD
    200..279 each number of TYPES in the word orders ABCD, CDAB, BADC, DCBA, one after the other

Addresses are zero-based, as on the wire. Written for pymodbus 3.0.0.
"""
import argparse
import asyncio
import json
import os
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer

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
TYPES = [
    (">h", -215),
    (">H", 65000),
    (">i", -123456789),
    (">I", 4000000000),
    (">f", 21.5),
    (">q", -(2**53 + 1)),
    (">Q", 2**63 + 1),
    (">d", 3.141592653589793),
]


def in_all_orders():
    words = []
    for swap_words, swap_bytes in ((False, False), (True, False), (False, True), (True, True)):
        for form, value in TYPES:
            packed = struct.pack(form, value)
            pairs = [packed[i : i + 2] for i in range(0, len(packed), 2)]
            pairs = pairs[::-1] if swap_words else pairs
            words += [int.from_bytes(pair, "little" if swap_bytes else "big") for pair in pairs]
    return words


def unit(raised):
    words = [1000 + i + raised for i in range(300)]
    holding = list(words)
    for offset, form, value, swapped in VALUES:
        packed = struct.pack(form, value)
        own = list(struct.unpack(">%dH" % (len(packed) // 2), packed))
        own = own[::-1] if swapped else own
        holding[offset : offset + len(own)] = [(word + raised) & 0xFFFF for word in own]
    own = in_all_orders()
    holding[200 : 200 + len(own)] = [(word + raised) & 0xFFFF for word in own]
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
    parser.add_argument("--serial")
    arguments = parser.parse_args()
    context = ModbusServerContext(slaves={1: unit(0), 2: unit(1)}, single=False)
    if arguments.serial is None:
        server = ModbusTcpServer(context, address=(arguments.host, arguments.port), allow_reuse_address=True)
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        host, port = server.server.sockets[0].getsockname()[:2]
        first = {"host": host, "port": port, "pid": os.getpid()}
    else:
        line = {"port": arguments.serial, "baudrate": 19200, "parity": "N", "ignore_missing_slaves": True}
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, **line)
        await server.start()
        serving = asyncio.ensure_future(server.serve_forever())
        first = {"path": arguments.serial, "pid": os.getpid()}
    print(json.dumps(first), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()
    os._exit(0)


asyncio.run(main())
