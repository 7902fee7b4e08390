//! Does an error tell the truth about its write?
//!
//! Random faults meet random calls on a cluster in memory; afterwards the store is asked. An error that says "not
//! applied" must have left no trace, not even later; one that says "applied", and a success, must have left one;
//! and what may be sent once was carried out once at most.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use etcd_client::v2::{Client, Compare};
use etcd_client::{Error, Outcome};
use etcd_testkit::memory::{Change, Fault, InProcess, MemoryEtcd, Profile, Rule, StalledWrites};
use etcd_tests::Wire;
use http::{Method, StatusCode};

/// A call that writes, with what the caller says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Set,
    SetIdempotent,
    Update,
    UpdateIdempotent,
    Refresh,
    RefreshByIndex,
    Create,
    CreateResolved,
    SwapByIndex,
    SwapByIndexResolved,
    SwapByValue,
    Delete,
    DeleteIdempotent,
    DeleteByIndex,
    DeleteByIndexResolved,
    Push,
    CreateDir,
    DeleteDir,
}

const WRITES: [Write; 18] = [
    Write::Set,
    Write::SetIdempotent,
    Write::Update,
    Write::UpdateIdempotent,
    Write::Refresh,
    Write::RefreshByIndex,
    Write::Create,
    Write::CreateResolved,
    Write::SwapByIndex,
    Write::SwapByIndexResolved,
    Write::SwapByValue,
    Write::Delete,
    Write::DeleteIdempotent,
    Write::DeleteByIndex,
    Write::DeleteByIndexResolved,
    Write::Push,
    Write::CreateDir,
    Write::DeleteDir,
];

impl Write {
    /// Whether the key has to be there before.
    fn wants_key(self) -> bool {
        !matches!(
            self,
            Self::Set
                | Self::SetIdempotent
                | Self::Create
                | Self::CreateResolved
                | Self::Push
                | Self::CreateDir
        )
    }

    /// Whether a second copy may be carried out too.
    fn may_happen_twice(self) -> bool {
        matches!(self, Self::SetIdempotent | Self::UpdateIdempotent | Self::DeleteIdempotent)
    }

    async fn make(self, client: &Client, key: &str, index: u64) -> Result<(), Error> {
        let ttl = Duration::from_secs(5_000);
        let by_index = || Compare::index(index);
        match self {
            Self::Set => client.set(key, "new").await.map(drop),
            Self::SetIdempotent => client.set(key, "new").idempotent(true).await.map(drop),
            Self::Update => client.update(key, "new").await.map(drop),
            Self::UpdateIdempotent => client.update(key, "new").idempotent(true).await.map(drop),
            Self::Refresh => client.refresh(key, ttl).await.map(drop),
            Self::RefreshByIndex => client.refresh(key, ttl).compare(by_index()).await.map(drop),
            Self::Create => client.create(key, "new").await.map(drop),
            Self::CreateResolved => client.create(key, "new").resolve(true).await.map(drop),
            Self::SwapByIndex => client.compare_and_swap(key, "new", by_index()).await.map(drop),
            Self::SwapByIndexResolved => {
                client.compare_and_swap(key, "new", by_index()).resolve(true).await.map(drop)
            }
            Self::SwapByValue => client.compare_and_swap(key, "new", Compare::value("old")).await.map(drop),
            Self::Delete => client.delete(key).await.map(drop),
            Self::DeleteIdempotent => client.delete(key).idempotent(true).await.map(drop),
            Self::DeleteByIndex => client.compare_and_delete(key, by_index()).await.map(drop),
            Self::DeleteByIndexResolved => {
                client.compare_and_delete(key, by_index()).resolve(true).await.map(drop)
            }
            Self::Push => client.create_in_order(key, "new").await.map(drop),
            Self::CreateDir => client.create_dir(key).await.map(drop),
            Self::DeleteDir => client.delete_dir(key).recursive(true).await.map(drop),
        }
    }
}

