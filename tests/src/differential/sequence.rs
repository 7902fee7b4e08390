//! One operation after the other.

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::Quirks;
use etcd_testkit::real::Binary;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::answer::{self, Answer};
use super::generate::Generator;
use super::known::Known;
use super::memory::Played;
use super::operation::Operation;
use super::report::Report;
use super::watch::OpenWatch;
use super::{Result, Sides};

/// Plays `operations` operations made from `seed` against a fresh server and a fresh store of its series.
///
/// Prints each difference. After 20 of them it ends early: where the stores have parted, the rest only follows.
///
/// # Errors
/// If the server does not start or does not answer.
pub async fn run(binary: Binary, operations: u64, seed: u64) -> Result<Report> {
    run_with(binary, Quirks::faithful(), operations, seed).await
}

/// As [`run`], with a store that may have other quirks than etcd: shows whether the run would find that. One
/// difference is then enough.
///
/// # Errors
/// As [`run`].
pub async fn run_with(binary: Binary, quirks: Quirks, operations: u64, seed: u64) -> Result<Report> {
    let enough = if quirks == Quirks::faithful() { ENOUGH } else { 1 };
    let sides = Sides::start(binary, quirks).await?;
    let report = Report { server: sides.server.name().to_owned(), seed, ..Report::default() };
    let mut sequence = Sequence { sides, report, watches: Vec::new(), expiry: None };
    let mut generator = Generator::new(seed);
    while sequence.report.operations < operations && sequence.report.differences.len() < enough {
        sequence.pause_for_expiry().await;
        let operation = generator.next(sequence.sides.memory.index());
        if let Some(answer) = sequence.play(&operation).await? {
            generator.learn(&operation, &answer);
        }
    }
    sequence.pause_for_expiry().await;
    sleep(LATE).await;
    sequence.follow_watches().await;
    Ok(sequence.report)
}

struct Sequence {
    sides: Sides,
    report: Report,
    watches: Vec<OpenWatch>,
    /// When the first and the last key will expire that are to.
    expiry: Option<(Instant, Instant)>,
}

impl Sequence {
    /// Waits until what is to expire has done so on both sides, unless that is far away.
    async fn pause_for_expiry(&mut self) {
        let Some((_, last)) = self.expiry.filter(|_| self.expires_soon()) else { return };
        sleep_until(last + AFTER).await;
        self.sides.memory.sync();
        self.expiry = None;
        self.report.pauses += 1;
        self.follow_watches().await;
    }

    fn expires_soon(&self) -> bool {
        self.expiry.is_some_and(|(first, _)| Instant::now() + BEFORE >= first)
    }

    /// Plays one operation on both sides; our answer, `None` if it cannot be sent.
    async fn play(&mut self, operation: &Operation) -> Result<Option<Answer>> {
        let Some(request) = operation.request() else { return Ok(None) };
        let number = self.report.operations;
        self.report.operations += 1;
        let Played { answer: ours, open } = self.sides.memory.play(&request);
        *self.report.statuses.entry(ours.status).or_default() += 1;
        match open {
            None => {
                let theirs = self.sides.real.play(request).await;
                let theirs = theirs.map_err(|error| format!("operation {number}, {operation}: {error}"))?;
                if let Err(what) = answer::compare(&ours, &theirs, operation.is_sorted()) {
                    self.differs(number, operation, &what, &ours, &theirs);
                }
            }
            Some(watch) => {
                let (theirs, body) = self.sides.real.open(request).await?;
                if let Err(what) = answer::compare_heads(&ours, &theirs) {
                    self.differs(number, operation, &what, &ours, &theirs);
                    self.sides.memory.close(watch.0);
                } else {
                    let watch = OpenWatch::new(number, operation.clone(), watch, ours.clone(), body);
                    self.watches.push(watch);
                }
            }
        }
        if let Some(ends_in) = operation.ends_in {
            let end = Instant::now() + ends_in;
            let (first, last) = self.expiry.unwrap_or((end, end));
            self.expiry = Some((first.min(end), last.max(end)));
        }
        // What expires now does so on one side first; watches are looked at after the pause.
        if !self.expires_soon() {
            self.follow_watches().await;
        }
        Ok(Some(ours))
    }

    /// Compares what watches have got by now.
    async fn follow_watches(&mut self) {
        let mut watches = std::mem::take(&mut self.watches);
        // The oldest of too many goes.
        if watches.len() > WATCHES {
            watches.remove(0).close(&mut self.sides.memory);
        }
        for mut watch in watches {
            match watch.follow(&mut self.sides.memory).await {
                Ok(new) => {
                    self.report.watched += new;
                    if !watch.has_ended() {
                        self.watches.push(watch);
                    }
                }
                Err(what) => {
                    let (ours, theirs) = watch.bodies();
                    let what = format!("{what}, seen after operation {}", self.report.operations - 1);
                    self.differs(watch.number, &watch.operation, &what, &ours, &theirs);
                    watch.close(&mut self.sides.memory);
                }
            }
        }
    }

    fn differs(&mut self, number: u64, operation: &Operation, what: &str, ours: &Answer, theirs: &Answer) {
        if let Some(id) = Known::find(operation, ours, theirs) {
            *self.report.known.entry(id).or_default() += 1;
            return;
        }
        let (ours, theirs) = (ours.line(), theirs.line());
        self.report.differs(number, format!("{what}\n  {operation}\n  memory: {ours}\n  real:   {theirs}"));
    }
}

/// Differences after which a run ends.
const ENOUGH: usize = 20;
/// Watches that wait at the same time.
const WATCHES: usize = 16;
/// Nothing is asked for so long before a key may expire, and after.
const BEFORE: Duration = Duration::from_millis(1_000);
const AFTER: Duration = Duration::from_millis(1_500);
/// How long an event may take that should not have come.
const LATE: Duration = Duration::from_millis(300);
