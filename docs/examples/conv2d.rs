// rustc -O --crate-type cdylib conv2d.rs -o libconv2d_rs.so && refconv check ./libconv2d_rs.so
// float32 with an accumulator of float64; forward and gradients.
use std::slice::{from_raw_parts, from_raw_parts_mut};

#[repr(C)]
pub struct Tensor { size: u32, dtype: i32, ndim: i32, reserved: i32, shape: [i64; 5], data: *mut f32 }

#[repr(C)]
pub struct Problem {
    size: u32, axes: i32, overflow: i32, reserved: i32, batch: i64, in_channels: i64, out_channels: i64, groups: i64,
    input_size: [i64; 3], kernel_size: [i64; 3], output_size: [i64; 3], stride: [i64; 3], dilation: [i64; 3],
    padding_begin: [i64; 3], padding_end: [i64; 3],
}

const OK: i32 = 0;
const UNSUPPORTED: i32 = 1;
const FLOAT32: i32 = 2;

fn length(t: &Tensor) -> usize { t.shape[..t.ndim as usize].iter().product::<i64>() as usize }

/// Call back with (x, weight, y) for every product: the places of its factors and of its output.
fn products(p: &Problem, mut visit: impl FnMut(usize, usize, usize)) {
    let (c_group, k_group) = (p.in_channels / p.groups, p.out_channels / p.groups);
    let ([h, w, _], [kh_end, kw_end, _], [oh_end, ow_end, _]) = (p.input_size, p.kernel_size, p.output_size);
    for n in 0..p.batch { for k in 0..p.out_channels { for oh in 0..oh_end { for ow in 0..ow_end {
        for c in 0..c_group { for kh in 0..kh_end { for kw in 0..kw_end {
            let ih = oh * p.stride[0] - p.padding_begin[0] + kh * p.dilation[0];
            let iw = ow * p.stride[1] - p.padding_begin[1] + kw * p.dilation[1];
            if ih < 0 || ih >= h || iw < 0 || iw >= w { continue; }
            let channel = k / k_group * c_group + c;
            visit((((n * p.in_channels + channel) * h + ih) * w + iw) as usize,
                  (((k * c_group + c) * kh_end + kh) * kw_end + kw) as usize,
                  (((n * p.out_channels + k) * oh_end + oh) * ow_end + ow) as usize);
        }}}
    }}}}
}

/// Add up `terms` into a tensor of float32.
fn sum(tensors: &[&Tensor], out: &Tensor, terms: impl FnOnce(&mut [f64])) -> i32 {
    if out.dtype != FLOAT32 || tensors.iter().any(|t| t.dtype != FLOAT32) { return UNSUPPORTED; }
    let mut sums = vec![0.0; length(out)];
    terms(&mut sums);
    let target = unsafe { from_raw_parts_mut(out.data, sums.len()) };
    for (to, from) in target.iter_mut().zip(sums) { *to = from as f32; }
    OK
}

fn numbers(t: &Tensor) -> &[f32] { unsafe { from_raw_parts(t.data, length(t)) } }
fn product(a: f32, b: f32) -> f64 { a as f64 * b as f64 }

#[no_mangle]
pub extern "C" fn refconv_abi_version() -> i32 { 1 }

#[no_mangle]
pub extern "C" fn refconv_forward(p: &Problem, x: &Tensor, w: &Tensor, b: Option<&Tensor>, y: &Tensor, _: *mut u8, _: usize) -> i32 {
    sum(&[x, w], y, |sums| {
        let area = (p.output_size[0] * p.output_size[1]).max(1) as usize;
        if let Some(bias) = b {
            for (i, to) in sums.iter_mut().enumerate() { *to = numbers(bias)[i / area % p.out_channels as usize] as f64; }
        }
        products(p, |ix, iw, iy| sums[iy] += product(numbers(x)[ix], numbers(w)[iw]));
    })
}

#[no_mangle]
pub extern "C" fn refconv_grad_input(p: &Problem, g: &Tensor, w: &Tensor, out: &Tensor, _: *mut u8, _: usize) -> i32 {
    sum(&[g, w], out, |sums| products(p, |ix, iw, iy| sums[ix] += product(numbers(g)[iy], numbers(w)[iw])))
}

#[no_mangle]
pub extern "C" fn refconv_grad_weight(p: &Problem, x: &Tensor, g: &Tensor, out: &Tensor, _: *mut u8, _: usize) -> i32 {
    sum(&[x, g], out, |sums| products(p, |ix, iw, iy| sums[iw] += product(numbers(x)[ix], numbers(g)[iy])))
}

#[no_mangle]
pub extern "C" fn refconv_grad_bias(p: &Problem, g: &Tensor, out: &Tensor, _: *mut u8, _: usize) -> i32 {
    sum(&[g], out, |sums| {
        let area = (p.output_size[0] * p.output_size[1]).max(1) as usize;
        for (i, value) in numbers(g).iter().enumerate() { sums[i / area % p.out_channels as usize] += *value as f64; }
    })
}
