//! The branches that lead to a point of a path, shared between paths, to be told in a rejection.

/// A path from the start: the index of its last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trail(u32);

impl Trail {
    /// No branch yet.
    pub(crate) const START: Self = Self(0);
}

/// All steps of a verification.
#[derive(Debug, Default)]
pub(crate) struct Trails {
    /// Where the step came from, the slot of the jump, and whether it was taken.
    steps: Vec<(Trail, u32, bool)>,
}

impl Trails {
    /// `from`, and then this branch.
    pub(crate) fn step(&mut self, from: Trail, slot: u32, taken: bool) -> Trail {
        self.steps.push((from, slot, taken));
        // The work limit keeps this far below 2^32.
        Trail(self.steps.len() as u32)
    }

    /// The branches in order, at most the last `max`.
    pub(crate) fn list(&self, mut trail: Trail, max: usize) -> Vec<(u32, bool)> {
        let mut out = Vec::new();
        while let Some(&(from, slot, taken)) = (trail.0 as usize).checked_sub(1).and_then(|at| self.steps.get(at)) {
            if out.len() == max {
                break;
            }
            out.push((slot, taken));
            trail = from;
        }
        out.reverse();
        out
    }
}
