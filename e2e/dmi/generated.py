"""Makes Python code of dmi.proto in a folder of its own and imports it; and reads settings from their wrappers."""
import os
import sys
import tempfile

from google.protobuf import wrappers_pb2
from grpc_tools import protoc

folder = tempfile.mkdtemp(prefix="dmi-")
here = os.path.dirname(os.path.abspath(__file__))
include = os.path.join(os.path.dirname(protoc.__file__), "_proto")
if protoc.main(["protoc", f"-I{here}", f"-I{include}", "-I/usr/include", f"--python_out={folder}",
                f"--grpc_python_out={folder}", "dmi.proto"]) != 0:
    raise SystemExit("protoc failed")
sys.path.insert(0, folder)

import dmi_pb2 as pb  # noqa: E402
import dmi_pb2_grpc as rpc  # noqa: E402

KINDS = [wrappers_pb2.StringValue, wrappers_pb2.Int32Value, wrappers_pb2.Int64Value, wrappers_pb2.FloatValue,
         wrappers_pb2.BoolValue]


def plain(customized):
    """The five wrappers that mappers of the framework know, and nothing else."""
    found = {}
    for key, any_value in customized.data.items():
        for kind in KINDS:
            wrapper = kind()
            if any_value.Unpack(wrapper):
                found[key] = {kind.__name__: wrapper.value}
                break
        else:
            raise ValueError(f"{key}: {any_value.type_url}")
    return found


def wrapped(settings):
    customized = pb.CustomizedValue()
    for key, value in settings.items():
        # EdgeCore has every number as a float of 32 bits.
        if isinstance(value, bool):
            wrapper = wrappers_pb2.BoolValue(value=value)
        elif isinstance(value, (int, float)):
            wrapper = wrappers_pb2.FloatValue(value=value)
        else:
            wrapper = wrappers_pb2.StringValue(value=value)
        customized.data[key].Pack(wrapper)
    return customized
