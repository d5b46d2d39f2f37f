import ctypes
import subprocess

import pytest
from foreign import compiled, needs_cc

from refconv.implementations import abi
from refconv.quantization import Quantization

STRUCTS = {"refconv_tensor": abi.Tensor, "refconv_problem": abi.Problem, "refconv_quantization": abi.Quantized}
CONSTANTS = {
    **{f"REFCONV_{name.upper()}": number for name, number in abi.DTYPES.items()},
    **{f"REFCONV_OVERFLOW_{(name or 'any').upper()}": number for name, number in abi.OVERFLOWS.items()},
    "REFCONV_ABI_VERSION": abi.VERSION,
    "REFCONV_MAX_AXES": abi.MAX_AXES,
    "REFCONV_OK": abi.OK,
    "REFCONV_UNSUPPORTED": abi.UNSUPPORTED,
    "REFCONV_REJECTED": abi.REJECTED,
    "REFCONV_ERROR": abi.ERROR,
}


@needs_cc
def test_ctypes_and_the_header_agree_on_every_offset_and_constant(tmp_path):
    wanted = {f"sizeof({name})": ctypes.sizeof(struct) for name, struct in STRUCTS.items()}
    for name, struct in STRUCTS.items():
        wanted |= {f"offsetof({name}, {field[0]})": getattr(struct, field[0]).offset for field in struct._fields_}
    wanted |= CONSTANTS
    lines = "".join(f'  printf("%d\\n", (int){expression});\n' for expression in wanted)
    source = tmp_path / "offsets.c"
    source.write_text(f'#include <stdio.h>\n#include "refconv_impl.h"\nint main(void) {{\n{lines}  return 0;\n}}\n')
    done = subprocess.run([compiled(source, tmp_path / "offsets")], check=True, capture_output=True, text=True)
    assert dict(zip(wanted, map(int, done.stdout.split()), strict=True)) == wanted


@pytest.mark.parametrize("struct", STRUCTS.values())
def test_a_struct_begins_with_its_size(struct):
    assert struct._fields_[0][0] == "size"
    assert struct.size.offset == 0


def test_the_struct_of_a_quantised_layer_holds_a_scale_and_a_zero_point_for_each_channel():
    struct = abi.quantization_struct(Quantization(0.5, 3, (0.25, 2.0), (-1, 4), 8.0, -7, "int8"))
    channels = struct.weight_count
    assert channels == 2
    assert (struct.weight_scale[:channels], struct.weight_zero_point[:channels]) == ([0.25, 2.0], [-1, 4])
    assert (struct.x_scale, struct.y_scale, struct.x_zero_point, struct.y_zero_point) == (0.5, 8.0, 3, -7)
