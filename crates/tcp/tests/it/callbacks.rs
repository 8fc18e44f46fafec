//! When a congestion control is called, and in which order (net/ipv4/tcp_input.c `tcp_ack()`, net/ipv4/tcp_cong.c).

use crate::world::{START, World, reno};
use net::{DropTail, Loss, Rate, Span, Time};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use tcp::ca::{CaError, OpsRef};
use tcp::consts::tcp_ca_event;
use tcp::sock::{ack_sample, sock, tcp_sock};
use tcp::{Config, CongestionOps, kfuncs};

/// The calls that one table has seen, found through the private memory.
struct Log(Mutex<Vec<String>>);

/// A table that writes its calls down and does what reno does. The log is found by a static for each table, since an
/// operation gets nothing but the socket.
macro_rules! logging_table {
    ($table:ident, $log:ident, $module:ident, $name:literal) => {
        static $log: Log = Log(Mutex::new(Vec::new()));
        mod $module {
            use super::*;
            pub(super) unsafe extern "C" fn init(sk: *mut sock) {
                note(
                    &$log,
                    format!("init priv={}", read(sk, |tp| tp.inet_conn.icsk_ca_priv[0])),
                );
                write(sk, |tp| tp.inet_conn.icsk_ca_priv[0] = 7);
            }
            pub(super) unsafe extern "C" fn release(_: *mut sock) {
                note(&$log, "release".to_owned());
            }
            pub(super) unsafe extern "C" fn ssthresh(sk: *mut sock) -> u32 {
                note(
                    &$log,
                    format!("ssthresh state={}", read(sk, |tp| tp.inet_conn.icsk_ca_state())),
                );
                // SAFETY: the operation's own argument.
                unsafe { kfuncs::tcp_reno_ssthresh(sk) }
            }
            pub(super) unsafe extern "C" fn cong_avoid(sk: *mut sock, ack: u32, acked: u32) {
                note(&$log, format!("cong_avoid {acked}"));
                // SAFETY: the operation's own argument.
                unsafe { kfuncs::tcp_reno_cong_avoid(sk, ack, acked) }
            }
            pub(super) unsafe extern "C" fn set_state(sk: *mut sock, state: u8) {
                note(
                    &$log,
                    format!(
                        "set_state {}->{state}",
                        read(sk, |tp| tp.inet_conn.icsk_ca_state())
                    ),
                );
            }
            pub(super) unsafe extern "C" fn cwnd_event(_: *mut sock, event: tcp_ca_event) {
                note(&$log, format!("event {event:?}"));
            }
            pub(super) unsafe extern "C" fn in_ack_event(_: *mut sock, flags: u32) {
                note(&$log, format!("in_ack_event {flags}"));
            }
            pub(super) unsafe extern "C" fn pkts_acked(_: *mut sock, sample: *const ack_sample) {
                // SAFETY: TCP gives a sample that lives during the call.
                let sample = unsafe { *sample };
                note(
                    &$log,
                    format!("pkts_acked {} rtt={}", sample.pkts_acked, sample.rtt_us > 0),
                );
            }
            pub(super) unsafe extern "C" fn undo_cwnd(sk: *mut sock) -> u32 {
                // SAFETY: the operation's own argument.
                unsafe { kfuncs::tcp_reno_undo_cwnd(sk) }
            }
        }
        static $table: CongestionOps = CongestionOps {
            init: Some($module::init),
            release: Some($module::release),
            ssthresh: Some($module::ssthresh),
            cong_avoid: Some($module::cong_avoid),
            set_state: Some($module::set_state),
            cwnd_event: Some($module::cwnd_event),
            in_ack_event: Some($module::in_ack_event),
            pkts_acked: Some($module::pkts_acked),
            undo_cwnd: Some($module::undo_cwnd),
            ..CongestionOps::named($name)
        };
    };
}

logging_table!(ORDER, ORDER_LOG, order, "order");
logging_table!(FIRST, FIRST_LOG, first, "first");
logging_table!(SECOND, SECOND_LOG, second, "second");

fn note(log: &Log, call: String) {
    log.0.lock().expect("no panic while it is held").push(call);
}

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.0.lock().expect("no panic while it is held"))
}

fn read<R>(sk: *mut sock, look: impl FnOnce(&tcp_sock) -> R) -> R {
    // SAFETY: TCP gives a live socket, to which no reference is alive; this one ends here.
    look(unsafe { &*sk.cast::<tcp_sock>() })
}

fn write(sk: *mut sock, change: impl FnOnce(&mut tcp_sock)) {
    // SAFETY: as in `read`.
    change(unsafe { &mut *sk.cast::<tcp_sock>() });
}

fn world(ops: OpsRef, loss: Loss) -> World<DropTail<tcp::Segment>> {
    let mut world = World::on_path(
        Config::default(),
        ops,
        DropTail::new(250_000),
        Rate::from_mbit(100),
        Span::from_millis(10),
    );
    world.forward = net::Link::new(Rate::from_mbit(100), Span::from_millis(10), DropTail::new(250_000)).with_loss(loss);
    world
}

