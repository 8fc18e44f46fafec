//! Conversations as text, in packetdrill's spirit: one socket of ours, and a script in the place of its peer and of time.
//! The scripts are in `tests/scripts`; [`Player::line`] says what a line can be.

use net::{Ecn, Span, Time};
use std::fmt::Write as _;
use tcp::ca::{OpsRef, Registry};
use tcp::sock::{sock, tcp_sock};
use tcp::{Config, CongestionOps, EcnMode, Flags, Options, Pacing, Segment, Socket};

/// Plays every script; a failure shows the line and what was sent instead.
#[test]
fn scripts_hold() {
    let mut played = 0;
    let mut failures = String::new();
    let mut names: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts"))
        .expect("scripts")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    for path in names {
        let text = std::fs::read_to_string(&path).expect("a script");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Err(error) = play(&text) {
            let _ = writeln!(failures, "{name}:{error}");
        }
        played += 1;
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(played >= 8, "only {played} scripts");
}

/// A wrong expectation is noticed.
#[test]
fn a_wrong_script_fails() {
    for wrong in [
        "send 1000\nout 1:1002",
        "send 2000\nout 1:1001",
        "expect cwnd=11",
        "send 1000\nout none",
    ] {
        let text = format!("open\n{wrong}\n");
        assert!(play(&text).is_err(), "{wrong}");
    }
}

fn play(text: &str) -> Result<(), String> {
    let mut player = Player::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        player
            .line(line)
            .map_err(|error| format!("{}: `{line}`: {error}", number + 1))?;
    }
    match player.sent() {
        sent if sent.is_empty() => Ok(()),
        sent => Err(format!("end: not expected: {}", show(&player, &sent))),
    }
}

struct Player {
    config: Config,
    ops: OpsRef,
    socket: Option<Socket>,
    now: Time,
    /// Peer's next sequence number, relative.
    peer_seq: u32,
    peer_window: u32,
    timestamps: bool,
}

/// Reno, but with CUBIC's factor on loss, for situations that Linux's own scripts play with CUBIC.
static CUBIC_BETA: CongestionOps = CongestionOps {
    ssthresh: Some(cubic_ssthresh),
    cong_avoid: tcp::reno::RENO.cong_avoid,
    undo_cwnd: tcp::reno::RENO.undo_cwnd,
    ..CongestionOps::named("cubic-beta")
};

unsafe extern "C" fn cubic_ssthresh(sk: *mut sock) -> u32 {
    // SAFETY: TCP gives a live socket, to which no reference is alive.
    let tp = unsafe { &*sk.cast::<tcp_sock>() };
    (tp.snd_cwnd * 717 / 1024).max(2)
}

/// Begin of the script, and the sequence numbers before the first byte of each side.
const ORIGIN: Time = Time::from_secs(10);
const OURS: u32 = 1_000_000;
const PEERS: u32 = 5_000_000;
/// The peer's window scale.
const SCALE: u8 = 8;

impl Player {
    fn new() -> Self {
        Self {
            config: Config {
                hz: 1000,
                mss: 1000,
                isn: OURS,
                timestamps: false,
                pacing: Pacing::Off,
                gso_max_size: 0,
                min_tso_segs: 1,
                ..Config::default()
            },
            ops: Registry::new().default_ops(),
            socket: None,
            now: ORIGIN,
            peer_seq: 1,
            peer_window: 256_000,
            timestamps: false,
        }
    }

