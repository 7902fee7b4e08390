//! Every recorded exchange with etcd 0.3 to 3.5: what we would have sent means the same, and what came back
//! becomes the typed answer or the typed error.
//!
//! Nothing is passed over in silence: whatever is left out is counted under its reason, and the counts are
//! written down here.

mod recordings_support;

use std::collections::BTreeMap;

use etcd_proto::v2::{ErrorCode, Operation};
use recordings_support::exchange::{self, Exchange};
use recordings_support::meaning::{Meaning, Parts, Refused};
use recordings_support::{answer, error, typed};

/// Exchanges in `tests/recordings`. The folder `v0.4.9-modules-reenabled` of the original recordings is not
/// among them: no release ever served what it shows.
const EXCHANGES: usize = 1282;

/// Requests that we encode to the same meaning.
const ENCODED: usize = 913;

/// Answers that become a typed answer, and such as become a typed error.
const DECODED: (usize, usize) = (681, 422);

/// The exchanges in which the server said nothing: only what we send is looked at.
const SILENT: &[&str] = &[
    "v0.4/v0.3.0/cluster-no-quorum.json#2",
    "v0.4/v0.3.0/watch.json#8",
    "v0.4/v0.3.0/watch.json#13",
    "v0.4/v0.4.6/cluster-no-quorum.json#2",
    "v0.4/v0.4.6/cluster-no-quorum.json#3",
];

/// The files with requests to `/mod/…`, and how many each has.
const MODULES: &[(&str, usize)] = &[
    ("v0.4/v0.3.0/cluster-lock-on-follower.json", 7),
    ("v0.4/v0.3.0/leader-ttl-expiry.json", 4),
    ("v0.4/v0.3.0/leader.json", 19),
    ("v0.4/v0.3.0/lock-acquire-errors.json", 12),
    ("v0.4/v0.3.0/lock-acquire-fifo.json", 14),
    ("v0.4/v0.3.0/lock-form-body.json", 5),
    ("v0.4/v0.3.0/lock-middle-waiter-gone.json", 5),
    ("v0.4/v0.3.0/lock-renew-release-index.json", 18),
    ("v0.4/v0.3.0/lock-timeout.json", 5),
    ("v0.4/v0.3.0/lock-ttl-expiry.json", 7),
    ("v0.4/v0.3.0/lock-value.json", 15),
    ("v0.4/v0.3.0/lock-waiter-disconnect.json", 3),
    ("v0.4/v0.4.9/modules-not-served.json", 7),
    ("v0.4/v2.3.8/modules-not-served.json", 7),
];

/// Requests that our types do not allow, by reason.
const NOT_ENCODED: &[(Refused, usize)] = &[
    ("/v2/keys without a slash, which 0.x does not know", 2),
    ("JSON without its content type", 2),
    ("a body that is no JSON", 2),
    ("a flag that is neither true nor false", 27),
    ("a form that cannot be parsed", 6),
    ("a key that is no UTF-8", 1),
    ("a member without peer URLs", 2),
    ("a method that no call of ours has", 15),
    ("a name in the body that is not the path's", 2),
    (typed::FOREIGN, 85),
    ("a path that cannot be decoded", 1),
    ("a path that is not clean", 9),
    ("a refresh with a value", 2),
    ("a refresh without prevExist, which makes the node anew", 10),
    ("a refresh without ttl", 4),
    ("a ttl of 0 or above 9,000,000,000 s", 6),
    ("a ttl that is no number", 14),
    ("a user without a password", 1),
    ("a value that is no UTF-8", 1),
    ("an empty prevValue", 9),
    ("an index that is no number", 16),
    ("an update of a directory with a value", 3),
    ("consistent=true, which 0.x alone knows", 11),
    ("index 0", 6),
    ("several changes of a user at once", 1),
    (MODULE, 128),
    ("wait on a write", 3),
];

/// Answers that are not looked at, by reason.
const NOT_DECODED: &[(Refused, usize)] = &[(FOREIGN_SUCCESS, 46), (SILENCE, 5), (MODULE, 128)];

const MODULE: Refused = "the lock and leader modules, which no call of ours uses";
const SILENCE: Refused = "no answer came";
const FOREIGN_SUCCESS: Refused = "a success of what no call of ours asks for";

#[test]
fn what_we_send_means_the_same_as_what_was_recorded() {
    let mut left_out = LeftOut::default();
    let mut encoded = 0;
    for exchange in exchange::all() {
        match call(&exchange) {
            Ok(call) => {
                for operation in &call.operations {
                    check_encoding(&exchange, operation, &call.meaning);
                }
                encoded += 1;
            }
            Err(reason) => left_out.add(reason, &exchange),
        }
    }
    left_out.assert_is(NOT_ENCODED);
    assert_eq!(encoded, ENCODED);
    assert_eq!(encoded + left_out.len(), EXCHANGES);
}

