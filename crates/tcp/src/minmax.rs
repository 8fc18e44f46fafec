//! The windowed minimum of `lib/win_minmax.c` (Linux 6.12; Kathleen Nichols' algorithm): best of a sliding time window,
//! with two runners-up so that it need not be kept in full.

use crate::sock::{minmax, minmax_sample};

impl minmax {
    /// Forgets everything but one sample (`minmax_reset()`).
    pub(crate) fn reset(&mut self, t: u32, v: u32) -> u32 {
        self.s = [minmax_sample { t, v }; 3];
        v
    }

    /// Takes a sample and gives the minimum of the last `window` ticks (`minmax_running_min()`).
    pub(crate) fn running_min(&mut self, window: u32, t: u32, v: u32) -> u32 {
        if v <= self.s[0].v || t.wrapping_sub(self.s[2].t) > window {
            return self.reset(t, v);
        }
        let sample = minmax_sample { t, v };
        if v <= self.s[1].v {
            self.s[1] = sample;
            self.s[2] = sample;
        } else if v <= self.s[2].v {
            self.s[2] = sample;
        }
        self.update(window, sample)
    }

    /// Moves the runners-up forward as the best ones leave the window (`minmax_subwin_update()`).
    fn update(&mut self, window: u32, sample: minmax_sample) -> u32 {
        let age = sample.t.wrapping_sub(self.s[0].t);
        if age > window {
            self.s = [self.s[1], self.s[2], sample];
            if sample.t.wrapping_sub(self.s[0].t) > window {
                self.s = [self.s[1], self.s[2], sample];
            }
        } else if self.s[1].t == self.s[0].t && age > window / 4 {
            self.s[1] = sample;
            self.s[2] = sample;
        } else if self.s[2].t == self.s[1].t && age > window / 2 {
            self.s[2] = sample;
        }
        self.s[0].v
    }
}

#[cfg(test)]
mod tests {
    use crate::sock::minmax;

    #[test]
    fn the_minimum_leaves_with_its_window() {
        let mut filter = minmax::default();
        filter.reset(0, 100);
        assert_eq!(filter.running_min(10, 1, 50), 50);
        assert_eq!(filter.running_min(10, 5, 70), 50);
        assert_eq!(filter.running_min(10, 9, 80), 50);
        assert_eq!(
            filter.running_min(10, 12, 90),
            70,
            "50 is out of the window, 70 is next"
        );
        assert_eq!(filter.running_min(10, 40, 95), 95, "all are out");
    }
}