    /// One line:
    ///
    /// * `set KEY VALUE`: before `open`; keys are below;
    /// * `open [RTT]`: we connect, the peer answers after RTT (20 ms);
    /// * `listen`: the peer connects to us;
    /// * `@TIME` or `+TIME` as first word: go to that time since the begin, or further on, running timers; the rest of the
    ///   line follows then;
    /// * `send BYTES|unlimited`: our application writes;
    /// * `in ack N [sack A:B…] [ece] [win BYTES] [ecr MS]`: an ACK arrives;
    /// * `in data LEN [at SEQ] [ce|ect0] [cwr] [psh]`: data arrives;
    /// * `out none`, `out any`, `out WORD…`: exactly these segments have been sent since; a word is `A:B` for data with `/CWR`,
    ///   `/ECE`, `/ECT` after it, `A:B*LEN` for a run of segments of LEN bytes, or `ack=N` with `/sack=A:B`, `/ECE` for a pure ACK;
    /// * `expect KEY=VALUE…`: keys are those of [`Player::value`].
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(time) = first.strip_prefix('@') {
            self.advance(ORIGIN + span(time)?);
            return if rest.is_empty() { Ok(()) } else { self.line(rest) };
        }
        if let Some(time) = first.strip_prefix('+') {
            self.advance(self.now + span(time)?);
            return if rest.is_empty() { Ok(()) } else { self.line(rest) };
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        match first {
            "set" => self.set(&words),
            "open" => self.open(&words),
            "listen" => self.listen(),
            "send" => self.send(&words),
            "in" => self.input(&words),
            "out" => self.output(&words),
            "expect" => self.expect(&words),
            _ => Err("no such command".to_owned()),
        }
    }

    fn set(&mut self, words: &[&str]) -> Result<(), String> {
        let [key, value] = words else {
            return Err("set KEY VALUE".to_owned());
        };
        match *key {
            "ecn" => self.config.ecn = if *value == "on" { EcnMode::On } else { EcnMode::Off },
            "timestamps" => {
                self.config.timestamps = *value == "on";
                self.timestamps = self.config.timestamps;
                // Segments stay at 1000 bytes.
                self.config.mss = if self.timestamps { 1012 } else { 1000 };
            }
            "sack" => self.config.sack = *value == "on",
            "cwnd" => self.config.init_cwnd = number(value)?,
            "hz" => self.config.hz = number(value)?,
            "tlp" => self.config.tail_loss_probe = *value == "on",
            "pacing" => self.config.pacing = if *value == "on" { Pacing::Internal } else { Pacing::Off },
            "tso" => {
                (self.config.gso_max_size, self.config.min_tso_segs) =
                    if *value == "on" { (65_536, 2) } else { (0, 1) };
            }
            "cc" if *value == "cubic-beta" => self.ops = OpsRef::from_static(&CUBIC_BETA),
            "window" => self.peer_window = number(value)?,
            _ => return Err("no such key".to_owned()),
        }
        Ok(())
    }

    fn open(&mut self, words: &[&str]) -> Result<(), String> {
        let rtt = words.first().map_or(Ok(Span::from_millis(20)), |word| span(word))?;
        let mut socket = Socket::new(self.config.clone(), self.ops.clone());
        socket.connect(self.now);
        let syn = socket.poll_output(self.now).ok_or("no SYN")?;
        self.now += rtt;
        let ece = if syn.flags.has(Flags::ECE) {
            Flags::ECE
        } else {
            Flags::default()
        };
        let answer = self.handshake_segment(&syn, Flags::SYN.with(Flags::ACK).with(ece));
        socket.input(&answer, self.now);
        let ack = socket.poll_output(self.now).ok_or("no ACK of the SYN-ACK")?;
        if ack.len != 0 {
            return Err("data with the handshake".to_owned());
        }
        self.socket = Some(socket);
        Ok(())
    }

    fn listen(&mut self) -> Result<(), String> {
        let mut socket = Socket::new(self.config.clone(), self.ops.clone());
        socket.listen(self.now);
        let ecn = if self.config.ecn == EcnMode::On {
            Flags::ECE.with(Flags::CWR)
        } else {
            Flags::default()
        };
        let syn = self.handshake_segment(
            &Segment {
                seq: OURS.wrapping_sub(1),
                ..Segment::default()
            },
            Flags::SYN.with(ecn),
        );
        socket.input(&syn, self.now);
        socket.poll_output(self.now).ok_or("no SYN-ACK")?;
        self.now += Span::from_millis(20);
        self.socket = Some(socket);
        let ack = self.peer(1);
        self.feed(ack)
    }

