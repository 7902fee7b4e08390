//! A server to play on, ended with its owner.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

/// A program that serves etcd's v2 API.
#[derive(Debug)]
pub(super) struct Kind {
    program: PathBuf,
    series: String,
    is_memory: bool,
}

/// A running one; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    endpoint: String,
}

impl Kind {
    pub(super) fn real(program: &Path, series: &str) -> Self {
        Self { program: program.to_owned(), series: series.to_owned(), is_memory: false }
    }

    pub(super) fn memory(program: &Path, series: &str) -> Self {
        Self { program: program.to_owned(), series: series.to_owned(), is_memory: true }
    }

    pub(super) fn series(&self) -> &str {
        &self.series
    }

    pub(super) fn file_name(&self) -> String {
        format!("{}-{}", if self.is_memory { "memory" } else { "etcd" }, self.series)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_memory { "etcd-memory" } else { "etcd" };
        write!(f, "{name} {}", self.series)
    }
}

impl Server {
    /// Starts one with no data, and waits until it serves.
    pub(super) fn start(kind: &Kind, directory: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(&kind.program);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if kind.is_memory {
            command.args(["--listen", "127.0.0.1:0", "--profile", &kind.series]);
            let mut process = spawn(&mut command)?;
            let endpoint = first_line_with(process.stdout.take(), "http://");
            drain(process.stderr.take());
            return Self { process, endpoint: String::new() }.when_ready(endpoint);
        }
        let data = directory.join(kind.file_name());
        // What is not there need not go away.
        let _ = std::fs::remove_dir_all(&data);
        let (client, peer) = free_ports()?;
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        command.args(["--name", "peers", "--enable-v2", "--data-dir"]).arg(data);
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("peers={peer}")]);
        let mut process = spawn(&mut command)?;
        let ready = first_line_with(process.stderr.take(), "ready to serve client requests");
        drain(process.stdout.take());
        Self { process, endpoint: String::new() }.when_ready(ready.map(|_| client))
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn when_ready(mut self, endpoint: Option<String>) -> Result<Self, Failure> {
        self.endpoint = endpoint.ok_or_else(|| Failure::new("the server has not come up"))?;
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    let program = command.get_program().to_owned();
    command.spawn().map_err(|error| Failure::file(Path::new(&program), &error))
}

/// Two ports that were free a moment ago: etcd cannot say which it has chosen itself.
fn free_ports() -> Result<(u16, u16), Failure> {
    let take = || TcpListener::bind(("127.0.0.1", 0));
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    let both = || {
        let (one, other) = (take()?, take()?);
        Ok((port(&one)?, port(&other)?))
    };
    both().map_err(|error: std::io::Error| Failure::new(format!("no free port: {error}")))
}

/// Waits for a line; the rest is read as well, so that the writer never waits.
fn first_line_with(source: Option<impl Read + Send + 'static>, text: &'static str) -> Option<String> {
    let (found, line) = mpsc::channel();
    let source = source?;
    thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            if line.contains(text) {
                // Only the first is waited for.
                let _ = found.send(line);
            }
        }
    });
    line.recv_timeout(LIMIT).ok()
}

fn drain(source: Option<impl Read + Send + 'static>) {
    if let Some(mut source) = source {
        thread::spawn(move || std::io::copy(&mut source, &mut std::io::sink()));
    }
}

/// For a server to come up.
const LIMIT: Duration = Duration::from_secs(30);
