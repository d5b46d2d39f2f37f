"""A shared library that is written in Rust; by ``-m client``, where rustc is."""

import subprocess

import pytest
from foreign import CORE, EXAMPLES

from refconv import check, load_suite
from refconv.implementations import open_session


@pytest.mark.client
@pytest.mark.toolchain("rustc")
def test_a_library_in_rust_passes_all_of_core(tmp_path):
    library = tmp_path / "libconv2d_rs.so"
    source = EXAMPLES / "conv2d.rs"
    subprocess.run(["rustc", "-O", "--crate-type", "cdylib", str(source), "-o", str(library)], check=True)
    with open_session(str(library)) as session:
        report = check(session, load_suite(CORE))
    assert report.passed
    assert all(count["PASS"] > 400 for count in report.by_operation().values())
    unsupported = {outcome.element for outcome in report.outcomes if outcome.status == "UNSUPPORTED"}
    assert "float64" in unsupported
