//! Entry points below [`Socket`](crate::Socket).
use crate::cell::Sk;
use crate::segment::Segment;
use net::Time;

impl Sk {
    /// Sets the clock at the beginning of a driving function.
    pub(crate) fn enter(&mut self, now: Time) {
        if now > self.clock.now {
            self.clock.now = now;
        }
        if !self.retired.is_empty() {
            self.retired.clear();
        }
    }
    pub(crate) fn connect(&mut self) {}
    pub(crate) fn listen(&mut self) {}
    pub(crate) fn rcv(&mut self, _segment: &Segment) {}
    pub(crate) fn push_pending_frames(&mut self) {}
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        None
    }
    pub(crate) fn run_timers(&mut self) {}
    pub(crate) fn app_write(&mut self, _bytes: Option<u64>) {}
    pub(crate) fn send_ack_of(&mut self, _rcv_nxt: u32) {}
    pub(crate) fn ecn_xmit_as_needed(&mut self) {}
}
