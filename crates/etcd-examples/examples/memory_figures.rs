//! What the etcd in memory can bear: requests a second, watchers answered at once, memory of an idle watcher.
//!
//! Server and client are in this process, on one thread which is kept on one core: what is measured includes the
//! work of the client, which is as little as one can do (a request that is ready, an answer that is only counted).
//! Run it with `--release`.

use std::error::Error;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    if cfg!(debug_assertions) {
        println!("not built with --release: the figures below mean little\n");
    }
    println!("{}", if pin() { "client and server on one thread, on one core" } else { "on one thread" });
    let etcd = MemoryEtcd::builder().start().await?;
    let endpoint = etcd.endpoints().remove(0);
    let address = endpoint.strip_prefix("http://").unwrap_or(&endpoint);
    println!("{} at {endpoint}\n", etcd.name());

    row("what", "figure", "aim");
    row("----", "------", "---");
    for method in ["PUT", "GET"] {
        let rate = requests_a_second(address, method).await?;
        row(&format!("{method} a second, {IN_FLIGHT} in flight"), &format!("{rate:.0}"), "20000");
    }
    let watchers = WATCHERS.min(room_for_watchers());
    if watchers < WATCHERS {
        println!(
            "the limit of open files is too low for {WATCHERS} watchers (2 each): only {watchers} are opened"
        );
    }
    let figures = watch(address, watchers).await?;
    let answered = format!("{} ms", figures.answered.as_millis());
    row(&format!("{watchers} watchers of one key answered"), &answered, "<= 1000 ms");
    row("memory per idle watcher", &format!("{:.1} KB", figures.kilobytes), "<= 10 KB");
    println!(
        "\nmemory: growth of the resident set, the server's connection and the client's socket together; the \
         latter has about 0.3 KB of it"
    );
    Ok(())
}

fn row(what: &str, figure: &str, aim: &str) {
    println!("{what:<40} {figure:>12}   {aim}");
}

/// Keeps this thread on the first core that it may use.
fn pin() -> bool {
    let Ok(allowed) = sched_getaffinity(None) else { return false };
    let Some(core) = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)) else { return false };
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).is_ok()
}

/// Requests of [`IN_FLIGHT`] connections, each of which sends the next when the last is answered.
async fn requests_a_second(address: &str, method: &str) -> Result<f64> {
    let mut connections = Vec::new();
    for number in 0..IN_FLIGHT {
        connections.push(Connection::open(address, method, &format!("/v2/keys/figures/{number}")).await?);
    }
    let start = Instant::now();
    let tasks: Vec<_> =
        connections.into_iter().map(|connection| tokio::spawn(connection.repeat(start + PERIOD))).collect();
    let mut requests = 0;
    for task in tasks {
        requests += task.await?.map_err(|error| error.to_string())?;
    }
    Ok(f64::from(requests) / start.elapsed().as_secs_f64())
}

/// One connection of the client, with the request that it sends.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str, method: &str, target: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let body = if method == "PUT" { "value=Hello+World" } else { "" };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: etcd\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = Self { stream, request: request.into_bytes(), buffer: Vec::new() };
        connection.exchange().await?;
        Ok(connection)
    }

    async fn repeat(mut self, end: Instant) -> std::io::Result<u32> {
        let mut count = 0;
        while Instant::now() < end {
            self.exchange().await?;
            count += 1;
        }
        Ok(count)
    }

    /// Sends the request and reads the whole answer.
    async fn exchange(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if is_whole(&self.buffer) {
                return Ok(());
            }
        }
    }
}

/// Whether an answer has come to its end: the last byte of each is a line end of the body, after that of the head.
fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(b"}\n") || answer.ends_with(b"}\n\r\n0\r\n\r\n")
}

/// What watchers have cost.
struct Watched {
    answered: Duration,
    kilobytes: f64,
}

async fn watch(address: &str, watchers: usize) -> Result<Watched> {
    let request = b"GET /v2/keys/watched?wait=true HTTP/1.1\r\nhost: etcd\r\n\r\n";
    let mut writer = Connection::open(address, "PUT", "/v2/keys/watched").await?;
    let mut streams = Vec::with_capacity(watchers);
    let mut head = Vec::with_capacity(1024);
    let before = resident_kilobytes()?;
    for _ in 0..watchers {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        // The head comes when the watch is open.
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Err("the server has closed a watch".into());
            }
        }
        streams.push(stream);
    }
    let kilobytes = (resident_kilobytes()? - before) / watchers as f64;
    let start = Instant::now();
    writer.exchange().await?;
    for stream in &mut streams {
        head.clear();
        while !is_whole(&head) {
            if stream.read_buf(&mut head).await? == 0 {
                return Err("a watch has ended without an event".into());
            }
        }
    }
    Ok(Watched { answered: start.elapsed(), kilobytes })
}

/// How many watchers the limit of open files lets us have: it is raised as far as it goes.
fn room_for_watchers() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Then what there is must do.
    let _ = setrlimit(Resource::Nofile, limit);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // Both ends of each are ours; some files are open anyway.
    usize::try_from(files.saturating_sub(200) / 2).unwrap_or(usize::MAX)
}

fn resident_kilobytes() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?.trim().parse()?)
}

const IN_FLIGHT: usize = 64;
const PERIOD: Duration = Duration::from_secs(3);
const WATCHERS: usize = 5_000;
