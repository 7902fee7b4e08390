//! The same operations against the server in memory and a real one, and what their answers differ in.
//!
//! [`run`] plays a seeded sequence, one operation at a time; [`run_concurrently`] has several writers on key
//! ranges of their own. What is compared and what is not is in `docs/in-memory-differences.md`.

mod answer;
mod concurrent;
mod generate;
mod key;
mod known;
mod memory;
mod operation;
mod parameter;
mod real;
mod report;
mod sequence;
mod time;
mod watch;

use std::error::Error;
use std::path::Path;

use etcd_testkit::memory::{Profile, Quirks};
use etcd_testkit::real::{Binary, Server};
use etcd_testkit::{Etcd as _, Series};
use http::Request;

pub use self::concurrent::run_concurrently;
pub use self::known::{KNOWN, Known, documented};
pub use self::report::{Difference, Report};
pub use self::sequence::{run, run_with};

use self::memory::Memory;
use self::real::Real;

/// Whatever goes wrong beside the servers' answers.
pub type BoxError = Box<dyn Error + Send + Sync>;
/// With [`BoxError`].
pub type Result<T, E = BoxError> = std::result::Result<T, E>;

/// Both sides, at the same index and with the same cluster id.
#[derive(Debug)]
struct Sides {
    server: Server,
    memory: Memory,
    real: Real,
    // Behind the server, which writes into it until it is dropped.
    _data: tempfile::TempDir,
}

impl Sides {
    /// Starts a fresh server, its data in memory where the machine lets it: etcd waits for the disk on each write.
    async fn start(binary: Binary, quirks: Quirks) -> Result<Self> {
        let profile = match binary.version().series() {
            Some(Series::V3_4) => Profile::V3_4,
            _ => Profile::V3_5,
        };
        let mut data = tempfile::Builder::new();
        let data = data.prefix("etcd-differential-");
        let in_memory = Path::new("/dev/shm");
        let data = if in_memory.is_dir() { data.tempdir_in(in_memory)? } else { data.tempdir()? };
        let mut argument = std::ffi::OsString::from("--data-dir=");
        argument.push(data.path().join("data"));
        let server = Server::builder(binary).arg(argument).start().await?;
        let endpoints = server.endpoints();
        let mut real = Real::new(endpoints.first().ok_or("a server has a member")?);
        let root = real.play(Request::get("/v2/keys").body(Default::default())?).await?;
        let index = root.header("x-etcd-index").ok_or("no index")?.parse()?;
        let id = u64::from_str_radix(root.header("x-etcd-cluster-id").ok_or("no cluster id")?, 16)?;
        Ok(Self { server, memory: Memory::new(profile, quirks, index, id), real, _data: data })
    }
}
