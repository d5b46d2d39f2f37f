"""The three rules of import that the design rests on; CONTRIBUTING.md says why."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import refconv

PACKAGE = Path(refconv.__file__).parent
SOURCES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
ROOMS = {source.split("/")[0] for source in SOURCES}

FLOORS = [  # a room imports rooms of lower floors only, and itself
    {"errors", "atomic", "example", "version"},
    {"workers"},
    {"problem", "formats", "quantization"},
    {"illegal"},
    {"suite", "reference", "fills", "exact"},
    {"implementations"},  # above reference, because ours are implementations like any other
    {"functional", "export", "catalogue", "judge"},
    {"check", "generate"},
    {"diagnosis"},  # above check, whose failures it explains
    {"api"},  # what users import; who stands below cannot lean on it
    {"__init__"},
    {"report", "show"},
    {"pytest_plugin"},
    {"conformance"},
    {"quickstart"},
    {"cli"},
    {"__main__"},
]
OWN_PARTS = {
    "im2col": ("refconv.reference.depthwise", "refconv.reference.columns")
}  # parts of one reference, which no other may import
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# Who may name a package that not everybody has.
ENGINES = {
    "torch",
    "cupy",
    "onnxruntime",
    "onnx",
    "jax",
    "tensorflow",
    "paddle",
    "openvino",
    "mlx",
    "tinygrad",
    "cv2",
    "ncnn",
}
GUESTS = {
    "dask": set(),
    "distributed": {"workers"},
    "hypothesis": {"diagnosis"},
    "pytest": {"pytest_plugin", "conformance"},
}
OWNERS = {engine: {"implementations"} for engine in ENGINES} | GUESTS


def imported_names(tree, package):
    """Yield the dotted name of everything imported anywhere in a module, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *filter(None, [node.module])])
            # `from refconv import problem` names a module, `from refconv.problem import ConvProblem` an attribute
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def imports_of(source):
    """Return the dotted names that a module of refconv imports."""
    package = ".".join(["refconv", *Path(source).parts[:-1]])
    return set(imported_names(ast.parse(SOURCES[source].read_text(encoding="utf-8")), package))


def room_of(dotted):
    """Return the room of a name inside refconv: ``refconv.reference.direct`` lies in ``reference``."""
    room = dotted.split(".")[1] if "." in dotted else "__init__"
    return room if room in ROOMS else "__init__"  # an attribute of the package itself


@pytest.mark.parametrize("name", ["direct", "sparse", "im2col"])
def test_a_reference_shares_nothing_with_the_others_but_the_problem(name):
    ours = {dotted for dotted in imports_of(f"reference/{name}") if dotted.split(".")[0] == "refconv"}
    allowed = ("refconv.problem.", "refconv.errors.", *OWN_PARTS.get(name, ()))
    assert all(dotted.startswith(allowed) for dotted in ours), ours


@pytest.mark.parametrize("name", ["direct", "sparse", "im2col"])
def test_a_transposed_reference_shares_with_its_own_method_alone(name):
    ours = {dotted for dotted in imports_of(f"reference/transposed/{name}") if dotted.split(".")[0] == "refconv"}
    allowed = ("refconv.problem.", f"refconv.reference.{name}")
    assert all(dotted.startswith(allowed) for dotted in ours), ours


@pytest.mark.parametrize("source", SOURCES)
def test_imports_point_down(source):
    room = source.split("/")[0]
    assert room in FLOOR_OF, f"refconv/{source}.py stands on no floor: give its room one in FLOORS"
    targets = {room_of(dotted) for dotted in imports_of(source) if dotted.split(".")[0] == "refconv"} - {room}
    wrong = {target for target in targets if FLOOR_OF.get(target, -1) >= FLOOR_OF[room]}
    assert not wrong, f"refconv/{source}.py may not import {wrong}"


@pytest.mark.parametrize("source", SOURCES)
def test_optional_packages_are_named_in_their_own_room_only(source):
    packages = {dotted.split(".")[0] for dotted in imports_of(source)}
    wrong = {name for name in packages & OWNERS.keys() if source.split("/")[0] not in OWNERS[name]}
    assert not wrong, f"refconv/{source}.py may not name {wrong}"


def test_import_refconv_loads_no_engine():
    # Whether they are installed or not: the finder sees every attempt.
    heavy = {*ENGINES, "dask", "distributed", "hypothesis", "pytest", "click", "rich", "jinja2"}
    program = f"""
import sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in {heavy}:
            print(name)
sys.meta_path.insert(0, Watch())
from refconv import *
conv2d, check.__call__
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["check", "generate"])
def test_a_public_function_goes_before_the_room_of_its_name(name):
    program = f"import refconv.{name}.run, refconv; print(callable(refconv.{name}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True"]


def test_import_refconv_and_its_pytest_plugin_load_no_numpy():
    program = "import sys, refconv, refconv.pytest_plugin; print({'numpy', 'refconv.api'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["set()"]


def test_diagnose_starts_the_implementation_before_it_imports_what_looks_at_it():
    late = {"refconv.diagnosis", "refconv.report", "refconv.judge", "scipy"}
    program = f"import sys, refconv.cli.diagnosed; print({late} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["set()"]


@pytest.mark.parametrize("room", sorted(ROOMS - {"__init__", "__main__"}))
def test_every_room_can_be_the_first_one_to_be_imported(room):
    done = subprocess.run([sys.executable, "-c", f"import refconv.{room}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_that_does_not_exist_is_an_attribute_error():
    assert not hasattr(refconv, "no_such_name")
    assert {"conv2d", "check", "__version__"} <= set(dir(refconv))
