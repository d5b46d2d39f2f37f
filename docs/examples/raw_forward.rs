// rustc --edition 2021 -O raw_forward.rs && ./raw_forward FOLDER     after refconv export SUITE --format raw --out FOLDER
// float32, forward; the standard library alone.
use std::{collections::HashMap, env, fs, path::Path, process::exit};

fn floats(path: &Path) -> Option<Vec<f32>> {
    let bytes = fs::read(path).ok()?;
    Some(bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect())
}

fn convolve(n: &HashMap<&str, i64>, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let get = |name: &str| n[name];
    let (c, k, h, w, kh, kw, oh, ow) = (get("C") / get("G"), get("K"), get("H"), get("W"), get("kH"), get("kW"), get("oH"), get("oW"));
    let mut y = Vec::new();
    for batch in 0..get("N") { for out in 0..k { for row in 0..oh { for column in 0..ow {
        let mut sum = bias.map_or(0.0, |b| b[out as usize] as f64);
        for channel in 0..c { for i in 0..kh { for j in 0..kw {
            let (ih, iw) = (row * get("sH") - get("top") + i * get("dH"), column * get("sW") - get("left") + j * get("dW"));
            if ih < 0 || ih >= h || iw < 0 || iw >= w { continue; }
            let place = batch * get("C") + out / (k / get("G")) * c + channel;
            sum += x[((place * h + ih) * w + iw) as usize] as f64 * weight[(((out * c + channel) * kh + i) * kw + j) as usize] as f64;
        }}}
        y.push(sum as f32);
    }}}}
    y
}

fn main() {
    let folder = env::args().nth(1).expect("the folder of the export");
    let folder = Path::new(&folder);
    let table = fs::read_to_string(folder.join("index.tsv")).expect("index.tsv");
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let (mut passed, mut failed) = (0, 0);
    for cells in lines {
        let row: HashMap<&str, &str> = head.iter().copied().zip(cells).collect();
        if row["operation"] != "forward" || row["x_dtype"] != "float32" { continue; }
        let numbers = row.iter().filter_map(|(name, cell)| Some((*name, cell.parse().ok()?))).collect();
        let tensor = |name: &str| floats(&folder.join(row[name]));
        let golden = |part: &str| floats(&folder.join(format!("{}.forward.{part}.bin", row["case"])));
        let got = convolve(&numbers, &tensor("x").unwrap(), &tensor("weight").unwrap(), tensor("bias").as_deref());
        let Some(exact) = golden("expected") else { continue }; // a choice has one file for each policy
        let (lo, hi) = (golden("lo"), golden("hi"));
        let right = got.len() == exact.len() && (0..got.len()).all(|i| {
            let allowed = lo.as_ref().zip(hi.as_ref()).is_some_and(|(lo, hi)| lo[i] <= got[i] && got[i] <= hi[i]);
            got[i] == exact[i] || (got[i].is_nan() && exact[i].is_nan()) || allowed
        });
        if right { passed += 1 } else { failed += 1; println!("FAIL {}", row["case"]) }
    }
    println!("{passed} passed, {failed} failed");
    exit((failed > 0 || passed == 0) as i32);
}
