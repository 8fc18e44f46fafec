//! [`Socket`], what users of this crate hold: one end of a TCP connection without a clock and without a network.
//!
//! The caller brings segments and time, and carries segments away:
//!
//! ```
//! use net::Time;
//! use tcp::{Config, Socket, ca::Registry};
//!
//! let registry = Registry::new();
//! let mut client = Socket::new(Config::default(), registry.default_ops());
//! let mut server = Socket::new(Config::default(), registry.default_ops());
//! let now = Time::from_secs(1);
//! server.listen(now);
//! client.connect(now);
//! while let Some(segment) = client.poll_output(now) {
//!     server.input(&segment, now);
//! }
//! ```

use crate::block::Block;
use crate::ca::{CaError, OpsRef};
use crate::cell::Sk;
use crate::config::Config;
use crate::info::Info;
use crate::segment::Segment;
use crate::sock::tcp_sock;
use net::Time;

/// One end of a connection.
///
/// Every driving function takes the present time, which must not run backwards. After each of them, take the segments with
/// [`Socket::poll_output`] until there is none, then ask [`Socket::next_timeout`] when to come back at the latest. Begin
/// at a time other than zero: as in Linux, a stamp of zero means "none".
pub struct Socket {
    pub(crate) sk: Sk,
}

impl Socket {
    /// A closed socket that uses `ops` (`tcp_assign_congestion_control`); its `init` runs when the connection stands.
    #[must_use]
    pub fn new(config: Config, ops: OpsRef) -> Self {
        Self {
            sk: Sk::new(Block::new(config, ops)),
        }
    }

    /// Sends a SYN.
    pub fn connect(&mut self, now: Time) {
        self.sk.enter(now);
        self.sk.connect();
    }

    /// Waits for a SYN. This socket itself becomes the connection; there is no queue of requests.
    pub fn listen(&mut self, now: Time) {
        self.sk.enter(now);
        self.sk.listen();
    }

    /// A segment has arrived.
    pub fn input(&mut self, segment: &Segment, now: Time) {
        self.sk.enter(now);
        self.sk.rcv(segment);
    }

    /// The next segment to leave at `now`, if any. The segments of one TSO burst come one after the other.
    pub fn poll_output(&mut self, now: Time) -> Option<Segment> {
        if let Some(segment) = self.sk.out.pop_front() {
            return Some(segment);
        }
        self.sk.enter(now);
        self.sk.push_written();
        self.sk.out.pop_front()
    }

    /// When [`Socket::on_timeout`] must be called, if nothing else happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.sk.next_timeout()
    }

    /// Runs the timers that are due at `now`; harmless when none is.
    pub fn on_timeout(&mut self, now: Time) {
        self.sk.enter(now);
        self.sk.run_timers();
    }

    /// The application writes `bytes` more. They wait until the connection stands.
    pub fn send(&mut self, bytes: u64) {
        self.sk.app_write(Some(bytes));
    }

    /// The application writes for ever.
    pub fn send_unlimited(&mut self) {
        self.sk.app_write(None);
    }

    /// `setsockopt(TCP_CONGESTION)` with a table that may be chosen: `release` of the old one, zeroed private memory, and on
    /// a connection that stands `init` of the new one at once. Window, threshold and state stay. Nothing happens when it
    /// is the table in use.
    ///
    /// # Errors
    /// None at present; the signature leaves room for a socket whose algorithm is locked.
    pub fn set_congestion_control(&mut self, ops: OpsRef, now: Time) -> Result<(), CaError> {
        self.sk.enter(now);
        self.sk.change_congestion_control(ops);
        Ok(())
    }

    /// The table in use.
    #[must_use]
    pub fn congestion_control(&self) -> &OpsRef {
        &self.sk.ca
    }

    /// A snapshot of the connection.
    #[must_use]
    pub fn info(&self) -> Info {
        self.sk.info()
    }

    /// The state itself, for tests and traces.
    #[must_use]
    pub fn tcp_sock(&self) -> &tcp_sock {
        &self.sk.tp
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket")
            .field("cc", &self.sk.ca)
            .field("info", &self.info())
            .finish()
    }
}