/// A fault and which requests meet it.
struct Trouble {
    rules: Vec<Rule>,
    changes: Vec<Change>,
    text: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Trouble {
    fn random(rng: &mut fastrand::Rng) -> Self {
        let mut trouble = Self { rules: Vec::new(), changes: Vec::new(), text: String::new() };
        // Now and then two at once: an unknown first copy and a second one that is refused, and the like.
        for _ in 0..rng.usize(1..=2) {
            let fault = fault(rng);
            let mut rule = Rule::new(fault.clone());
            let mut text = format!("{fault:?}");
            if rng.bool() {
                let member = rng.usize(0..3);
                rule = rule.member(member);
                text += &format!(" at member {member}");
            }
            let turn = rng.u64(1..=3);
            match rng.u8(0..4) {
                0 => {}
                1 => (rule, text) = (rule.nth(turn), format!("{text}, request {turn}")),
                2 => (rule, text) = (rule.first(turn), format!("{text}, first {turn}")),
                _ => (rule, text) = (rule.every(turn), format!("{text}, every {turn}")),
            }
            trouble.rules.push(rule);
            trouble.text += &format!("[{text}] ");
        }
        if rng.u8(0..8) == 0 {
            // Behind the others, which may hit first: nothing connects at last.
            trouble.rules.push(Rule::new(Fault::Refuse));
            trouble.text += "[Refuse] ";
        }
        if rng.u8(0..8) == 0 {
            let change = Change::NoLeader(Duration::from_millis(rng.u64(100..12_000)));
            trouble.text += &format!("{change:?}");
            trouble.changes.push(change);
            if rng.bool() {
                trouble.changes.push(Change::StalledWrites(StalledWrites::LandLater));
                trouble.text += ", stalled writes land later";
            }
        }
        trouble
    }
}

fn fault(rng: &mut fastrand::Rng) -> Fault {
    let late = Duration::from_millis(rng.u64(1..20_000));
    let cause = || "etcdserver: request timed out".to_owned();
    match rng.u8(0..16) {
        0 => Fault::Refuse,
        1 => Fault::Hang,
        2 => Fault::ResetBeforeHead,
        3 => Fault::ResetAfterHead,
        4 => Fault::CutBody(rng.usize(0..60)),
        5 => Fault::DropAnswer,
        6 => Fault::ErrorBefore { cause: cause() },
        7 => Fault::ErrorAfter { cause: cause() },
        8 => Fault::Unavailable,
        9 => Fault::Delay(late),
        10 => Fault::DelayAnswer(late),
        11 => Fault::Dribble { bytes: rng.usize(1..40), every: Duration::from_millis(rng.u64(1..2_000)) },
        12 => Fault::Html(StatusCode::BAD_GATEWAY),
        13 => Fault::HtmlAfter(StatusCode::BAD_GATEWAY),
        14 => Fault::ApplyLater(late),
        _ => Fault::Redirect("http://elsewhere.example:2379/".to_owned()),
    }
}

/// What is stored at or below a key, as one text.
async fn state(etcd: &InProcess, key: &str) -> String {
    let path = format!("/v2/keys{key}?recursive=true&sorted=true");
    let get = http::Request::get(path).body(String::new()).unwrap();
    let answer = tower::ServiceExt::oneshot(etcd.http_service(), get).await.unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    match text.contains(r#""errorCode""#) {
        true => "nothing".to_owned(),
        // What is left of a ttl changes by itself.
        false => {
            let node: serde_json::Value = serde_json::from_str(&text).unwrap();
            without_time(node["node"].clone()).to_string()
        }
    }
}

fn without_time(mut node: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = node.as_object_mut() {
        fields.remove("ttl");
    }
    node
}

struct Case<'a> {
    etcd: &'a InProcess,
    client: Client,
    write: Write,
    key: String,
}

