//! Every recorded scenario, played against the store and compared with what real servers answered.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etcd_testkit::memory::{Answer, Profile, Store, WatchMode, WatcherId};
use http::{HeaderMap, Request};
use serde_json::Value;

use crate::recording::{Exchange, Scenario};
use crate::table::{self, Unrecorded};
use crate::{normal, recording};

/// A scenario being played.
struct Player {
    store: Store,
    now: SystemTime,
    /// Watches in the background by the number of their exchange.
    background: BTreeMap<usize, Background>,
    /// Ids and URLs of members as recorded, and as they are here.
    names: BTreeMap<String, String>,
}

struct Background {
    status: u16,
    headers: HeaderMap,
    watcher: Option<(WatcherId, WatchMode)>,
    body: Vec<u8>,
    ended: bool,
}

/// What is compared.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

#[test]
fn every_recorded_scenario_is_answered_as_real_servers_answered_it() {
    let scenarios = Scenario::all();
    assert!(scenarios.len() >= 46, "{} scenarios", scenarios.len());
    let mut failures = Vec::new();
    for scenario in &scenarios {
        failures.extend(play(scenario));
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn scenarios_without_a_recording_of_their_own_are_the_same_on_3_5() {
    let names: Vec<String> = Scenario::all().into_iter().map(|scenario| scenario.name).collect();
    let shared =
        names.iter().filter(|name| !names.contains(&format!("{name}.3.5")) && !name.ends_with(".3.5"));
    let mut failures = Vec::new();
    for name in shared {
        failures.extend(play_as(&recording::Scenario::named(name), Profile::V3_5));
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn play(scenario: &Scenario) -> Vec<String> {
    let profile = if scenario.name.ends_with(".3.5") { Profile::V3_5 } else { Profile::V3_4 };
    play_as(scenario, profile)
}

/// Plays a scenario; the differences found.
fn play_as(scenario: &Scenario, profile: Profile) -> Vec<String> {
    let mut player = Player::new(scenario, profile);
    let mut failures = Vec::new();
    for (number, exchange) in scenario.exchanges.iter().enumerate() {
        player.open_background(scenario, number);
        for action in table::before(base(&scenario.name), number) {
            player.act(base(&scenario.name), &action);
        }
        let seen = match player.background.remove(&number) {
            Some(watch) => player.finish(watch, exchange),
            None => player.ask(exchange),
        };
        player.learn(exchange, &seen.body);
        if let Err(difference) = compare(base(&scenario.name), exchange, &seen) {
            failures.push(format!(
                "{} #{number} {} {}: {difference}",
                scenario.name,
                exchange.method(),
                exchange.path()
            ));
        }
    }
    failures
}

/// The name of a scenario without its version.
fn base(name: &str) -> &str {
    name.strip_suffix(".3.5").unwrap_or(name)
}

impl Player {
    /// A store that stands where the recorded server stood.
    fn new(scenario: &Scenario, profile: Profile) -> Self {
        let now = UNIX_EPOCH + Duration::from_millis(1_795_246_900_300);
        let mut builder = Store::builder().profile(profile).started_at(now - Duration::from_secs(5));
        if scenario.name == "members-change" {
            builder = builder.members(3);
        }
        if let Some(index) = first_index(scenario) {
            builder = builder.initial_index(index);
        }
        let ids = scenario.exchanges.iter().find_map(|exchange| exchange.header("x-etcd-cluster-id"));
        if let Some(id) = ids {
            builder = builder.cluster_id(u64::from_str_radix(id, 16).unwrap());
        }
        Self { store: builder.build(), now, background: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// Opens the watches that were open before this exchange.
    fn open_background(&mut self, scenario: &Scenario, number: usize) {
        for (place, exchange) in scenario.exchanges.iter().enumerate() {
            if exchange.opened_before() == Some(number) && place >= number {
                let answer = self.send(&exchange.request(|text| self.translate(text)));
                self.background.insert(place, Background::new(answer));
            }
        }
    }

    fn ask(&mut self, exchange: &Exchange) -> Seen {
        let answer = self.send(&exchange.request(|text| self.translate(text)));
        // A watch that is not in the background is answered from the history.
        let mut watch = Background::new(answer);
        self.drain(&mut watch);
        watch.seen()
    }

    /// Waits for as many events as were recorded, 6 s at most, and then whether more come.
    fn finish(&mut self, mut watch: Background, exchange: &Exchange) -> Seen {
        let lines = exchange.body().lines().count();
        self.drain(&mut watch);
        for _ in 0..60 {
            if watch.body.split(|byte| *byte == b'\n').count() > lines {
                break;
            }
            self.now += Duration::from_millis(100);
            self.store.sync(self.now);
            self.drain(&mut watch);
        }
        assert_eq!(watch.ended, exchange.body_ended(), "{}", exchange.path());
        if let Some((watcher, _)) = watch.watcher {
            self.store.close_watch(watcher);
        }
        watch.seen()
    }

    fn drain(&mut self, watch: &mut Background) {
        let Some((watcher, mode)) = watch.watcher else { return };
        while let Some(line) = self.store.read_watch(watcher) {
            watch.body.extend_from_slice(&line);
            if mode == WatchMode::Poll {
                watch.ended = true;
                watch.watcher = None;
                return;
            }
        }
    }

    fn send(&mut self, request: &Request<Bytes>) -> Answer {
        self.now += Duration::from_millis(5);
        self.store.handle(0, request, self.now)
    }

    fn act(&mut self, scenario: &str, action: &Unrecorded) {
        let put = |key: &str| Request::put(format!("/v2/keys/{key}?value=v")).body(Bytes::new()).unwrap();
        match action {
            Unrecorded::Wait(time) => {
                self.now += *time;
                self.store.sync(self.now);
            }
            Unrecorded::Put(key) => drop(self.send(&put(&format!("fx-{scenario}/{key}")))),
            Unrecorded::PutMany(key, times) => {
                for _ in 0..*times {
                    self.send(&put(&format!("fx-{scenario}/{key}")));
                }
            }
            // Any change elsewhere will do.
            Unrecorded::ForeignExpiry => drop(self.send(&put("foreign"))),
        }
    }

    /// Notes which of our ids and URLs stand for the recorded ones.
    fn learn(&mut self, exchange: &Exchange, body: &str) {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let (recorded, ours) = (parse(exchange.body()), parse(body));
        for (recorded, ours) in members(&recorded).into_iter().zip(members(&ours)) {
            for field in ["/id", "/peerURLs/0"] {
                let text = |member: &Value| member.pointer(field).unwrap().as_str().unwrap().to_owned();
                self.names.insert(text(recorded), text(ours));
            }
        }
    }

    fn translate(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }
}

impl Background {
    fn new(answer: Answer) -> Self {
        match answer {
            Answer::Complete(response) => Self {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                watcher: None,
                body: response.into_body().to_vec(),
                ended: true,
            },
            Answer::Watch(watch) => Self {
                status: watch.head.status().as_u16(),
                headers: watch.head.headers().clone(),
                watcher: Some((watch.watcher, watch.mode)),
                body: Vec::new(),
                ended: false,
            },
            Answer::NoQuorum(stalled) => panic!("no majority: {stalled:?}"),
        }
    }

    fn seen(self) -> Seen {
        Seen { status: self.status, headers: self.headers, body: String::from_utf8(self.body).unwrap() }
    }
}

/// Members in an answer: those that run, by id, then those that do not.
fn members(answer: &Value) -> Vec<&Value> {
    let mut members: Vec<&Value> = match answer["members"].as_array() {
        Some(members) => members.iter().collect(),
        None if answer["peerURLs"].is_array() => vec![answer],
        None => Vec::new(),
    };
    members.sort_by_key(|member| member["name"] == "");
    members
}

/// The index of the recorded server before the scenario.
fn first_index(scenario: &Scenario) -> Option<u64> {
    let indexed = scenario.exchanges.iter().enumerate().find_map(|(number, exchange)| {
        let index: u64 = exchange.header("x-etcd-index")?.parse().unwrap();
        (index != 0).then_some((number, exchange, index))
    });
    let (number, exchange, index) = indexed?;
    let unrecorded: u64 =
        (0..=number).flat_map(|place| table::before(base(&scenario.name), place)).fold(0, |sum, action| {
            match action {
                Unrecorded::Wait(_) => sum,
                Unrecorded::Put(_) | Unrecorded::ForeignExpiry => sum + 1,
                Unrecorded::PutMany(_, times) => sum + u64::from(times),
            }
        });
    let reads = matches!(exchange.method().as_str(), "GET" | "HEAD") || exchange.status() >= 400;
    // Users and roles, which come before the first key there, take indexes.
    let auth = if scenario.name == "auth" { AUTH_STEPS } else { 0 };
    Some(index - unrecorded - u64::from(!reads) - auth)
}

fn compare(scenario: &str, exchange: &Exchange, seen: &Seen) -> Result<(), String> {
    if seen.status != exchange.status() {
        return Err(format!("status {} and not {}, {}", seen.status, exchange.status(), seen.body));
    }
    for name in ["content-type", "location", "allow", "x-etcd-index", "x-etcd-cluster-id"] {
        let ours = seen.headers.get(name).map(|value| value.to_str().unwrap());
        let mut recorded = exchange.header(name);
        if name == "content-type" && exchange.path() == "/metrics" {
            // The patch releases differ; only the type itself is compared.
            recorded = ours.filter(|ours| ours.starts_with("text/plain; version=0.0.4; charset=utf-8"));
        }
        if ours != recorded {
            return Err(format!("{name} is {ours:?} and not {recorded:?}"));
        }
    }
    for name in ["x-raft-index", "x-raft-term"] {
        let (ours, recorded) = (seen.headers.contains_key(name), exchange.header(name).is_some());
        if ours != recorded {
            return Err(format!("{name} is there: {ours}"));
        }
    }
    let ours = normal::body(scenario, exchange.path(), &seen.body);
    let recorded = normal::body(scenario, exchange.path(), exchange.body());
    if ours != recorded {
        return Err(format!("body\n  {ours}\nand not\n  {recorded}"));
    }
    Ok(())
}

/// Four for etcd's own entries, ten for users, roles and the switch.
const AUTH_STEPS: u64 = 14;
