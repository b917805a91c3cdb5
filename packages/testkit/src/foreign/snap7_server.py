"""Plays a PLC with snap7's server, somebody else's library, by ctypes alone.

Usage: snap7_server.py <libsnap7.so>
Prints its port. Each line on stdin is a command, answered by one line:
  get <area> <db> <start> <length>   the bytes there, in hexadecimal
  put <area> <db> <start> <hex>      sets them; answers "ok"
Areas: DB (10 with 1024 bytes, 11 with 40), M, I, Q (256 bytes each), T, C (64 words each). Ends with stdin.
"""
import ctypes
import socket
import sys

library = ctypes.CDLL(sys.argv[1])
library.Srv_Create.restype = ctypes.c_void_p
server = ctypes.c_void_p(library.Srv_Create())

# numbers of Srv_RegisterArea: snap7 reference manual 1.4, "Srv_RegisterArea"
codes = {"I": 0, "Q": 1, "M": 2, "C": 3, "T": 4, "DB": 5}
memory = {("DB", 10): 1024, ("DB", 11): 40, ("M", 0): 256, ("I", 0): 256, ("Q", 0): 256, ("T", 0): 128, ("C", 0): 128}
buffers = {}
for (area, number), size in memory.items():
    buffer = (ctypes.c_uint8 * size)()
    buffers[area, number] = buffer
    failed = library.Srv_RegisterArea(server, codes[area], ctypes.c_uint16(number), ctypes.byref(buffer), size)
    if failed:
        sys.exit(f"Srv_RegisterArea: {failed:#x}")

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
local_port = 1
wanted = ctypes.c_uint16(port)
library.Srv_SetParam(server, local_port, ctypes.byref(wanted))
failed = library.Srv_StartTo(server, b"127.0.0.1")
if failed:
    sys.exit(f"Srv_StartTo: {failed:#x}")
print(port, flush=True)

for line in sys.stdin:
    verb, area, number, start, rest = line.split()
    buffer, start = buffers[area, int(number)], int(start)
    if verb == "get":
        print(bytes(buffer[start : start + int(rest)]).hex(), flush=True)
    else:
        for at, byte in enumerate(bytes.fromhex(rest)):
            buffer[start + at] = byte
        print("ok", flush=True)
library.Srv_Stop(server)
