//! The application on the sending side: it writes a number of bytes or without end. After `tcp_sendmsg_locked()`
//! (net/ipv4/tcp.c, Linux 6.12) as far as the sender's pace depends on it.

use crate::cell::Sk;
use crate::consts::state;
use crate::info::Limit;

/// What the application still has to write.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct App {
    /// Bytes not yet in the socket's buffer; `u64::MAX` = without end.
    left: u64,
    /// It has written since the sender looked last.
    written: bool,
}

impl Sk {
    /// The application writes `bytes` more, or without end.
    pub(crate) fn app_write(&mut self, bytes: Option<u64>) {
        if self.state() == state::ESTABLISHED {
            self.mstamp_refresh();
            self.rate_check_app_limited();
            if self.unsent() == 0 {
                self.slow_start_after_idle_check();
            }
        }
        self.app.written = true;
        self.app.left = bytes.map_or(u64::MAX, |bytes| self.app.left.saturating_add(bytes));
    }

    /// Sends what the application has just written, if the connection stands.
    pub(crate) fn push_written(&mut self) {
        if self.app.written && self.state() == state::ESTABLISHED {
            self.app.written = false;
            self.push_pending_frames();
        }
    }

    /// Moves bytes from the application into the buffer, so that the sender never sees its end before the application's.
    pub(crate) fn app_fill(&mut self) {
        let room = BUFFER.saturating_sub(self.unsent());
        let held = self.tp.write_seq.wrapping_sub(self.tp.snd_una);
        let space = self.config.send_space.saturating_sub(held);
        if room < BUFFER / 2
            || space == 0
            || self.app.left == 0
            || !matches!(self.state(), state::ESTABLISHED | state::CLOSE_WAIT)
        {
            return;
        }
        let bytes = u64::from(room.min(space)).min(self.app.left);
        if self.app.left != u64::MAX {
            self.app.left -= bytes;
        }
        self.tp.write_seq = self.tp.write_seq.wrapping_add(bytes as u32);
    }
}

impl Sk {
    /// Why there is nothing more to send.
    pub(crate) fn app_limit(&self) -> Limit {
        match self.app.left {
            0 => Limit::Application,
            _ => Limit::SendBuffer,
        }
    }
}

/// Bytes that lie unsent in the buffer at most.
const BUFFER: u32 = 512 << 10;
