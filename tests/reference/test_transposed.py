"""The three references of the transposed convolution agree with each other, with hand-computed answers, with PyTorch
and with the convolution whose adjoint they are."""

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import hold_the_wider_dtype, integer_tensors, real_tensors, run, transposed_problems

from refconv import TensorError, TransposedProblem, exact
from refconv import reference as references
from refconv.formats import get_format
from refconv.reference.transposed import direct, im2col, sparse

REFERENCES = [direct, sparse, im2col]
each = pytest.mark.parametrize("reference", REFERENCES, ids=lambda module: module.name)
OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
ODD = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 5), kernel_size=(3, 2),
                        stride=(2, 1), dilation=(1, 2), padding=((1, 0), (0, 2)), output_padding=(1, 1))  # fmt: skip


@settings(max_examples=150)
@given(transposed_problems(), st.integers(0, 2**32 - 1))
def test_the_three_references_agree_exactly_on_every_legal_problem(problem, seed):
    tensors = integer_tensors(problem, seed)
    truth, *others = (run(reference, tensors, problem) for reference in REFERENCES)
    for operation, expected in truth.items():
        for other in others:
            assert other[operation].shape == expected.shape
            assert other[operation].dtype == expected.dtype
            np.testing.assert_array_equal(other[operation], expected)


def test_each_reference_says_its_name_by_which_files_and_messages_call_it():
    assert [reference.name for reference in REFERENCES] == ["direct", "sparse", "im2col"]


@each
def test_a_signal_by_hand(reference):
    """[1, 2, 3] at stride 2 with the kernel [1, 10, 100]; one element is cut off, one added, a bias of 5 everywhere."""
    problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(3,), stride=(2,),
                                padding=((1, 0),), output_padding=(1,))  # fmt: skip
    x, weight = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0, 100.0]]])
    y = reference.forward(x, weight, np.array([5.0]), problem)
    assert y.ravel().tolist() == [15, 107, 25, 208, 35, 305, 5]
    g = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]])
    assert reference.grad_input(g, weight, problem).ravel().tolist() == [210, 432, 654]
    assert reference.grad_weight(x, g, problem).ravel().tolist() == [16, 22, 28]
    assert reference.grad_bias(g, problem).tolist() == [28]


@each
def test_every_group_has_channels_and_a_bias_of_its_own(reference):
    tensors = integer_tensors(ODD)
    half = TransposedProblem(batch=2, in_channels=2, out_channels=3, input_size=(3, 5), kernel_size=(3, 2),
                             stride=(2, 1), dilation=(1, 2), padding=((1, 0), (0, 2)),
                             output_padding=(1, 1))  # fmt: skip
    parts = [reference.forward(tensors["x"][:, 2 * g : 2 * g + 2], tensors["weight"][2 * g : 2 * g + 2],
                               tensors["bias"][3 * g : 3 * g + 3], half) for g in range(2)]  # fmt: skip
    whole = reference.forward(tensors["x"], tensors["weight"], tensors["bias"], ODD)
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))


