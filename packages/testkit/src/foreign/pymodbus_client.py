"""A Modbus TCP client that is not ours: does the requests it is handed as JSON lines and prints one JSON line each.

Usage: pymodbus_client.py HOST PORT; a line is {"do": "holding" | "input" | "coil" | "discrete", "unit", "start", "count"}
or {"do": "write-register" | "write-registers" | "write-coil" | "write-coils", "unit", "start", "value"}. An answer is
{"values": [...]}, {"written": true} or {"exception": code}. Written for pymodbus 3.0.0.
"""
import json
import sys

from pymodbus.client import ModbusTcpClient


def answer(client, ask):
    start, slave = ask["start"], ask["unit"]
    if "count" in ask:
        read = {
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
        }[ask["do"]]
        result = read(start, ask["count"], slave=slave)
        if result.isError():
            return {"exception": result.exception_code}
        values = result.bits if ask["do"] in ("coil", "discrete") else result.registers
        return {"values": values[: ask["count"]]}
    write = {
        "write-register": client.write_register,
        "write-registers": client.write_registers,
        "write-coil": client.write_coil,
        "write-coils": client.write_coils,
    }[ask["do"]]
    result = write(start, ask["value"], slave=slave)
    return {"exception": result.exception_code} if result.isError() else {"written": True}


client = ModbusTcpClient(sys.argv[1], port=int(sys.argv[2]), timeout=3)
client.connect()
for line in sys.stdin:
    print(json.dumps(answer(client, json.loads(line))), flush=True)
client.close()
