//! What each driving function of [`Socket`](crate::Socket) does first.

use crate::cell::Sk;
use net::Time;

impl Sk {
    /// Sets the clock, which never runs backwards, and lets go of tables that no operation can be running of any more.
    pub(crate) fn enter(&mut self, now: Time) {
        self.clock.now = self.clock.now.max(now);
        if !self.retired.is_empty() {
            self.retired.clear();
        }
    }
}