@each
@settings(max_examples=60)
@given(problem=transposed_problems(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_the_gradients_are_the_adjoints_of_the_layer(reference, problem, seed):
    t = integer_tensors(problem, seed)
    g, results = t["grad_output"], run(reference, t, problem)
    bilinear = np.sum(g * reference.forward(t["x"], t["weight"], None, problem))
    assert np.sum(results["grad_input"] * t["x"]) == bilinear
    assert np.sum(results["grad_weight"] * t["weight"]) == bilinear
    assert np.sum(results["grad_bias"] * t["bias"]) == np.sum(g * t["bias"].reshape(-1, *[1] * len(problem.input_size)))


@pytest.mark.parametrize("convolution", [references.direct, references.sparse, references.im2col], ids=lambda m: m.name)
@each
@settings(max_examples=30)
@given(problem=transposed_problems(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_the_layer_is_the_adjoint_of_the_convolution_by_whatever_method(reference, convolution, problem, seed):
    t = integer_tensors(problem, seed)
    y = reference.forward(t["x"], t["weight"], None, problem)
    np.testing.assert_array_equal(y, convolution.grad_input(t["x"], t["weight"], problem.adjoint))
    gradient = reference.grad_input(t["grad_output"], t["weight"], problem)
    np.testing.assert_array_equal(gradient, convolution.forward(t["grad_output"], t["weight"], None, problem.adjoint))


def test_the_layer_is_multiplication_by_the_transposed_matrix():
    tensors = integer_tensors(ODD)
    matrix = references.sparse.convolution_matrix(tensors["weight"], ODD.adjoint).toarray()
    y = direct.forward(tensors["x"], tensors["weight"], None, ODD)
    np.testing.assert_array_equal(y.reshape(2, -1), tensors["x"].reshape(2, -1) @ matrix)


@pytest.mark.oracle
@each
@settings(max_examples=60)
@given(problem=transposed_problems(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_autograd_says_the_same(reference, problem, seed):
    torch = pytest.importorskip("torch")
    tensors = integer_tensors(problem, seed)
    x, weight, bias = (torch.tensor(tensors[name], requires_grad=True) for name in ("x", "weight", "bias"))
    layer = getattr(torch.nn.functional, f"conv_transpose{len(problem.input_size)}d")
    even = all(begin == end >= 0 for begin, end in problem.padding)
    padding = tuple(begin for begin, _ in problem.padding) if even else 0
    extra = problem.output_padding if even else 0
    y = layer(x, weight, None, problem.stride, padding, extra, problem.groups, problem.dilation)
    if not even:
        pairs = zip(problem.padding, problem.output_padding, strict=True)
        cut = [(-begin, more - end) for (begin, end), more in pairs]
        y = torch.nn.functional.pad(y, [size for pair in reversed(cut) for size in pair])
    y = y + bias.reshape(-1, *[1] * len(problem.input_size))
    y.backward(torch.tensor(tensors["grad_output"]))
    got = run(reference, tensors, problem)
    np.testing.assert_array_equal(got["forward"], y.detach().numpy())
    for operation, tensor in (("grad_input", x), ("grad_weight", weight), ("grad_bias", bias)):
        np.testing.assert_array_equal(got[operation], tensor.grad.numpy())


@pytest.mark.oracle
@settings(max_examples=60)
@given(problem=transposed_problems(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_the_engine_of_pytorch_says_the_same(problem, seed):
    from refconv.implementations.torch_engine import create

    tensors = integer_tensors(problem, seed)
    expected, got = run(direct, tensors, problem), run(create(), tensors, problem)
    for operation in OPERATIONS:
        np.testing.assert_array_equal(got[operation], expected[operation])


@settings(max_examples=40)
@given(transposed_problems(), st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 400]), st.sampled_from(OPERATIONS))
def test_exact_results_have_the_same_bytes_by_all_references_in_every_format(problem, seed, binades, operation):
    tensors = real_tensors(problem, seed, binades)
    sums = [exact.exact_sum(operation, tensors, problem, reference) for reference in REFERENCES]
    for name in ("float64", "float32", "bfloat16"):
        first, *others = (total.round(get_format(name)).tobytes() for total in sums)
        assert all(other == first for other in others)
    magnitudes = [exact.exact_magnitude(operation, tensors, problem, reference) for reference in REFERENCES]
    assert len({total.round(get_format("float64"), upward=True).tobytes() for total in magnitudes}) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("batch", "inputs", "outputs"), [(0, 1, 1), (1, 0, 2), (2, 2, 0), (0, 0, 0)])
def test_without_images_or_channels_all_references_give_the_same_sums(operation, batch, inputs, outputs):
    channels = {"in_channels": inputs, "out_channels": outputs}
    problem = TransposedProblem(batch=batch, **channels, input_size=(2, 3), kernel_size=(1, 2))
    tensors = real_tensors(problem, 0, 0)
    sums = [exact.exact_sum(operation, tensors, problem, reference) for reference in REFERENCES]
    results = [total.round(get_format("float64")) for total in sums]
    assert {result.shape for result in results} == {problem.shape_of({"forward": "y"}.get(operation, operation))}
    assert len({result.tobytes() for result in results}) == 1


@each
@settings(max_examples=40)
@given(problem=transposed_problems(), operation=st.sampled_from(OPERATIONS))
def test_the_number_of_terms_is_that_of_the_products_and_varies_with_the_place(reference, problem, operation):
    counted = np.zeros(problem.shape_of(operation), np.int64)
    which = {"forward": 0, "grad_input": 1, "grad_weight": 2}
    if operation == "grad_bias":
        counted += problem.batch * int(np.prod(problem.output_size))
    else:
        for product in direct.products(problem):
            counted[product[which[operation]]] += 1
    found = exact.count_terms(operation, {"bias": None}, problem, reference)
    np.testing.assert_array_equal(found, counted)
    assert counted.max(initial=0) <= problem.reduction_length(operation)


@each
def test_special_values_go_where_the_products_go(reference):
    """An infinity reaches the outputs of its kernel and no others; a zero weight makes it NaN."""
    problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,), stride=(2,))
    x, weight = np.array([[[1.0, np.inf, 2.0]]]), np.array([[[3.0, 0.0]]])
    y = exact.exact_sum("forward", {"x": x, "weight": weight}, problem, reference).round(get_format("float32"))
    np.testing.assert_array_equal(y.ravel(), [3, 0, np.inf, np.nan, 6, 0])


@each
@pytest.mark.parametrize("wide", ["x", "weight", "bias", "grad_output"])
def test_of_tensors_of_two_dtypes_the_wider_one_is_that_of_what_they_make(reference, wide):
    hold_the_wider_dtype(reference, direct, ODD, wide)


def test_im2col_keeps_to_the_array_api():
    tensors = integer_tensors(ODD)
    strict = {name: array_api_strict.asarray(tensor) for name, tensor in tensors.items()}
    expected, got = run(direct, tensors, ODD), run(im2col, strict, ODD)
    for operation in OPERATIONS:
        np.testing.assert_array_equal(np.asarray(got[operation]), expected[operation])


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
    with pytest.raises(TensorError, match=f"{name} must have shape .* for t-n2c4"):
        getattr(reference, operation)(*(tensors[argument] for argument in arguments), ODD)