impl Case<'_> {
    /// Makes the key as the call wants it; its index.
    async fn prepare(&self) -> u64 {
        if !self.write.wants_key() {
            return 0;
        }
        let client = Wire::client(self.etcd);
        if self.write == Write::DeleteDir {
            client.set_dir(&self.key).await.unwrap().index().get()
        } else {
            client.set(&self.key, "old").ttl(Duration::from_secs(1_000_000)).await.unwrap().index().get()
        }
    }

    /// What the caller was told, and what is wrong with that.
    async fn run(&self, trouble: Trouble) -> (Option<Outcome>, Option<String>) {
        let index = self.prepare().await;
        let before = state(self.etcd, &self.key).await;
        self.etcd.log().clear();
        trouble.rules.iter().cloned().for_each(|rule| self.etcd.faults().add(rule));
        for change in &trouble.changes {
            self.etcd.faults().apply(change.clone()).unwrap();
        }
        let told = self.write.make(&self.client, &self.key, index).await;
        self.etcd.faults().clear();
        // What is still on its way lands.
        self.etcd.advance(LANDED).await;
        let happened = state(self.etcd, &self.key).await != before;
        let writes = |method: &Method| *method != Method::GET;
        let carried_out =
            self.etcd.log().entries().iter().filter(|it| it.applied && writes(&it.method)).count();
        let wrong = match &told {
            Ok(()) if !happened => "a success that left no trace",
            Err(error) if error.outcome() == Outcome::NotApplied && happened => {
                "`not applied`, and it happened"
            }
            Err(error) if error.outcome() == Outcome::Applied && !happened => {
                "`applied`, and it did not happen"
            }
            _ if carried_out > 1 && !self.write.may_happen_twice() => "carried out twice",
            Ok(()) | Err(_) => "",
        };
        let outcome = told.as_ref().err().map(Error::outcome);
        let wrong =
            (!wrong.is_empty()).then(|| format!("{wrong}: {:?} under {trouble}; told {told:?}", self.write));
        (outcome, wrong)
    }
}

/// How many cases are run by a plain `cargo test`; `ETCD_FAILURE_CASES` asks for another number.
fn cases() -> u64 {
    let wanted = std::env::var("ETCD_FAILURE_CASES").ok();
    wanted.map_or(10_000, |wanted| wanted.parse().expect("ETCD_FAILURE_CASES is a number"))
}

/// Longer than any delay of a fault, and than the server's own patience.
const LANDED: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn no_error_that_says_not_applied_had_an_effect() {
    let seed = std::env::var("ETCD_FAILURE_SEED").ok().map_or(7, |seed| seed.parse().expect("a number"));
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut wrong, mut successes, mut errors) = (Vec::new(), 0, BTreeMap::new());
    let mut etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
    for number in 0..cases() {
        // A fresh store now and then keeps the cases independent and the store small.
        if number % 200 == 0 {
            let profile = if number % 400 == 0 { Profile::V3_5 } else { Profile::V3_4 };
            etcd = MemoryEtcd::builder().members(3).profile(profile).in_process().unwrap();
        }
        let write = WRITES[rng.usize(..WRITES.len())];
        let case = Case { etcd: &etcd, client: Wire::client(&etcd), write, key: format!("/k{number}") };
        let (outcome, lie) = case.run(Trouble::random(&mut rng)).await;
        wrong.extend(lie.map(|lie| format!("case {number}: {lie}")));
        match outcome {
            Some(outcome) => *errors.entry(outcome).or_insert(0) += 1,
            None => successes += 1,
        }
    }
    println!("{} calls under faults: {successes} successes, errors {errors:?}", cases());
    assert!(wrong.is_empty(), "{} with seed {seed}:\n{}", wrong.len(), wrong.join("\n"));
    // A test in which nothing fails shows nothing.
    for outcome in [Outcome::NotApplied, Outcome::Unknown, Outcome::Applied] {
        assert!(
            errors.get(&outcome).is_some_and(|seen| seen * 200 > cases()),
            "hardly any {outcome}: {errors:?}"
        );
    }
}