#[test]
fn order_of_calls() {
    // The receiver uses reno, so that all calls are the sender's.
    let mut world = world(OpsRef::from_static(&ORDER), Loss::every(100));
    world.receive_with(reno());
    take(&ORDER_LOG);
    world.run_until(START + Span::from_millis(21));
    // The connection stands, the first burst has left: packets were not in flight before it.
    assert_eq!(take(&ORDER_LOG)[..2], ["init priv=0", "event TxStart"]);
    world.run_until(START + Span::from_millis(41));
    let calls = take(&ORDER_LOG);
    let plain = calls
        .iter()
        .find(|call| call.starts_with("pkts_acked"))
        .expect("an ACK");
    assert_eq!(plain, "pkts_acked 1 rtt=true");
    let at = |name: &str| {
        calls
            .iter()
            .position(|call| call.starts_with(name))
            .unwrap_or(usize::MAX)
    };
    assert!(
        at("pkts_acked") < at("in_ack_event") && at("in_ack_event") < at("cong_avoid"),
        "{calls:?}"
    );

    let mut all = Vec::new();
    while world.sender.info().recoveries < 2 {
        let next = world.now + Span::from_millis(1);
        world.run_until(next);
        all.append(&mut take(&ORDER_LOG));
    }
    let text = all.join("\n");
    // Disorder first; then the threshold is asked for while the state is still the old one.
    assert!(text.contains("set_state 0->1"), "{text}");
    assert!(text.contains("ssthresh state=1\nset_state 1->3"), "{text}");
    // The end: the state first, then the event.
    assert!(text.contains("set_state 3->0\nevent CompleteCwr"), "{text}");
    let first = text.find("ssthresh").expect("above");
    let end = text.find("event CompleteCwr").expect("above");
    assert!(
        !text[first..end].contains("cong_avoid"),
        "the window does not grow during a recovery"
    );
}

#[test]
fn a_running_socket_changes_its_algorithm() {
    let (one, two) = (OpsRef::from_static(&FIRST), OpsRef::from_static(&SECOND));
    let mut world = world(one.clone(), Loss::none());
    world.receive_with(reno());
    world.run_until(START + Span::from_millis(50));
    let before = world.sender.info();
    assert!(take(&SECOND_LOG).is_empty());

    world
        .sender
        .set_congestion_control(two.clone(), world.now)
        .expect("nothing forbids it");
    assert_eq!(take(&FIRST_LOG).last().map(String::as_str), Some("release"));
    assert_eq!(
        take(&SECOND_LOG),
        ["init priv=0"],
        "private memory is zeroed before init"
    );
    let after = world.sender.info();
    assert_eq!(
        (before.cwnd, before.ssthresh, before.ca_state),
        (after.cwnd, after.ssthresh, after.ca_state)
    );
    assert_eq!(world.sender.congestion_control(), &two);

    world
        .sender
        .set_congestion_control(two, world.now)
        .expect("nothing forbids it");
    assert!(take(&SECOND_LOG).is_empty(), "the same table again is no change");

    world.run_until(START + Span::from_millis(100));
    assert!(take(&FIRST_LOG).is_empty(), "the old table is not called any more");
    assert!(take(&SECOND_LOG).iter().any(|call| call.starts_with("cong_avoid")));
    drop(world);
    assert_eq!(take(&SECOND_LOG).last().map(String::as_str), Some("release"));
}

/// What an `init` that changes the algorithm sees of it.
static NESTED: Mutex<Vec<Result<(), CaError>>> = Mutex::new(Vec::new());

unsafe extern "C" fn fall_back(sk: *mut sock) {
    // SAFETY: the socket that runs this operation; no reference to it is alive.
    let result = unsafe { kfuncs::tcp_set_congestion_control(sk.cast(), nested_target()) };
    NESTED.lock().expect("no panic while it is held").push(result);
}

/// The first change is allowed, one from within it is not: the target's `init` tries one as well.
fn nested_target() -> OpsRef {
    static TARGET: CongestionOps = CongestionOps {
        init: Some(fall_back),
        ssthresh: Some(kfuncs::tcp_reno_ssthresh),
        cong_avoid: Some(kfuncs::tcp_reno_cong_avoid),
        undo_cwnd: Some(kfuncs::tcp_reno_undo_cwnd),
        ..CongestionOps::named("target")
    };
    OpsRef::from_static(&TARGET)
}

#[test]
fn an_operation_changes_the_algorithm() {
    // The table that gives up is owned, and must outlive its own operation.
    let owner = Arc::new(CongestionOps {
        init: Some(fall_back),
        ssthresh: Some(kfuncs::tcp_reno_ssthresh),
        cong_avoid: Some(kfuncs::tcp_reno_cong_avoid),
        undo_cwnd: Some(kfuncs::tcp_reno_undo_cwnd),
        ..CongestionOps::named("gives-up")
    });
    // SAFETY: the table is the owner's content, and its functions are ours.
    let ops = unsafe { OpsRef::new(NonNull::from(&*owner), owner.clone()) };
    let mut world = world(ops, Loss::none());
    world.receive_with(reno());
    world.run_until(START + Span::from_millis(60));
    assert_eq!(world.sender.congestion_control().table().name_str(), "target");
    assert_eq!(
        *NESTED.lock().expect("no panic while it is held"),
        [Err(CaError::Busy), Ok(())]
    );
    assert_eq!(Arc::strong_count(&owner), 1, "nobody uses the old table any more");
    assert!(world.sender.info().cwnd > 10);
    assert!(world.now > Time::ZERO);
}
