"""NumPy archives, one for each case, the same bytes every time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.export.entries import Store, case_entry, described, document
from refconv.export.form import LAYOUTS, Form
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.export.raw import write_json
from refconv.suite import Suite

Array = npt.NDArray[Any]


def write_npz(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``CASE.npz``, and ``index.json`` with all that is no tensor."""
    entries = []
    for case_id, found in groupby(prompts, key=lambda prompt: prompt.case.id):
        arrays: dict[str, Array] = {}
        entry = {"file": f"{case_id}.npz"} | case_entry(list(found), options, _store(arrays, case_id))
        arrays["about"] = np.array(json.dumps(entry))
        (folder / entry["file"]).parent.mkdir(exist_ok=True)
        (folder / entry["file"]).write_bytes(archive(arrays))
        entries.append(entry)
    write_json(folder / "index.json", document("npz", suite, options) | {"cases": entries})


def archive(arrays: dict[str, Array]) -> bytes:
    """Return an archive for ``numpy.load``, uncompressed and without a time of day.

    Examples
    --------
    >>> loaded = np.load(io.BytesIO(archive({"x": np.arange(3)})))
    >>> loaded["x"].tolist()
    [0, 1, 2]
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # or the bytes would tell Windows from Unix
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            whole.writestr(entry, content.getvalue())
    return file.getvalue()


def _store(arrays: dict[str, Array], case_id: str) -> Store:
    def store(stem: str, tensor: Array) -> dict[str, Any]:
        key = stem.removeprefix(f"{case_id}.")
        known = tensor.dtype.isbuiltin == 1  # bfloat16 and float8 are not
        little = tensor if known else tensor.view(f"u{tensor.dtype.itemsize}")
        arrays[key] = np.ascontiguousarray(little, dtype=little.dtype.newbyteorder("<"))
        return {"key": key, **described(tensor)}

    return store


NPZ = Form(
    write_npz,
    """One archive for each case, CASE.npz: its tensors by name (x, weight, bias, grad_output, forward.expected,
forward.lo, grad_input.hi ...), and 'about', a text in JSON with the problem and the dtypes; index.json holds the same
of all cases. bfloat16 is stored as uint16 and float8 as uint8, its bits: NumPy has no name for them, and
ml_dtypes turns them back: array.view(ml_dtypes.bfloat16). Every legal operation of the selection is here.""",
    LAYOUTS,
    any_layer=True,
)
