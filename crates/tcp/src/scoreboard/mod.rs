//! What is in flight: the retransmission queue and its tags. After `tcp_rtx_queue`, `tcp_skb_cb` and `tsorted_sent_queue`
//! (include/net/tcp.h, Linux 6.12).

mod queue;
mod skb;

pub(crate) use queue::RtxQueue;
pub(crate) use skb::{EVER_RETRANS, LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, Skb, SkbId, TxInfo};
