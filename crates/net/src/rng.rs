//! Seeded random numbers: the same seed gives the same numbers on every machine and in every version of this project.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A seeded generator (PCG, 128-bit state). Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng(Pcg64Mcg);

impl Rng {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// A generator for one purpose (`stream`) of an experiment: independent of those for other purposes, so that adding a consumer of random
    /// numbers does not change what the others see.
    pub fn for_stream(seed: u64, stream: u64) -> Self {
        // Both words go through the generator's own seeding, which mixes them; the odd constant keeps (seed, stream) pairs apart.
        let mut first = Self::new(seed);
        let mixed = first.next_u64() ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self::new(mixed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number in `0..bound`; zero if `bound` is zero. The bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// A number in `0.0..1.0` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability; never for 0 or less, always for 1 or more.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first<const N: usize>(mut rng: Rng) -> [u64; N] {
        std::array::from_fn(|_| rng.next_u64())
    }

    /// The numbers that the authors of PCG give for this generator (`mcg_xsl_rr_128_64`, state 42).
    #[test]
    fn the_generator_is_the_published_one() {
        let published = [
            0x63b4_a3a8_13ce_700a,
            0x3829_5420_0617_ab24,
            0xa7fd_85ae_3fe9_50ce,
            0xd715_286a_a288_7737,
            0x60c9_2fee_2e59_f32c,
            0x84c4_e96b_eff3_0017,
        ];
        assert_eq!(first(Rng(Pcg64Mcg::new(42))), published);
    }

    /// Worked out apart from this program, from the publications of PCG (the generator; PCG32, which spreads a seed over the state).
    #[test]
    fn the_numbers_of_a_seed_are_pinned() {
        let of_seed = [
            (0, [0x5603_f242_407d_eca2, 0xd684_5f75_e9e2_1acd]),
            (1, [0xdb51_d062_deef_2483, 0x2336_c550_332b_3e7f]),
            (2026, [0x5e8a_fd52_5da0_9609, 0xb486_9673_26ee_f2f2]),
            (u64::MAX, [0x5620_7b6e_62ad_3e8b, 0xc538_d799_c40d_09bc]),
        ];
        for (seed, numbers) in of_seed {
            assert_eq!(first(Rng::new(seed)), numbers, "seed {seed}");
        }
        let of_stream = [
            (1, 0, 0x22e8_818e_5e7c_c69c),
            (1, 1, 0x76c7_2467_a9ff_673f),
            (7, u64::MAX, 0x67bf_8a26_e3e9_c5e7),
        ];
        for (seed, stream, number) in of_stream {
            assert_eq!(
                first(Rng::for_stream(seed, stream)),
                [number],
                "seed {seed}, stream {stream}"
            );
        }
        let mut rng = Rng::new(3);
        assert_eq!([(); 8].map(|()| rng.below(10)), [2, 7, 7, 2, 3, 2, 5, 9]);
        let mut rng = Rng::new(3);
        assert_eq!(
            [(); 2].map(|()| rng.unit()),
            [0.224_257_286_328_517_6, 0.705_002_245_198_167_5]
        );
    }

    #[test]
    fn chance_meets_its_probability() {
        let mut rng = Rng::new(7);
        let hits = (0..100_000).filter(|_| rng.chance(0.01)).count();
        assert!((900..1100).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| !rng.chance(0.0)));
        assert!((0..1000).all(|_| rng.chance(1.0)));
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(3);
        let mut seen = [false; 10];
        for _ in 0..1000 {
            seen[rng.below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(rng.below(0), 0);
    }
}
