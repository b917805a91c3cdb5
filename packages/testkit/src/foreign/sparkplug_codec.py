"""Sparkplug B payloads by Google's own protobuf: the schema stands here by its field numbers (Sparkplug 3.0.0, 6.4).

Each line of standard input is one JSON object: {"decode": hex} prints the payload, {"encode": payload} prints its hex.
"""
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

field_type = descriptor_pb2.FieldDescriptorProto
kinds = {
    "u32": field_type.TYPE_UINT32,
    "u64": field_type.TYPE_UINT64,
    "float": field_type.TYPE_FLOAT,
    "double": field_type.TYPE_DOUBLE,
    "bool": field_type.TYPE_BOOL,
    "string": field_type.TYPE_STRING,
    "bytes": field_type.TYPE_BYTES,
}
schema = {
    "PropertyValue": [
        (1, "type", "u32"), (2, "is_null", "bool"), (3, "int_value", "u32"), (4, "long_value", "u64"),
        (5, "float_value", "float"), (6, "double_value", "double"), (7, "boolean_value", "bool"), (8, "string_value", "string"),
    ],
    "PropertySet": [(1, "keys", "string*"), (2, "values", "PropertyValue*")],
    "Metric": [
        (1, "name", "string"), (2, "alias", "u64"), (3, "timestamp", "u64"), (4, "datatype", "u32"),
        (5, "is_historical", "bool"), (6, "is_transient", "bool"), (7, "is_null", "bool"), (9, "properties", "PropertySet"),
        (10, "int_value", "u32"), (11, "long_value", "u64"), (12, "float_value", "float"), (13, "double_value", "double"),
        (14, "boolean_value", "bool"), (15, "string_value", "string"), (16, "bytes_value", "bytes"),
    ],
    "Payload": [(1, "timestamp", "u64"), (2, "metrics", "Metric*"), (3, "seq", "u64"), (4, "uuid", "string"), (5, "body", "bytes")],
}

file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package="sparkplug", syntax="proto2")
for name, fields in schema.items():
    message = file.message_type.add(name=name)
    for number, field, kind in fields:
        made = message.field.add(name=field, number=number)
        made.label = field_type.LABEL_REPEATED if kind.endswith("*") else field_type.LABEL_OPTIONAL
        kind = kind.rstrip("*")
        if kind in kinds:
            made.type = kinds[kind]
        else:
            made.type = field_type.TYPE_MESSAGE
            made.type_name = ".sparkplug." + kind
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Payload = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("sparkplug.Payload"))

for line in sys.stdin:
    asked = json.loads(line)
    if "decode" in asked:
        read = Payload.FromString(bytes.fromhex(asked["decode"]))
        print(json.dumps(json_format.MessageToDict(read, preserving_proto_field_name=True)), flush=True)
    else:
        print(json.dumps(json_format.ParseDict(asked["encode"], Payload()).SerializeToString().hex()), flush=True)
