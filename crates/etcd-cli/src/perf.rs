//! A short load, and how fast it was answered.

use std::time::Duration;

use clap::{Args, Subcommand};
use etcd_client::v2::{Client, Ttl};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::{Progress, Table};
use crate::session::Session;
use crate::value;

/// Measures the cluster
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Perf(Perf),
}

/// Writes and reads for a short while, with 1 and with 64 calls under way, and prints rate and latencies
///
/// It works below a directory of its own, which it deletes at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli check perf\n  \
    etcd-cli check perf --for 30s --size 1024")]
struct Perf {
    /// How long each of the four loads runs
    #[arg(long = "for", value_name = "TIME", default_value = "2s", value_parser = value::duration)]
    time: Duration,
    /// Bytes of each value
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    size: usize,
}

impl Check {
    pub(crate) async fn run(self, session: &mut Session) -> Result<Exit> {
        let Command::Perf(perf) = self.command;
        perf.run(session).await
    }
}

impl Perf {
    async fn run(self, session: &mut Session) -> Result<Exit> {
        let dir = format!("/etcd-cli-check-perf-{}", std::process::id());
        // So that it goes also where this program is ended before its own end.
        let create = session.client.create_dir(&dir);
        match self.time_to_live() {
            Some(ttl) => create.ttl(ttl).await?,
            None => create.await?,
        };
        let measured = self.measure(&session.client, &dir).await;
        // Also after a failure: what was written here is of no use to anybody.
        let cleaned = session.client.delete_dir(&dir).recursive(true).await;
        show(session, &measured?)?;
        cleaned?;
        Ok(Exit::Done)
    }

    /// Longer than all loads take together; `None` for longer than etcd keeps anything.
    fn time_to_live(&self) -> Option<Ttl> {
        let loads = u32::try_from(LOADS.len()).unwrap_or(u32::MAX);
        let time = self.time.saturating_mul(loads).saturating_add(SLACK);
        Ttl::try_from(time).ok()
    }

    async fn measure(&self, client: &Client, dir: &str) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let steps = self.time.as_millis().try_into().unwrap_or(usize::MAX);
        let mut progress = Progress::new("check perf", LOADS.len().saturating_mul(steps));
        for (place, (call, in_flight)) in LOADS.into_iter().enumerate() {
            let load = Load { client, dir, call, value: "x".repeat(self.size) };
            let before = place.saturating_mul(steps);
            rows.push(load.run(in_flight, self.time, |gone| progress.set(before + gone)).await?);
        }
        Ok(rows)
    }
}

/// What is called.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Set,
    Get,
}

struct Load<'a> {
    client: &'a Client,
    dir: &'a str,
    call: Kind,
    value: String,
}

impl Load<'_> {
    /// Keeps `in_flight` calls under way for `time`; `tell` hears of each how many milliseconds have gone.
    async fn run(&self, in_flight: usize, time: Duration, mut tell: impl FnMut(usize)) -> Result<Row> {
        let begin = Instant::now();
        let mut calls = FuturesUnordered::new();
        for slot in 0..in_flight {
            calls.push(self.one(slot));
        }
        let mut latencies = Vec::new();
        while let Some((slot, latency)) = calls.next().await.transpose()? {
            latencies.push(latency);
            let gone = begin.elapsed();
            tell(gone.as_millis().try_into().unwrap_or(usize::MAX));
            if gone < time {
                calls.push(self.one(slot));
            }
        }
        Ok(Row::new(self.call, in_flight, begin.elapsed(), latencies))
    }

    async fn one(&self, slot: usize) -> Result<(usize, Duration)> {
        let key = format!("{}/{slot}", self.dir);
        let begin = Instant::now();
        match self.call {
            Kind::Set => drop(self.client.set(key, self.value.as_str()).await?),
            Kind::Get => drop(self.client.get(key).await?),
        }
        Ok((slot, begin.elapsed()))
    }
}

/// What was measured of one load.
#[derive(Debug)]
struct Row {
    call: &'static str,
    in_flight: usize,
    calls: usize,
    rate: f64,
    p50: Duration,
    p99: Duration,
}

impl Row {
    fn new(call: Kind, in_flight: usize, time: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| {
            let place = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
            latencies.get(place).copied().unwrap_or_default()
        };
        Self {
            call: match call {
                Kind::Set => "set",
                Kind::Get => "get",
            },
            in_flight,
            calls: latencies.len(),
            rate: latencies.len() as f64 / time.as_secs_f64(),
            p50: at(50),
            p99: at(99),
        }
    }
}

fn show(session: &mut Session, rows: &[Row]) -> Result<()> {
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    if session.out.format() == Format::Json {
        for Row { call, in_flight, calls, rate, p50, p99 } in rows {
            session.out.json(&serde_json::json!({
                "call": call, "inFlight": in_flight, "calls": calls, "perSecond": rate,
                "p50Millis": millis(*p50), "p99Millis": millis(*p99),
            }))?;
        }
        return Ok(());
    }
    let mut table = Table::new(["CALL", "IN FLIGHT", "CALLS", "PER SECOND", "P50 MS", "P99 MS"]);
    for Row { call, in_flight, calls, rate, p50, p99 } in rows {
        table.row([
            (*call).to_owned(),
            in_flight.to_string(),
            calls.to_string(),
            format!("{rate:.0}"),
            format!("{:.2}", millis(*p50)),
            format!("{:.2}", millis(*p99)),
        ]);
    }
    session.out.table(&table)
}

/// For the calls that are still under way at the end of each load, and the deletion.
const SLACK: Duration = Duration::from_secs(60);
/// Sets first: they make the keys that are read.
const LOADS: [(Kind, usize); 4] = [(Kind::Set, 1), (Kind::Set, 64), (Kind::Get, 1), (Kind::Get, 64)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_latencies_that_were_measured() {
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let row = Row::new(Kind::Get, 1, Duration::from_secs(2), latencies);
        assert_eq!((row.p50, row.p99), (Duration::from_millis(101), Duration::from_millis(199)));
        assert_eq!((row.calls, row.rate), (200, 100.0));
        let none = Row::new(Kind::Set, 1, Duration::from_secs(2), Vec::new());
        assert_eq!((none.calls, none.p99), (0, Duration::ZERO));
    }
}