    /// SYN or SYN-ACK of the peer.
    fn handshake_segment(&self, to: &Segment, flags: Flags) -> Segment {
        let mut options = Options::MSS.with(Options::WINDOW_SCALE);
        if self.config.sack {
            options = options.with(Options::SACK_PERMITTED);
        }
        if self.timestamps {
            options = options.with(Options::TIMESTAMPS);
        }
        Segment {
            seq: PEERS,
            ack: to.end_seq(),
            flags,
            options,
            mss: self.config.mss,
            wscale: SCALE,
            window: self.peer_window.min(65_535) as u16,
            tsval: self.millis(),
            tsecr: to.tsval,
            ..Segment::default()
        }
    }

    /// A pure ACK of the peer.
    fn peer(&self, ack: u32) -> Segment {
        let options = if self.timestamps {
            Options::TIMESTAMPS
        } else {
            Options::default()
        };
        Segment {
            seq: PEERS.wrapping_add(self.peer_seq),
            ack: OURS.wrapping_add(ack),
            flags: Flags::ACK,
            window: (self.peer_window >> SCALE) as u16,
            options,
            tsval: self.millis(),
            tsecr: self.millis(),
            ..Segment::default()
        }
    }

    fn input(&mut self, words: &[&str]) -> Result<(), String> {
        let [kind, amount, rest @ ..] = words else {
            return Err("in ack N … or in data LEN …".to_owned());
        };
        let amount = number(amount)?;
        let mut segment = self.peer(if *kind == "ack" { amount } else { 1 });
        if *kind == "data" {
            segment.len = amount;
            if !rest.contains(&"at") {
                self.peer_seq += amount;
            }
        }
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match *word {
                "ece" => segment.flags = segment.flags.with(Flags::ECE),
                "cwr" => segment.flags = segment.flags.with(Flags::CWR),
                "psh" => segment.flags = segment.flags.with(Flags::PSH),
                "ce" => segment.ecn = Ecn::Ce,
                "ect0" => segment.ecn = Ecn::Ect0,
                "sack" => {}
                "win" => {
                    self.peer_window = number(rest.next().ok_or("win BYTES")?)?;
                    segment.window = (self.peer_window >> SCALE) as u16;
                }
                "ecr" => segment.tsecr = (ORIGIN.as_millis() as u32) + number(rest.next().ok_or("ecr MS")?)?,
                "at" => segment.seq = PEERS.wrapping_add(number(rest.next().ok_or("at SEQ")?)?),
                range => {
                    let (start, end) = pair(range)?;
                    let block = &mut segment.sack[usize::from(segment.sack_count)];
                    block.start_seq = OURS.wrapping_add(start);
                    block.end_seq = OURS.wrapping_add(end);
                    segment.sack_count += 1;
                }
            }
        }
        self.feed(segment)
    }

    fn feed(&mut self, segment: Segment) -> Result<(), String> {
        let now = self.now;
        self.socket()?.input(&segment, now);
        Ok(())
    }

    fn send(&mut self, words: &[&str]) -> Result<(), String> {
        let socket = self.socket()?;
        match words {
            ["unlimited"] => socket.send_unlimited(),
            [bytes] => socket.send(number(bytes)?.into()),
            _ => return Err("send BYTES|unlimited".to_owned()),
        }
        Ok(())
    }

    fn advance(&mut self, to: Time) {
        let Some(socket) = &mut self.socket else {
            self.now = to;
            return;
        };
        while let Some(at) = socket.next_timeout().filter(|&at| at <= to) {
            socket.on_timeout(at);
            // What it sends stays until the script asks.
            self.now = at;
        }
        self.now = to;
    }

    fn sent(&mut self) -> Vec<Segment> {
        let now = self.now;
        let mut sent = Vec::new();
        if let Some(socket) = &mut self.socket {
            while let Some(segment) = socket.poll_output(now) {
                sent.push(segment);
            }
        }
        sent
    }

    fn output(&mut self, words: &[&str]) -> Result<(), String> {
        let sent = self.sent();
        if words == ["any"] {
            return Ok(());
        }
        let mut wanted = Vec::new();
        for word in words.iter().filter(|word| **word != "none") {
            match word.split_once('*') {
                Some((range, len)) => {
                    let ((start, end), len) = (pair(range)?, number(len)?);
                    for at in (start..end).step_by(len as usize) {
                        wanted.push(format!("{at}:{}", (at + len).min(end)));
                    }
                }
                None => wanted.push((*word).to_owned()),
            }
        }
        let ecn = self.config.ecn == EcnMode::On;
        let got: Vec<String> = sent.iter().map(|segment| word_of(segment, ecn)).collect();
        if got == wanted {
            Ok(())
        } else {
            Err(format!("sent: {}", show(self, &sent)))
        }
    }

    fn expect(&mut self, words: &[&str]) -> Result<(), String> {
        for word in words {
            let (key, wanted) = word.split_once('=').ok_or("KEY=VALUE")?;
            let got = self.value(key)?;
            if got != wanted {
                return Err(format!("{key} is {got}"));
            }
        }
        Ok(())
    }

    fn value(&mut self, key: &str) -> Result<String, String> {
        let info = self.socket()?.info();
        let states = ["open", "disorder", "cwr", "recovery", "loss"];
        Ok(match key {
            "cwnd" => info.cwnd.to_string(),
            "ssthresh" => info.ssthresh.to_string(),
            "state" => states[usize::from(info.ca_state)].to_owned(),
            "out" => info.packets_out.to_string(),
            "sacked" => info.sacked_out.to_string(),
            "lost" => info.lost_out.to_string(),
            "retrans" => info.retrans_out.to_string(),
            "flight" => info.in_flight.to_string(),
            "rto" => info.rto.to_string(),
            "srtt" => info.srtt.to_string(),
            "delivered" => info.delivered.to_string(),
            "ce" => info.delivered_ce.to_string(),
            "recoveries" => info.recoveries.to_string(),
            "timeouts" => info.timeouts.to_string(),
            "undos" => info.undos.to_string(),
            "received" => info.bytes_received.to_string(),
            "ecn" => info.ecn.to_string(),
            _ => return Err("no such key".to_owned()),
        })
    }

    fn socket(&mut self) -> Result<&mut Socket, String> {
        self.socket.as_mut().ok_or_else(|| "not open".to_owned())
    }

    fn millis(&self) -> u32 {
        self.now.as_millis() as u32
    }
}

