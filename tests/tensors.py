"""Safetensors files in a few lines each way: 8 bytes with the header's length, the header in JSON, then the arrays."""
import json
import math
import struct

import torch

TYPES = {"F32": torch.float32, "I32": torch.int32, "I64": torch.int64, "U8": torch.uint8}


def load(path):
    """Returns the tensors by name, and the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    return {name: torch.frombuffer(data, dtype=TYPES[t["dtype"]], count=math.prod(t["shape"]), offset=t["data_offsets"][0]).view(t["shape"])
            for name, t in header.items()}, metadata


def save(path, tensors, metadata):
    """The inverse of load."""
    header, data = {"__metadata__": metadata}, b""
    names = {dtype: name for name, dtype in TYPES.items()}
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):   # bytes last: all stay aligned
        part = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
