//! ECN after RFC 3168, both sides, and the hooks that DCTCP (RFC 8257) hangs on: `tcp_ecn_*()` (net/ipv4/tcp_input.c and
//! tcp_output.c, Linux 6.12). AccECN, which 6.18 has, is not modelled.

use crate::cell::Sk;
use crate::config::EcnMode;
use crate::consts::{ecn_flags, icsk_ack_state, tcp_ca_event};
use crate::segment::{Flags, Segment};
use crate::seq::before;
use net::Ecn;

impl Sk {
    /// `INET_ECN_xmit()` if the algorithm needs ECN, else `INET_ECN_dontxmit()`.
    pub(crate) fn ecn_xmit_as_needed(&mut self) {
        let on = self.ca_needs_ecn();
        self.ecn_xmit(on);
    }

    fn ecn_xmit(&mut self, on: bool) {
        let tos = &mut self.tp.inet_conn.icsk_inet.tos;
        *tos = (*tos & !3) | if on { ECT_0 } else { 0 };
    }

    /// The ECN field of the next packet.
    pub(crate) fn ecn_field(&self) -> Ecn {
        if self.tp.inet_conn.icsk_inet.tos & 3 == ECT_0 {
            Ecn::Ect0
        } else {
            Ecn::NotEct
        }
    }

    /// `tcp_ecn_send_syn()`: the flags that ask for ECN, if it is to be asked for.
    pub(crate) fn ecn_send_syn(&mut self) -> Flags {
        let use_ecn = self.config.ecn == EcnMode::On || self.ca_needs_ecn();
        self.tp.ecn_flags = 0;
        if !use_ecn {
            return Flags::default();
        }
        self.tp.ecn_flags = ecn_flags::OK;
        self.ecn_xmit_as_needed();
        Flags::ECE.with(Flags::CWR)
    }

    /// `tcp_ecn_create_request()`: does this side grant what the SYN asks for? Gives the SYN-ACK's flag.
    pub(crate) fn ecn_answer_syn(&mut self, syn: &Segment) -> Flags {
        let asked = syn.flags.has(Flags::ECE) && syn.flags.has(Flags::CWR);
        // A SYN that is itself ECN-capable comes from DCTCP or the like, which this side must speak too.
        let willing = (self.config.ecn != EcnMode::Off && syn.ecn == Ecn::NotEct) || self.ca_needs_ecn();
        self.tp.ecn_flags = 0;
        if !asked || !willing {
            return Flags::default();
        }
        self.tp.ecn_flags = ecn_flags::OK;
        self.ecn_xmit_as_needed();
        Flags::ECE
    }

    /// `tcp_ecn_rcv_synack()`.
    pub(crate) fn ecn_rcv_synack(&mut self, segment: &Segment) {
        if !segment.flags.has(Flags::ECE) || segment.flags.has(Flags::CWR) {
            self.tp.ecn_flags &= !ecn_flags::OK;
        }
    }

    /// `tcp_ecn_send()`: ECT on new data, CWR once, ECE while demanded. Gives the flags of the first segment of a burst.
    pub(crate) fn ecn_send(&mut self, seq: u32, len: u32) -> Flags {
        let mut flags = Flags::default();
        if self.tp.ecn_flags & ecn_flags::OK == 0 {
            return flags;
        }
        if len > 0 && !before(seq, self.tp.snd_nxt) {
            self.ecn_xmit(true);
            if self.tp.ecn_flags & ecn_flags::QUEUE_CWR != 0 {
                self.tp.ecn_flags &= !ecn_flags::QUEUE_CWR;
                flags = flags.with(Flags::CWR);
            }
        } else if !self.ca_needs_ecn() {
            self.ecn_xmit(false);
        }
        if self.tp.ecn_flags & ecn_flags::DEMAND_CWR != 0 {
            flags = flags.with(Flags::ECE);
        }
        flags
    }

    /// `tcp_ecn_queue_cwr()`.
    pub(crate) fn ecn_queue_cwr(&mut self) {
        if self.tp.ecn_flags & ecn_flags::OK != 0 {
            self.tp.ecn_flags |= ecn_flags::QUEUE_CWR;
        }
    }

    /// `tcp_ecn_withdraw_cwr()`.
    pub(crate) fn ecn_withdraw_cwr(&mut self) {
        self.tp.ecn_flags &= !ecn_flags::QUEUE_CWR;
    }

    /// `tcp_ecn_accept_cwr()`: the sender has reduced; stop the echo and do not keep it waiting.
    pub(crate) fn ecn_accept_cwr(&mut self, segment: &Segment) {
        if !segment.flags.has(Flags::CWR) {
            return;
        }
        self.tp.ecn_flags &= !ecn_flags::DEMAND_CWR;
        if segment.len > 0 {
            self.tp.inet_conn.icsk_ack.pending |= icsk_ack_state::NOW;
        }
    }

    /// `tcp_ecn_check_ce()`: what the ECN field of arriving data means for the ACKs.
    pub(crate) fn ecn_check_ce(&mut self, segment: &Segment) {
        if self.tp.ecn_flags & ecn_flags::OK == 0 {
            return;
        }
        match segment.ecn {
            Ecn::NotEct => {
                if self.tp.ecn_flags & ecn_flags::SEEN != 0 {
                    // A retransmission, most likely.
                    self.enter_quickack_mode(2);
                }
            }
            Ecn::Ce => {
                if self.ca_needs_ecn() {
                    self.ca_event(tcp_ca_event::EcnIsCe);
                }
                if self.tp.ecn_flags & ecn_flags::DEMAND_CWR == 0 {
                    self.enter_quickack_mode(2);
                    self.tp.ecn_flags |= ecn_flags::DEMAND_CWR;
                }
                self.tp.ecn_flags |= ecn_flags::SEEN;
            }
            Ecn::Ect0 | Ecn::Ect1 => {
                if self.ca_needs_ecn() {
                    self.ca_event(tcp_ca_event::EcnNoCe);
                }
                self.tp.ecn_flags |= ecn_flags::SEEN;
            }
        }
    }
}

/// `INET_ECN_ECT_0`.
const ECT_0: u8 = 2;
