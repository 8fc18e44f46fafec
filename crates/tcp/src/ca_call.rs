//! The calls of a congestion control's operations: one method each, and nothing between it and the function but the test
//! for an absent member. Order and conditions of the calls are in `input/` and `recovery/`.

use crate::cell::Sk;
use crate::consts::tcp_ca_event;
use crate::sock::{ack_sample, rate_sample};

impl Sk {
    /// `ssthresh()`.
    pub(crate) fn ca_ssthresh(&mut self) -> u32 {
        let call = self.ca.table().ssthresh;
        // SAFETY: `OpsRef` promises a callable function; `self.raw()` is a live socket; no reference to it is alive.
        call.map_or(2, |f| unsafe { f(self.raw()) })
    }

    /// `cong_avoid()`.
    pub(crate) fn ca_cong_avoid(&mut self, ack: u32, acked: u32) {
        if let Some(f) = self.ca.table().cong_avoid {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw(), ack, acked) };
        }
    }

    /// `set_state()`.
    pub(crate) fn ca_set_state(&mut self, state: u8) {
        if let Some(f) = self.ca.table().set_state {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw(), state) };
        }
    }

    /// `cwnd_event()`.
    pub(crate) fn ca_event(&mut self, event: tcp_ca_event) {
        if let Some(f) = self.ca.table().cwnd_event {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw(), event) };
        }
    }

    /// `in_ack_event()` with `CA_ACK_*` flags.
    pub(crate) fn ca_in_ack_event(&mut self, flags: u32) {
        if let Some(f) = self.ca.table().in_ack_event {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw(), flags) };
        }
    }

    /// `pkts_acked()`.
    pub(crate) fn ca_pkts_acked(&mut self, sample: &ack_sample) {
        if let Some(f) = self.ca.table().pkts_acked {
            // SAFETY: as in `ca_ssthresh`; the sample lives during the call.
            unsafe { f(self.raw(), sample) };
        }
    }

    /// `min_tso_segs()`, if there is one.
    pub(crate) fn ca_min_tso_segs(&mut self) -> Option<u32> {
        let call = self.ca.table().min_tso_segs;
        // SAFETY: as in `ca_ssthresh`.
        call.map(|f| unsafe { f(self.raw()) })
    }

    /// Does the algorithm set window and pacing rate itself?
    pub(crate) fn ca_has_cong_control(&self) -> bool {
        self.ca.table().cong_control.is_some()
    }

    /// `cong_control()`; false if there is none.
    pub(crate) fn ca_cong_control(&mut self, ack: u32, flag: i32, sample: &rate_sample) -> bool {
        let Some(f) = self.ca.table().cong_control else {
            return false;
        };
        // SAFETY: as in `ca_ssthresh`; the sample lives during the call.
        unsafe { f(self.raw(), ack, flag, sample) };
        true
    }

    /// `undo_cwnd()`.
    pub(crate) fn ca_undo_cwnd(&mut self) -> u32 {
        let call = self.ca.table().undo_cwnd;
        // SAFETY: as in `ca_ssthresh`.
        call.map_or(self.tp.snd_cwnd, |f| unsafe { f(self.raw()) })
    }

    /// `sndbuf_expand()`, if there is one.
    pub(crate) fn ca_sndbuf_expand(&mut self) -> Option<u32> {
        let call = self.ca.table().sndbuf_expand;
        // SAFETY: as in `ca_ssthresh`.
        call.map(|f| unsafe { f(self.raw()) })
    }

    /// `init()`.
    pub(crate) fn ca_init(&mut self) {
        if let Some(f) = self.ca.table().init {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw()) };
        }
    }

    /// `release()`.
    pub(crate) fn ca_release(&mut self) {
        if let Some(f) = self.ca.table().release {
            // SAFETY: as in `ca_ssthresh`.
            unsafe { f(self.raw()) };
        }
    }
}
