"""The three references agree with each other, with hand-computed answers and with analytic truths."""

from dataclasses import replace

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, hold_the_wider_dtype, integer_tensors, problems, run

from refconv import ConvProblem, TensorError
from refconv.reference import direct, im2col, sparse, transposed

REFERENCES = [direct, sparse, im2col]
each = pytest.mark.parametrize("reference", REFERENCES, ids=lambda module: module.name)
OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
PLAIN = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
ODD = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 2),
                  stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip

DEPTHWISE = ConvProblem(batch=2, in_channels=4, out_channels=8, groups=4, input_size=(7, 9), kernel_size=(3, 2),
                        stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip
POINTWISE = ConvProblem(batch=2, in_channels=4, out_channels=6, input_size=(7, 9), kernel_size=(1, 1))
HOST = array_api_strict.Device("CPU_DEVICE")


@settings(max_examples=150, deadline=None)
@given(every_problem(), st.integers(0, 2**32 - 1))
def test_the_three_references_agree_exactly_on_every_legal_problem(problem, seed):
    tensors = integer_tensors(problem, seed)
    truth, *others = (run(reference, tensors, problem) for reference in REFERENCES)
    for operation, expected in truth.items():
        for other in others:
            assert other[operation].shape == expected.shape
            assert other[operation].dtype == expected.dtype
            np.testing.assert_array_equal(other[operation], expected)


@settings(max_examples=60, deadline=None)
@given(every_problem(), st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("budget", [1, 1000])
@pytest.mark.parametrize("reference", [sparse, im2col], ids=lambda module: module.name)
def test_a_small_memory_budget_changes_nothing(reference, budget, problem, seed):
    tensors = integer_tensors(problem, seed)
    whole = run(reference, tensors, problem)
    usual, reference.BUDGET = reference.BUDGET, budget
    try:
        pieces = run(reference, tensors, problem)
    finally:
        reference.BUDGET = usual
    for operation in OPERATIONS:
        np.testing.assert_array_equal(pieces[operation], whole[operation])


def test_each_reference_says_its_name_by_which_files_and_messages_call_it():
    assert [reference.name for reference in REFERENCES] == ["direct", "sparse", "im2col"]


def test_the_loops_take_integers_of_any_size():
    assert direct.unbounded_integers is transposed.direct.unbounded_integers is True


@given(problems())
def test_the_seven_loops_make_the_products_of_the_loops_over_any_axes_in_the_same_order(problem):
    assert list(direct.seven_loops(problem)) == list(direct.loops_over_any_axes(problem))


@each
def test_the_worked_example_along_one_axis_and_along_three(reference):
    """[1, 2, 3] meets [1, 10], alone and as the middle of a volume whose other planes meet other weights."""
    signal, kernel = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]])
    line = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,), padding=((1, 0),))
    assert reference.forward(signal, kernel, None, line).tolist() == [[[10, 21, 32]]]
    assert reference.grad_weight(signal, np.array([[[1.0, 2.0, 4.0]]]), line).tolist() == [[[10, 17]]]
    volume = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 1, 3), kernel_size=(2, 1, 2),
                         padding=((0, 0), (0, 0), (1, 0)))  # fmt: skip
    x = np.stack([signal, 100 * signal], axis=2)[:, :, :, None]
    weight = np.stack([kernel, 3 * kernel], axis=2)[:, :, :, None]
    assert reference.forward(x, weight, None, volume).tolist() == [[[[[3010, 6321, 9632]]]]]
    assert reference.grad_input(np.ones((1, 1, 1, 1, 3)), weight, volume).tolist() == [
        [[[[11, 11, 10]], [[33, 33, 30]]]]
    ]


@each
def test_axes_of_extent_one_change_nothing(reference):
    """An image of one row is a signal, and a volume of one plane is an image."""
    tensors = integer_tensors(ODD)
    plane = {name: t[:, :, None] if t.ndim == 4 else t for name, t in tensors.items()}
    volume = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(1, 7, 9), kernel_size=(1, 3, 2),
                         stride=(1, 2, 1), dilation=(1, 1, 2), padding=((0, 0), (1, 0), (2, 1)))  # fmt: skip
    flat, deep = run(reference, tensors, ODD), run(reference, plane, volume)
    for operation in OPERATIONS:
        np.testing.assert_array_equal(deep[operation].reshape(flat[operation].shape), flat[operation])