fn show(player: &Player, sent: &[Segment]) -> String {
    let ecn = player.config.ecn == EcnMode::On;
    let words: Vec<String> = sent.iter().map(|segment| word_of(segment, ecn)).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}

/// A segment in the words of a script.
fn word_of(segment: &Segment, ecn: bool) -> String {
    let mut word = String::new();
    if segment.len > 0 {
        let start = segment.seq.wrapping_sub(OURS);
        word = format!("{start}:{}", start + segment.len);
    } else {
        let _ = write!(word, "ack={}", segment.ack.wrapping_sub(PEERS));
    }
    for block in segment.sack_blocks() {
        let (start, end) = (block.start_seq.wrapping_sub(PEERS), block.end_seq.wrapping_sub(PEERS));
        let _ = write!(word, "/sack={start}:{end}");
    }
    if ecn && segment.ecn != Ecn::NotEct {
        word.push_str("/ECT");
    }
    if segment.flags.has(Flags::ECE) {
        word.push_str("/ECE");
    }
    if segment.flags.has(Flags::CWR) {
        word.push_str("/CWR");
    }
    word
}

fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number"))
}

fn pair(word: &str) -> Result<(u32, u32), String> {
    let (start, end) = word.split_once(':').ok_or_else(|| format!("`{word}` is not A:B"))?;
    Ok((number(start)?, number(end)?))
}

fn span(word: &str) -> Result<Span, String> {
    word.parse().map_err(|_| format!("`{word}` is not a time"))
}
