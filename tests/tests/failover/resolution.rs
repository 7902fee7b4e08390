//! Does a resolved write tell the truth when its answer is lost?
//!
//! The truth is asked of members directly. A rival who has no faults knows what became of his own write, and of two
//! who name the same index one alone can succeed.

use std::cell::Cell;

use etcd_client::v2::{Client, Compare, Index, KeysResponse};
use etcd_client::{Error, Outcome};
use etcd_testkit::proxy::{Fault, Rule};
use etcd_testkit::real::Server;
use etcd_tests::each_real_server;
use etcd_tests::failover::Proxied;
use http::{Method, StatusCode};

/// A guarded write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Create,
    Swap,
    Delete,
}

/// Somebody else who wants the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    None,
    /// He has it before the write is made.
    First,
    /// Both at once.
    Race,
    /// He waits until the write is seen, and takes its place: what is read then is his.
    Behind,
}

const RIVALS: [Rival; 4] = [Rival::None, Rival::First, Rival::Race, Rival::Behind];

/// A write is applied and its answer lost, in four ways; or it is lost itself.
fn faults() -> [Fault; 5] {
    [
        Fault::DropAnswer,
        Fault::ResetAnswer,
        Fault::GatewayAfter(StatusCode::GATEWAY_TIMEOUT),
        Fault::CutBody(20),
        Fault::DropRequest,
    ]
}

#[tokio::test]
async fn a_resolved_compare_and_swap_tells_the_truth() {
    tells_the_truth(Write::Swap).await;
}

#[tokio::test]
async fn a_resolved_compare_and_delete_tells_the_truth() {
    tells_the_truth(Write::Delete).await;
}

#[tokio::test]
async fn a_resolved_create_tells_the_truth() {
    tells_the_truth(Write::Create).await;
}

async fn tells_the_truth(write: Write) {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let proxied = Proxied::all(server).await;
            let direct = proxied.direct();
            let (mut mine, mut lost) = (0, 0);
            for number in 0..runs() {
                let run = Run::new(write, number, direct.clone());
                let fault = faults()[number / RIVALS.len() % faults().len()].clone();
                let method = if write == Write::Delete { Method::DELETE } else { Method::PUT };
                let rule = Rule::new(fault.clone()).method(method.clone()).key_prefix(&run.key).nth(1);
                // At one member alone, or at each the first time: three copies of which nothing is known.
                match (number + number / RIVALS.len()) % 2 {
                    0 => proxied.add_to_first(rule),
                    _ => proxied.add(&rule),
                }
                // A client of its own begins with the first member.
                let client = proxied.client().build().expect("proxies have endpoints");
                let (told, applied) = run.make(&client).await;
                proxied.clear();
                let scene =
                    format!("run {number}: {write:?} under {fault:?}, rival {:?}: {told:?}", run.rival);
                assert!(proxied.attempts(&method, &format!("/v2/keys{}", run.key)) > 0, "{scene}");
                assert_truth(write, run.rival, &told, applied, &scene);
                mine += usize::from(applied);
                lost += usize::from(!applied);
            }
            println!("{write:?}: {mine} applied, {lost} not");
            assert!(mine > 0 && lost > 0, "{mine} applied, {lost} not");
        },
    )
    .await;
}

fn assert_truth(write: Write, rival: Rival, told: &Result<KeysResponse, Error>, applied: bool, scene: &str) {
    let says = match told {
        Ok(_) => Some(true),
        Err(error) => match error.outcome() {
            Outcome::Applied => Some(true),
            Outcome::NotApplied => Some(false),
            Outcome::Unknown => None,
        },
    };
    match says {
        Some(says) => assert_eq!(says, applied, "{scene}"),
        // Of a key that is somebody else's nothing is proved: one's own may have been there before.
        None => assert!(write == Write::Create && rival != Rival::None, "{scene}"),
    }
}

/// One write of one key.
struct Run {
    write: Write,
    rival: Rival,
    key: String,
    value: String,
    direct: Client,
    /// Whether the rival has got what both want.
    taken: Cell<bool>,
    /// Whether the call has ended.
    over: Cell<bool>,
}

impl Run {
    fn new(write: Write, number: usize, direct: Client) -> Self {
        let rival = RIVALS[number % RIVALS.len()];
        let key = format!("/resolved/{write:?}-{number}/key");
        // Unlike anybody else's, as the resolver asks for.
        let value = format!("mine {number} {}", fastrand::u64(..));
        Self { write, rival, key, value, direct, taken: Cell::new(false), over: Cell::new(false) }
    }

    /// What the caller was told, and whether the write was applied.
    async fn make(&self, client: &Client) -> (Result<KeysResponse, Error>, bool) {
        let index = match self.write {
            Write::Create => Index::NONE,
            Write::Swap | Write::Delete => {
                self.direct.set(&*self.key, "before").await.expect("a healthy cluster").index()
            }
        };
        if self.rival == Rival::First {
            self.take(index).await;
        }
        let call = async {
            let told = self.call(client, index).await;
            self.over.set(true);
            told
        };
        let (told, ()) = tokio::join!(call, async {
            match self.rival {
                Rival::None | Rival::First => {}
                Rival::Race => self.take(index).await,
                Rival::Behind => self.follow().await,
            }
        });
        let now = self.now().await;
        let untouched = match self.write {
            Write::Create => now.is_none(),
            Write::Swap | Write::Delete => now.is_some_and(|(_, at)| at == index),
        };
        (told, !untouched && !self.taken.get())
    }

    async fn call(&self, client: &Client, index: Index) -> Result<KeysResponse, Error> {
        let (key, value) = (self.key.as_str(), self.value.as_str());
        match self.write {
            Write::Create => client.create(key, value).resolve(true).await,
            Write::Swap => client.compare_and_swap(key, value, Compare::index(index)).resolve(true).await,
            Write::Delete => client.compare_and_delete(key, Compare::index(index)).resolve(true).await,
        }
    }

    /// The rival wants the same.
    async fn take(&self, index: Index) {
        let taken = match self.write {
            Write::Create => self.direct.create(&*self.key, "rival").await,
            // By a swap also where the write is a deletion: two deletions of one index have one effect.
            Write::Swap | Write::Delete => {
                self.direct.compare_and_swap(&*self.key, "rival", Compare::index(index)).await
            }
        };
        match taken {
            Ok(_) => self.taken.set(true),
            Err(error) => assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}"),
        }
    }

    /// The rival takes the place of the write as soon as he sees it.
    async fn follow(&self) {
        // Ends with the call, which has a limit.
        while !self.over.get() {
            let now = self.now().await;
            let followed = match (self.write, now) {
                (Write::Create | Write::Swap, Some((value, at))) if value == self.value => {
                    self.direct.compare_and_swap(&*self.key, "behind", Compare::index(at)).await
                }
                (Write::Delete, None) => self.direct.create(&*self.key, "behind").await,
                (Write::Create | Write::Swap | Write::Delete, _) => continue,
            };
            // Nobody else can have taken it meanwhile but a further copy, which fails as well.
            followed.expect("a healthy cluster");
            return;
        }
    }

    /// Value and index of the key.
    async fn now(&self) -> Option<(String, Index)> {
        match self.direct.get(&*self.key).quorum(true).await {
            Ok(answer) => Some((answer.text().to_owned(), answer.index())),
            Err(error) if error.is_key_not_found() => None,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn runs() -> usize {
    let wanted = std::env::var("ETCD_FAILURE_RUNS").ok();
    wanted.map_or(20, |wanted| wanted.parse().expect("ETCD_FAILURE_RUNS is a number"))
}
