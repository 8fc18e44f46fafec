//! Did you mean: the known name that a mistyped one is closest to.

/// The known name that was probably meant, if one is close enough: the same but for capitals or the `bpf_` that shipped algorithms begin with, else the one
/// with the fewest letters added, left out, exchanged or swapped with their neighbour, at most one in three.
///
/// ```
/// assert_eq!(opswap::similar("reno", ["bpf_cubic", "bpf_reno"]), Some("bpf_reno"));
/// assert_eq!(opswap::similar("cibuc", ["reno", "cubic"]), None);
/// assert_eq!(opswap::similar("cubci", ["reno", "cubic"]), Some("cubic"));
/// ```
pub fn similar<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let bare = |name: &str| name.to_ascii_lowercase().trim_start_matches("bpf_").to_owned();
    let wanted: Vec<char> = bare(typed).chars().take(LONGEST).collect();
    let distances = known.into_iter().filter(|name| *name != typed).map(|name| {
        let name_bare: Vec<char> = bare(name).chars().take(LONGEST).collect();
        (distance(&wanted, &name_bare), name)
    });
    let (distance, name) = distances.min()?;
    (distance <= wanted.len() / 3).then_some(name)
}

/// Names of kernels have at most 15 characters, those of files more; beyond this nobody compares them by eye.
const LONGEST: usize = 64;

/// Letters added, left out, exchanged, or swapped with their neighbour (Damerau and Levenshtein, no letter twice).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let exchanged = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = exchanged.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_be_meant() {
        for (typed, known, meant) in [
            ("reno", &["bpf_reno", "bpf_cubic"][..], Some("bpf_reno")),
            ("bpf_reno", &["reno"], Some("reno")),
            ("Cubic", &["cubic"], Some("cubic")),
            ("cubik", &["reno", "cubic", "dctcp"], Some("cubic")),
            ("SO1003", &["SO1001", "SO2003"], Some("SO1001")),
            (
                "tcp_congestion_op",
                &["tcp_congestion_ops", "bpf_dummy_ops"],
                Some("tcp_congestion_ops"),
            ),
            ("bbr", &["reno", "cubic"], None),
            ("cubic", &["cubic"], None),
            ("", &["reno"], None),
            ("x", &["y"], None),
        ] {
            assert_eq!(similar(typed, known.iter().copied()), meant, "{typed}");
        }
    }
}