#[test]
fn what_came_back_becomes_the_typed_answer_or_error() {
    let mut left_out = LeftOut::default();
    let (mut answers, mut errors) = (0, 0);
    for exchange in exchange::all() {
        if is_module(&exchange) {
            left_out.add(MODULE, &exchange);
            continue;
        }
        let Some(answer) = &exchange.answer else {
            left_out.add(SILENCE, &exchange);
            continue;
        };
        let (operations, foreign) = match call(&exchange) {
            Ok(call) => (call.operations, false),
            Err(reason) => (vec![nearest(&exchange)], FOREIGN.contains(&reason)),
        };
        if foreign && answer.status.is_success() {
            left_out.add(FOREIGN_SUCCESS, &exchange);
            continue;
        }
        for operation in &operations {
            check_answer(&exchange, operation);
        }
        if answer.status.is_success() { answers += 1 } else { errors += 1 }
    }
    left_out.assert_is(NOT_DECODED);
    assert_eq!((answers, errors), DECODED);
    assert_eq!(answers + errors + left_out.len(), EXCHANGES);
}

#[test]
fn every_recorded_error_code_has_the_servers_own_message() {
    let mut seen = BTreeMap::<u16, usize>::new();
    for exchange in exchange::all().iter().filter(|exchange| !is_module(exchange)) {
        let recorded = exchange.answer.as_ref().and_then(error::code_and_message);
        let Some((code, message)) = recorded else { continue };
        assert_ne!(code, ErrorCode::Other(code.get()), "{exchange}");
        assert_eq!(code.message(), Some(&*message), "{exchange}");
        *seen.entry(code.get()).or_default() += 1;
    }
    let codes: Vec<u16> = seen.into_keys().collect();
    assert_eq!(
        codes,
        [100, 101, 102, 104, 105, 107, 108, 110, 201, 202, 203, 204, 209, 210, 211, 212, 300, 301, 401]
    );
}

#[test]
fn no_other_exchange_is_silent_or_asks_for_a_module() {
    let exchanges = exchange::all();
    assert_eq!(exchanges.len(), EXCHANGES);
    let silent: Vec<String> =
        exchanges.iter().filter(|it| it.answer.is_none() && !is_module(it)).map(Exchange::id).collect();
    assert_eq!(silent, SILENT);
    let mut modules = BTreeMap::<&str, usize>::new();
    for exchange in exchanges.iter().filter(|it| is_module(it)) {
        *modules.entry(&exchange.file).or_default() += 1;
    }
    assert_eq!(modules, MODULES.iter().copied().collect());
}

/// A recorded request that our types allow.
struct RecordedCall {
    meaning: Meaning,
    operations: Vec<Operation>,
}

fn call(exchange: &Exchange) -> Result<RecordedCall, Refused> {
    if is_module(exchange) {
        return Err(MODULE);
    }
    let meaning = Parts::recorded(exchange).meaning()?;
    let operations = typed::operations(&meaning)?;
    Ok(RecordedCall { meaning, operations })
}

fn is_module(exchange: &Exchange) -> bool {
    exchange.target.starts_with("/mod/")
}

fn nearest(exchange: &Exchange) -> Operation {
    let (path, _) = exchange.target.split_once('?').unwrap_or((&exchange.target, ""));
    typed::nearest(&exchange.method, path)
}

fn check_encoding(exchange: &Exchange, operation: &Operation, meaning: &Meaning) {
    let request = operation.encode().unwrap_or_else(|error| panic!("{exchange}: {error}"));
    let parts = Parts::encoded(exchange.server, &request);
    assert_eq!(parts.meaning().as_ref(), Ok(meaning), "{exchange}");
    // Ours is the normal form itself: nothing in it that the server would not heed, and nothing twice.
    let sent: BTreeMap<String, String> = parts
        .parameters()
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(sent.len(), parts.parameters().unwrap().len(), "{exchange}");
    if operation.key().is_some() {
        let wanted: BTreeMap<String, String> =
            meaning.parameters.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        assert_eq!(sent, wanted, "{exchange}");
        assert_eq!(parts.decoded_path().as_deref(), Ok(&*meaning.path), "{exchange}");
    } else {
        assert!(sent.is_empty(), "{exchange}");
    }
}

fn check_answer(exchange: &Exchange, operation: &Operation) {
    let answer = exchange.answer.as_ref().unwrap();
    let is_watch = matches!(operation, Operation::Watch(_));
    if is_watch && answer.status.is_success() {
        answer::check_watch(exchange, answer);
        if answer.values().len() > 1 {
            return;
        }
    }
    if is_watch && !answer.status.is_success() {
        let error = Operation::decode_watch_head(answer.status, &answer.headers, &answer.body).unwrap_err();
        error::check(&exchange.to_string(), operation, answer, &error);
    }
    match operation.decode(answer.status, &answer.headers, &answer.body) {
        Ok(response) => answer::check(exchange, operation, answer, response),
        Err(error) => {
            assert!(!answer.status.is_success(), "{exchange}: {error}");
            error::check(&exchange.to_string(), operation, answer, &error);
        }
    }
}

/// What was left out, and why.
#[derive(Default)]
struct LeftOut(BTreeMap<Refused, Vec<String>>);

impl LeftOut {
    fn add(&mut self, reason: Refused, exchange: &Exchange) {
        self.0.entry(reason).or_default().push(exchange.to_string());
    }

    fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    fn assert_is(&self, wanted: &[(Refused, usize)]) {
        let got: BTreeMap<Refused, usize> =
            self.0.iter().map(|(reason, list)| (*reason, list.len())).collect();
        assert_eq!(got, wanted.iter().copied().collect(), "left out: {:#?}", self.0);
    }
}

/// Reasons under which a request is none of ours at all, so that only its refusals say something to us.
const FOREIGN: &[Refused] = &[typed::FOREIGN, "a method that no call of ours has"];
