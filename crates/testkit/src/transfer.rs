//! A real TCP connection that sends until it is told to stop, so that a test can exchange its congestion control meanwhile.

use crate::netns::{NetPair, Side};
use rustix::net::sockopt::{set_tcp_congestion, tcp_congestion};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest wait for anything of a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection from the client's to the server's namespace, sending.
pub struct Transfer {
    socket: TcpStream,
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<u64>>>,
}

/// What a connection did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes written by the sender.
    pub sent: u64,
    /// Bytes read by the receiver.
    pub received: u64,
    /// What the sender's socket ran at the end, by `getsockopt(TCP_CONGESTION)`.
    pub congestion_control: String,
}

impl Transfer {
    /// Connects and begins to send. With a name, the sender's socket gets it by `setsockopt(TCP_CONGESTION)` after it is connected.
    ///
    /// # Errors
    /// `ENOENT` when no algorithm has that name, or another error of the connection.
    pub fn start(net: &NetPair, congestion_control: Option<&str>) -> io::Result<Self> {
        let listener = net.inside(Side::Server, || TcpListener::bind((Side::Server.address(), 0)))?;
        let target = listener.local_addr()?;
        let socket = net.inside(Side::Client, || connect(target))?;
        let (peer, _) = listener.accept()?;
        if let Some(name) = congestion_control {
            set_tcp_congestion(&socket, name)?;
        }
        for end in [&socket, &peer] {
            end.set_read_timeout(Some(PATIENCE))?;
            end.set_write_timeout(Some(PATIENCE))?;
        }
        let received = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let counter = Arc::clone(&received);
        let stopping = Arc::clone(&stop);
        let sending = socket.try_clone()?;
        let threads = vec![
            std::thread::spawn(move || send(sending, &stopping)),
            std::thread::spawn(move || receive(peer, &counter)),
        ];
        Ok(Self {
            socket,
            received,
            stop,
            threads,
        })
    }

    /// What the sender's socket runs: `getsockopt(TCP_CONGESTION)`.
    ///
    /// # Errors
    /// That of the system call.
    pub fn congestion_control(&self) -> io::Result<String> {
        Ok(tcp_congestion(&self.socket)?)
    }

    /// Chooses another one while it sends: `setsockopt(TCP_CONGESTION)`.
    ///
    /// # Errors
    /// `ENOENT` when no algorithm has that name.
    pub fn set_congestion_control(&self, name: &str) -> io::Result<()> {
        Ok(set_tcp_congestion(&self.socket, name)?)
    }

    /// Bytes that have arrived so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits until so many more bytes have arrived than now.
    ///
    /// # Panics
    /// When they do not arrive in time.
    pub fn wait_for_more(&self, bytes: u64) {
        let (start, goal) = (Instant::now(), self.received() + bytes);
        while self.received() < goal {
            assert!(
                start.elapsed() < PATIENCE,
                "{} bytes arrived, {goal} wanted",
                self.received()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Stops sending and waits until everything has arrived.
    ///
    /// # Errors
    /// That of either end.
    ///
    /// # Panics
    /// With the panic of a thread.
    pub fn finish(mut self) -> io::Result<Outcome> {
        let congestion_control = self.congestion_control()?;
        self.stop.store(true, Ordering::Relaxed);
        let mut counts = Vec::new();
        for thread in self.threads.drain(..) {
            counts.push(thread.join().expect("no panic")?);
        }
        Ok(Outcome {
            sent: counts[0],
            received: counts[1],
            congestion_control,
        })
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.socket.shutdown(Shutdown::Both);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The namespace's addresses are new: a first attempt may come before they are up.
fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&target, PATIENCE)
}

fn send(mut socket: TcpStream, stop: &AtomicBool) -> io::Result<u64> {
    let block = [0x5a; 64 << 10];
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        sent += socket.write(&block)? as u64;
    }
    socket.shutdown(Shutdown::Write)?;
    Ok(sent)
}

fn receive(mut socket: TcpStream, received: &AtomicU64) -> io::Result<u64> {
    let mut block = vec![0; 256 << 10];
    loop {
        match socket.read(&mut block)? {
            0 => return Ok(received.load(Ordering::Relaxed)),
            bytes => {
                received.fetch_add(bytes as u64, Ordering::Relaxed);
            }
        }
    }
}
