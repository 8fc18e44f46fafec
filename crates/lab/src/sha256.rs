//! SHA-256 (FIPS 180-4), so that a report names objects as `sha256sum` does. Here because it is forty lines, and the only use of a digest in the project.

/// The digest of `bytes` in hexadecimal.
///
/// ```
/// assert_eq!(&lab::sha256(b"abc")[..16], "ba7816bf8f01cfea");
/// ```
pub fn sha256(bytes: &[u8]) -> String {
    let mut state = first_words_of_roots(2, 8);
    let constants = first_words_of_roots(3, 64);
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend((bytes.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(64) {
        compress(&mut state, block, &constants);
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

/// Section 6.2.2.
fn compress(state: &mut [u32], block: &[u8], constants: &[u32]) {
    let mut schedule: Vec<u32> = block
        .chunks_exact(4)
        .map(|word| word.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
        .collect();
    for t in 16..64 {
        let (a, b) = (schedule[t - 15], schedule[t - 2]);
        let small0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let small1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        let sum = schedule[t - 16].wrapping_add(small0).wrapping_add(schedule[t - 7]);
        schedule.push(sum.wrapping_add(small1));
    }
    let mut v = state.to_vec();
    for (word, constant) in schedule.iter().zip(constants) {
        let big1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
        let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
        let first = [v[7], big1, choice, *constant, *word]
            .into_iter()
            .fold(0, u32::wrapping_add);
        let big0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
        let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        v.rotate_right(1);
        v[4] = v[4].wrapping_add(first);
        v[0] = first.wrapping_add(big0).wrapping_add(majority);
    }
    for (word, after) in state.iter_mut().zip(v) {
        *word = word.wrapping_add(after);
    }
}

/// The first 32 bits of the fractional parts of the roots of the first primes, which all constants are (sections 4.2.2 and 5.3.3): the largest `r` whose power
/// is at most the prime shifted by 32 bits for each root taken.
fn first_words_of_roots(power: u32, count: usize) -> Vec<u32> {
    let primes = (2_u128..).filter(|n| (2..*n).all(|d| n % d != 0));
    primes
        .take(count)
        .map(|prime| {
            let target = prime << (32 * power);
            let root = (0..36).rev().fold(0_u128, |root, bit| {
                let larger = root | 1 << bit;
                if larger.pow(power) <= target { larger } else { root }
            });
            root as u32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sha256;

    /// `sha256sum` of the same bytes.
    #[test]
    fn digests() {
        for (bytes, digest) in [
            (
                &b""[..],
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                &[b'a'; 1000],
                "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
            ),
        ] {
            assert_eq!(sha256(bytes), digest, "{} bytes", bytes.len());
        }
    }
}