@each
def test_the_worked_example(reference):
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    weight = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert reference.forward(x, weight, None, PLAIN).tolist() == [[[[37, 47], [67, 77]]]]


@each
def test_the_gradients_of_the_worked_example_by_hand(reference):
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    weight = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    nabla = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
    # every input gathers weight * nabla over the outputs that read it
    assert reference.grad_input(nabla, weight, PLAIN).tolist() == [
        [[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]
    ]
    # x[0, 0] + 10 x[0, 1] + 100 x[1, 0] + 1000 x[1, 1] for the first weight, and so on
    assert reference.grad_weight(x, nabla, PLAIN).tolist() == [[[[5421, 6532], [8754, 9865]]]]
    assert reference.grad_bias(nabla, PLAIN).tolist() == [1111]


@each
def test_a_one_hot_image_prints_the_kernel_backwards(reference):
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1
    weight = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert reference.forward(x, weight, None, PLAIN).tolist() == [[[[4, 3], [2, 1]]]]


@each
def test_an_identity_kernel_returns_the_image(reference):
    problem = ConvProblem(batch=2, in_channels=3, out_channels=3, groups=3, input_size=(4, 5), kernel_size=(3, 3),
                          padding=((1, 1), (1, 1)))  # fmt: skip
    weight = np.zeros(problem.weight_shape)
    weight[:, :, 1, 1] = 1
    x = integer_tensors(problem)["x"]
    np.testing.assert_array_equal(reference.forward(x, weight, None, problem), x)


@each
def test_one_by_one_kernels_are_a_matrix_product(reference):
    problem = ConvProblem(batch=2, in_channels=3, out_channels=4, input_size=(4, 5), kernel_size=(1, 1))
    tensors = integer_tensors(problem)
    expected = np.einsum("nchw,kc->nkhw", tensors["x"], tensors["weight"][:, :, 0, 0])
    np.testing.assert_array_equal(reference.forward(tensors["x"], tensors["weight"], None, problem), expected)
    expected = np.einsum("nkhw,kc->nchw", tensors["grad_output"], tensors["weight"][:, :, 0, 0])
    np.testing.assert_array_equal(reference.grad_input(tensors["grad_output"], tensors["weight"], problem), expected)
    expected = np.einsum("nkhw,nchw->kc", tensors["grad_output"], tensors["x"])[:, :, None, None]
    np.testing.assert_array_equal(reference.grad_weight(tensors["x"], tensors["grad_output"], problem), expected)


@each
@given(problem=every_problem(smallest=1), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_negative_padding_crops_the_image(reference, problem, seed):
    """The crop taken from the image first, and its gradient put back into zeros, is the same layer."""
    t = integer_tensors(problem, seed)
    crops = [(max(0, -begin), max(0, -end)) for begin, end in problem.padding]
    kept = [slice(begin, length - end) for length, (begin, end) in zip(problem.input_size, crops, strict=True)]
    cropped = t | {"x": t["x"][:, :, *kept]}
    added = tuple((max(0, begin), max(0, end)) for begin, end in problem.padding)
    smaller = replace(problem, input_size=cropped["x"].shape[2:], padding=added)
    whole, part = run(reference, t, problem), run(reference, cropped, smaller)
    part["grad_input"] = np.pad(part["grad_input"], [(0, 0), (0, 0), *crops])
    for operation in OPERATIONS:
        np.testing.assert_array_equal(whole[operation], part[operation])


@each
def test_a_layer_that_reads_nothing_but_padding(reference):
    """Of ten zeros and one input the places 0, 4 and 8 are read."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(12,), kernel_size=(1,), stride=(4,),
                          padding=((10, -11),))  # fmt: skip
    results = run(reference, integer_tensors(problem) | {"bias": np.array([7.0])}, problem)
    assert results["forward"].tolist() == [[[7, 7, 7]]]
    assert not results["grad_input"].any()
    assert not results["grad_weight"].any()


@each
def test_padding_that_is_taken_away_at_the_other_end_shifts_the_image(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(4,), kernel_size=(1,), padding=((1, -1),))
    x, weight = np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.array([[[10.0]]])
    assert reference.forward(x, weight, None, problem).tolist() == [[[0, 10, 20, 30]]]
    assert reference.grad_input(x, weight, problem).tolist() == [[[20, 30, 40, 0]]]
    assert reference.grad_weight(x, x, problem).tolist() == [[[20]]]


@each
def test_groups_are_separate_convolutions(reference):
    tensors = integer_tensors(ODD)
    half = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(7, 9), kernel_size=(3, 2),
                       stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip
    parts = [
        reference.forward(tensors["x"][:, 2 * g : 2 * g + 2], tensors["weight"][3 * g : 3 * g + 3], None, half)
        for g in range(2)
    ]
    whole = reference.forward(tensors["x"], tensors["weight"], None, ODD)
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))


@each
def test_shifting_the_image_shifts_the_output(reference):
    problem = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(6, 7), kernel_size=(2, 3))
    tensors = integer_tensors(problem)
    y = reference.forward(tensors["x"], tensors["weight"], None, problem)
    shifted = reference.forward(np.roll(tensors["x"], (1, 2), axis=(2, 3)), tensors["weight"], None, problem)
    np.testing.assert_array_equal(shifted[:, :, 1:, 2:], y[:, :, :-1, :-2])


@each
@settings(max_examples=60, deadline=None)
@given(problem=every_problem(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_the_gradients_are_the_adjoints_of_the_layer(reference, problem, seed):
    t = integer_tensors(problem, seed)
    g, results = t["grad_output"], run(reference, t, problem)
    bilinear = np.sum(g * reference.forward(t["x"], t["weight"], None, problem))
    assert np.sum(results["grad_input"] * t["x"]) == bilinear
    assert np.sum(results["grad_weight"] * t["weight"]) == bilinear
    assert np.sum(results["grad_bias"] * t["bias"]) == np.sum(g * t["bias"].reshape(-1, *[1] * len(problem.input_size)))


@each
def test_a_nan_weight_that_only_meets_padding_is_absent_or_multiplied_as_documented(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(3, 1),
                          padding=((1, 1), (0, 0)))  # fmt: skip
    weight = np.array([np.nan, 2.0, np.nan]).reshape(1, 1, 3, 1)
    y = reference.forward(np.array([[[[3.0, 5.0]]]]), weight, None, problem)
    if reference is im2col:  # the zero rows of its columns are multiplied
        assert np.isnan(y).all()
    else:
        assert y.tolist() == [[[[6.0, 10.0]]]]


@each
def test_inputs_may_be_read_only_and_not_contiguous(reference):
    plain = integer_tensors(ODD)
    turned = {}
    for name, tensor in plain.items():
        turned[name] = np.asfortranarray(tensor)[..., ::-1][..., ::-1]
        turned[name].flags.writeable = False
    expected, got = run(reference, plain, ODD), run(reference, turned, ODD)
    for operation in OPERATIONS:
        np.testing.assert_array_equal(got[operation], expected[operation])


@each
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64, np.complex128])
def test_the_dtype_of_the_inputs_is_the_dtype_of_the_results(reference, dtype):
    exact = run(direct, integer_tensors(ODD), ODD)
    got = run(reference, integer_tensors(ODD, dtype=dtype), ODD)
    for operation in OPERATIONS:
        assert got[operation].dtype == dtype
        np.testing.assert_array_equal(got[operation], exact[operation])


@each
@pytest.mark.parametrize("problem", [ODD, DEPTHWISE, POINTWISE], ids=["odd", "depthwise", "pointwise"])
@pytest.mark.parametrize("wide", ["x", "weight", "bias", "grad_output"])
def test_of_tensors_of_two_dtypes_the_wider_one_is_that_of_what_they_make(reference, problem, wide):
    hold_the_wider_dtype(reference, direct, problem, wide)


def test_direct_computes_python_integers_of_any_size():
    x = np.array([[[[10**40, 1]]]], dtype=object)
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    y = direct.forward(x, np.array([[[[10**40, -1]]]], dtype=object), None, problem)
    assert y[0, 0, 0, 0] == 10**80 - 1


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.int8])
@pytest.mark.parametrize("problem", [ODD, DEPTHWISE, POINTWISE], ids=["odd", "depthwise", "pointwise"])
def test_im2col_keeps_to_the_array_api(problem, dtype):
    tensors = integer_tensors(problem, largest=1, dtype=dtype)
    strict = {name: array_api_strict.asarray(tensor) for name, tensor in tensors.items()}
    expected, got = run(direct, tensors, problem), run(im2col, strict, problem)
    for operation in OPERATIONS:
        assert got[operation].dtype == strict["x"].dtype
        np.testing.assert_array_equal(np.asarray(got[operation]), expected[operation])


@pytest.mark.parametrize("problem", [ODD, DEPTHWISE, POINTWISE], ids=["odd", "depthwise", "pointwise"])
def test_results_of_im2col_lie_where_the_tensors_do(problem):
    """Nothing is made on another device on the way, or it could not be added to what is here."""
    tensors, elsewhere = integer_tensors(problem), array_api_strict.Device("device1")
    there = {name: array_api_strict.asarray(tensor, device=elsewhere) for name, tensor in tensors.items()}
    expected, got = run(direct, tensors, problem), run(im2col, there, problem)
    for operation in OPERATIONS:
        assert got[operation].device == elsewhere
        np.testing.assert_array_equal(np.asarray(got[operation].to_device(HOST)), expected[operation])


def test_the_convolution_matrix_of_the_worked_example():
    matrix = sparse.convolution_matrix(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), PLAIN)
    assert matrix.shape == (4, 9)
    assert matrix.toarray().tolist() == [
        [1, 2, 0, 3, 4, 0, 0, 0, 0],
        [0, 1, 2, 0, 3, 4, 0, 0, 0],
        [0, 0, 0, 1, 2, 0, 3, 4, 0],
        [0, 0, 0, 0, 1, 2, 0, 3, 4],
    ]


def test_the_gradient_at_the_free_matrix_is_not_the_gradient_of_the_layer():
    """An update of W* by the dense product would fill its zeros and untie its weights."""
    tensors = integer_tensors(PLAIN, seed=3)
    nabla, image = tensors["grad_output"].reshape(4, 1), tensors["x"].reshape(9, 1)
    dense = nabla @ image.T
    pattern = sparse.convolution_matrix(np.arange(1.0, 5.0).reshape(1, 1, 2, 2), PLAIN).toarray()
    assert np.any(dense[pattern == 0] != 0)
    assert len({float(value) for value in dense[pattern == 1]}) > 1
    projection = [dense[pattern == tie].sum() for tie in (1, 2, 3, 4)]
    assert sparse.grad_weight(tensors["x"], tensors["grad_output"], PLAIN).ravel().tolist() == projection


@each
@pytest.mark.parametrize(
    ("operation", "name"),
    [("forward", "x"), ("forward", "weight"), ("forward", "bias"), ("grad_input", "grad_output"),
     ("grad_input", "weight"), ("grad_weight", "x"), ("grad_weight", "grad_output"), ("grad_bias", "grad_output")],
)  # fmt: skip
def test_a_tensor_of_the_wrong_shape_is_refused_by_name(reference, operation, name):
    tensors = integer_tensors(ODD)
    tensors[name] = tensors[name][..., :-1]
    arguments = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
                 "grad_weight": ("x", "grad_output"), "grad_bias": ("grad_output",)}[operation]  # fmt: skip
    with pytest.raises(TensorError, match=f"{name} must have shape"):
        getattr(reference, operation)(*(tensors[argument] for argument in arguments), ODD)
