//! Packets that a path loses without a full queue: at random, or every so many.

use crate::rng::Rng;

/// A model of loss; asked once for each packet, in order.
#[derive(Clone, Debug)]
pub struct Loss {
    random: Option<(f64, Rng)>,
    every: Option<u64>,
    seen: u64,
}

impl Loss {
    /// Nothing is lost.
    pub const fn none() -> Self {
        Self {
            random: None,
            every: None,
            seen: 0,
        }
    }

    /// Each packet is lost with this probability, independently.
    pub fn random(probability: f64, rng: Rng) -> Self {
        Self {
            random: Some((probability, rng)),
            ..Self::none()
        }
    }

    /// The packet number `every`, twice `every`, … is lost; the deterministic loss of RFC 9438's tables. Zero loses nothing.
    pub const fn every(every: u64) -> Self {
        Self {
            random: None,
            every: Some(every),
            seen: 0,
        }
    }

    /// Both: lost if either model says so.
    #[must_use]
    pub const fn and_every(mut self, every: u64) -> Self {
        self.every = Some(every);
        self
    }

    /// Whether the next packet is lost.
    pub fn loses_next(&mut self) -> bool {
        self.seen += 1;
        let random = self
            .random
            .as_mut()
            .is_some_and(|(probability, rng)| rng.chance(*probability));
        let counted = self
            .every
            .is_some_and(|every| every > 0 && self.seen.is_multiple_of(every));
        random || counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_is_exactly_every_third() {
        let mut loss = Loss::every(3);
        let lost: Vec<bool> = (0..7).map(|_| loss.loses_next()).collect();
        assert_eq!(lost, [false, false, true, false, false, true, false]);
        assert!(!Loss::every(0).loses_next());
    }

    #[test]
    fn random_loss_is_the_seed_s() {
        let draw = |seed| {
            let mut loss = Loss::random(0.1, Rng::new(seed));
            (0..1000).map(|_| loss.loses_next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let lost = draw(1).iter().filter(|lost| **lost).count();
        assert!((70..130).contains(&lost), "{lost}");
    }
}
