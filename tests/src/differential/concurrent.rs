//! Several writers at a time, each on its own keys.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::Quirks;
use etcd_testkit::real::Binary;
use fastrand::Rng;
use http::Request;
use serde_json::Value;
use tokio::task::JoinSet;

use super::answer::Answer;
use super::memory::Memory;
use super::real::Real;
use super::report::Report;
use super::{Result, Sides};

/// Has 8 writers play `operations` operations in all, and compares what each has seen of its own keys.
///
/// The order in which the writers' operations come is open, so indexes are compared as ranks per writer.
///
/// # Errors
/// If the server does not start or does not answer.
pub async fn run_concurrently(binary: Binary, operations: u64, seed: u64) -> Result<Report> {
    let sides = Sides::start(binary, Quirks::faithful()).await?;
    let mut report = Report { server: sides.server.name().to_owned(), seed, ..Report::default() };
    report.server.push_str(", concurrent writers");
    let endpoints = sides.server.endpoints();
    let endpoint = endpoints.first().ok_or("a server has a member")?;
    let memory = Arc::new(Mutex::new(sides.memory));
    let mut writers = JoinSet::new();
    for place in 0..WRITERS {
        let rng = Rng::with_seed(seed.wrapping_add(place).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (ours, theirs) = (Ranks::default(), Ranks::default());
        let (memory, real) = (Arc::clone(&memory), Real::new(endpoint));
        let writer = Writer { place, rng, memory, real, ours, theirs };
        writers.spawn(writer.play(operations / WRITERS));
    }
    while let Some(writer) = writers.join_next().await {
        let (count, differences) = writer??;
        report.operations += count;
        for (number, text) in differences {
            report.differs(number, text);
        }
    }
    Ok(report)
}

struct Writer {
    place: u64,
    rng: Rng,
    memory: Arc<Mutex<Memory>>,
    real: Real,
    ours: Ranks,
    theirs: Ranks,
}

impl Writer {
    async fn play(mut self, operations: u64) -> Result<(u64, Vec<(u64, String)>)> {
        let mut differences = Vec::new();
        for number in 0..operations {
            let text = self.next();
            // An index in a condition is a rank until it is sent.
            let (ours, theirs) = (request(&text, &self.ours)?, request(&text, &self.theirs)?);
            let ours = self.memory.lock().unwrap_or_else(PoisonError::into_inner).play(&ours).answer;
            tokio::task::yield_now().await;
            let theirs = self.real.play(theirs).await?;
            let (seen, expected) = (self.ours.rank(&ours), self.theirs.rank(&theirs));
            if seen != expected {
                differences.push((number, format!("\n  {text:?}\n  memory: {seen}\n  real:   {expected}")));
            }
        }
        Ok((operations, differences))
    }

    /// Method, path with query, and the rank that `prevIndex` is to have.
    fn next(&mut self) -> (&'static str, String, Option<usize>) {
        let rng = &mut self.rng;
        let key = ["a", "ab", "b", "d/a", "d/b", "d", "_h"][rng.usize(0..7)];
        let key = format!("/v2/keys/w{}/{key}", self.place);
        let value = rng.u32(0..3);
        match rng.u32(0..12) {
            0..3 => ("PUT", format!("{key}?value={value}"), None),
            3 => ("PUT", format!("{key}?value={value}&prevExist=false"), None),
            4 => ("PUT", format!("{key}?value={value}&prevExist=true"), None),
            5 => ("PUT", format!("{key}?value={value}&prevValue=1"), None),
            6 => ("PUT", format!("{key}?value={value}"), Some(rng.usize(0..6))),
            7 => ("DELETE", key, None),
            8 => ("DELETE", format!("{key}?recursive=true"), None),
            9 => ("DELETE", key, Some(rng.usize(0..6))),
            10 => ("GET", format!("/v2/keys/w{}?recursive=true&sorted=true", self.place), None),
            _ => ("GET", format!("{key}?quorum=true&sorted=true"), None),
        }
    }
}

/// The indexes that one writer has seen on one side, in the order in which it has.
#[derive(Debug, Default)]
struct Ranks(Vec<u64>);

impl Ranks {
    /// What the answer says, with ranks in the place of indexes.
    fn rank(&mut self, answer: &Answer) -> String {
        let status = answer.status;
        let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
            return format!("{status} {}", String::from_utf8_lossy(&answer.body));
        };
        if body["errorCode"] == 101 && body["cause"].as_str().is_some_and(|cause| !cause.contains("[1 != ")) {
            body["cause"] = Value::from("indexes");
        }
        if let Some(index) = body.get_mut("index") {
            // That of the whole store, which others move.
            *index = Value::from("index");
        }
        self.replace(&mut body);
        format!("{status} {body}")
    }

    fn replace(&mut self, value: &mut Value) {
        let Value::Object(fields) = value else {
            if let Value::Array(items) = value {
                items.iter_mut().for_each(|item| self.replace(item));
            }
            return;
        };
        for (name, field) in fields {
            match field.as_u64().filter(|_| matches!(name.as_str(), "createdIndex" | "modifiedIndex")) {
                Some(index) => *field = Value::from(self.place(index)),
                None => self.replace(field),
            }
        }
    }

    fn place(&mut self, index: u64) -> usize {
        self.0.iter().rposition(|seen| *seen == index).unwrap_or_else(|| {
            self.0.push(index);
            self.0.len() - 1
        })
    }
}

fn request((method, target, rank): &(&str, String, Option<usize>), ranks: &Ranks) -> Result<Request<Bytes>> {
    let index = rank.and_then(|rank| ranks.0.iter().rev().nth(rank));
    let mark = if target.contains('?') { '&' } else { '?' };
    let target = index.map_or_else(|| target.clone(), |index| format!("{target}{mark}prevIndex={index}"));
    Ok(Request::builder().method(*method).uri(target).body(Bytes::new())?)
}

/// How many writers there are.
const WRITERS: u64 = 8;
