"""What is changed, and by which tests each part ought to be noticed: its own, so that a mutant takes a second."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
# Room, folder, modules, folder of the tests, tests.  The examples in the docstrings are tests too.
PARTS = [
    ("problem", "refconv/problem", "convolution descriptor fields geometry padding reading rules transposed",
     "tests", "test_problem test_transposed_problem test_sentences"),
    ("reference", "refconv/reference", "choice columns depthwise direct im2col sparse",
     "tests", "reference/test_agreement reference/test_columns reference/test_depthwise reference/test_memory "
     "exact/test_places"),
    ("reference", "refconv/reference/transposed", "direct im2col sparse", "tests/reference", "test_transposed"),
    ("exact", "refconv/exact", "bounded", "tests/exact", "test_bounded"),
    ("exact", "refconv/exact", "elements", "tests/exact", "test_elements test_bounded"),
    ("exact", "refconv/exact", "expansion", "tests/exact", "test_expansion test_places"),
    ("exact", "refconv/exact", "requantization", "tests/exact", "test_requantization"),
    ("exact", "refconv/exact", "rounding", "tests/exact", "test_rounding test_places"),
    ("exact", "refconv/exact", "special", "tests/exact", "test_special test_places"),
    ("exact", "refconv/exact", "sums", "tests/exact", "test_rounding test_expansion test_engine test_special"),
    ("exact", "refconv/exact", "engine places products slicing transposition",
     "tests/exact", "test_products test_engine test_expansion test_places test_special test_bounded"),
    ("judge", "refconv/judge", "bounds", "tests/judge", "test_bounds"),
    ("judge", "refconv/judge", "closeup", "tests/judge", "test_closeup"),
    ("judge", "refconv/judge", "digest evidence statistics verdict", "tests/judge",
     "test_verdict test_closeup test_evidence test_statistics test_bounds classes/test_*"),
    ("judge", "refconv/judge/classes", "*", "tests/judge", "classes/test_*"),
    ("codec", "refconv", "formats", "tests", "test_formats"),
    ("codec", "refconv/suite", "safetensors_codec strict_json",
     "tests/suite", "test_safetensors_codec test_strict_json"),
    ("codec", "refconv/suite", "assembly fitting index manifest", "tests/suite",
     "test_assembly test_choice test_fitting test_index test_manifest test_quantized test_hostile"),
    ("codec", "refconv/suite", "files names reader staging verify writer", "tests/suite",
     "test_files test_names test_reader test_staging test_verify test_writer"),
]  # fmt: skip


def parts(room):
    """Yield what is changed and what is run for it, part by part of a room."""
    for name, folder, modules, tests_folder, tests in PARTS:
        if name == room:
            files = _files(folder, modules)
            yield files, [str(path) for path in (*_files(tests_folder, tests), *files)]


def _files(folder, names):
    found = [path for name in names.split() for path in sorted((ROOT / folder).glob(f"{name}.py"))]
    return [path for path in found if path.name not in ("__init__.py", "conftest.py")]
