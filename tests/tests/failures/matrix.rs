//! The failure matrix: what a caller of each class is told under each fault, how many copies of the request the
//! servers got, and whether the store holds what the outcome says.
//!
//! Kept for every row: an in-order create and a guarded write without a resolver are sent once and never again.
//! Where an answer was a success with an index, and only what followed its head is lost, the outcome of a write is
//! `Applied` and not `Unknown`: etcd has said that it was written.
//!
//! Not here: what has no connection to lose in this process (name lookup, TLS, a connect that hangs), and watches.

mod cell;
mod column;
mod trouble;

use std::time::Duration;

use bytes::Bytes;
use etcd_client::Outcome::{Applied, NotApplied, Unknown};
use etcd_testkit::memory::{Change, Fault};
use http::StatusCode;

use self::cell::{Copies, Expect, Lands};
use self::column::Column;
use self::trouble::{Page, Trouble};

/// What happens, and what is expected for a read, an idempotent, a guarded and a resolved write, and a POST.
struct Row(&'static str, Trouble, Lands, [Expect; 5]);

/// A success after so many copies.
fn ok(copies: usize) -> Expect {
    Expect::Succeeds { attempts: Copies::Exactly(copies) }
}

/// A success after so many copies or more.
fn ok_after(copies: usize) -> Expect {
    Expect::Succeeds { attempts: Copies::AtLeast(copies) }
}

/// An error after so many copies. A read's outcome is always `NotApplied`, whatever stands here.
fn error(kind: &'static str, outcome: etcd_client::Outcome, copies: usize) -> Expect {
    Expect::Error { kind, outcome, attempts: Copies::Exactly(copies) }
}

/// An error after so many copies or more.
fn error_after(kind: &'static str, outcome: etcd_client::Outcome, copies: usize) -> Expect {
    Expect::Error { kind, outcome, attempts: Copies::AtLeast(copies) }
}

/// What may be repeated is, once; the others end with this kind and are not known.
fn repeated(kind: &'static str) -> [Expect; 5] {
    let unknown = error(kind, Unknown, 1);
    [ok(2), ok(2), unknown, ok(2), unknown]
}

/// A read is repeated; a write has happened, and its caller is told so.
fn has_happened(kind: &'static str) -> [Expect; 5] {
    let applied = error(kind, Applied, 1);
    [ok(2), applied, applied, applied, applied]
}

/// All classes end with this, at the first copy.
fn refused(kind: &'static str) -> [Expect; 5] {
    [error(kind, NotApplied, 1); 5]
}

async fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for Row(name, trouble, lands, expected) in rows {
        for (column, expect) in Column::ALL.into_iter().zip(expected) {
            wrong.extend(cell::check(name, trouble.clone(), lands, column, expect).await);
        }
    }
    assert!(wrong.is_empty(), "{} cells are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_refused() {
    check(vec![
        Row("refused by the member in use", Trouble::InUse(Fault::Refuse), Lands::Lost, [ok(1); 5]),
        Row(
            "refused by all members",
            Trouble::Everywhere(Fault::Refuse),
            Lands::Lost,
            [error("Connect", NotApplied, 0); 5],
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn connections_that_end() {
    use Trouble::{Everywhere, First, InUse};
    let everywhere = [
        error_after("Interrupted", NotApplied, 3),
        error_after("Interrupted", Unknown, 3),
        error("Interrupted", Unknown, 1),
        error_after("Interrupted", Unknown, 3),
        error("Interrupted", Unknown, 1),
    ];
    check(vec![
        Row("reset, not applied", InUse(Fault::ResetBeforeHead), Lands::Lost, repeated("Interrupted")),
        Row("closed, applied", InUse(Fault::DropAnswer), Lands::Applied, repeated("Interrupted")),
        Row("the member dies", Trouble::Dies, Lands::Lost, repeated("Interrupted")),
        Row(
            "disk full: cut, then refused",
            First(Fault::ResetBeforeHead, Fault::Refuse),
            Lands::Lost,
            repeated("Interrupted"),
        ),
        Row("reset by all members", Everywhere(Fault::ResetBeforeHead), Lands::Lost, everywhere),
        Row(
            "reset behind the head",
            InUse(Fault::ResetAfterHead),
            Lands::Applied,
            has_happened("BodyInterrupted"),
        ),
        Row("body cut", InUse(Fault::CutBody(20)), Lands::Applied, has_happened("BodyInterrupted")),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn members_that_are_silent_or_slow() {
    let late = Duration::from_secs(20);
    let second = Duration::from_secs(1);
    let slow = [
        ok(2),
        ok(2),
        error("AttemptTimeout", Unknown, 1),
        // The copies beside it are refused, for it was applied; it is waited for until its limit.
        ok_after(2),
        error("AttemptTimeout", Unknown, 1),
    ];
    let all_frozen = [
        error_after("", NotApplied, 2),
        error_after("", Unknown, 2),
        error("AttemptTimeout", Unknown, 1),
        error_after("", Unknown, 2),
        error("AttemptTimeout", Unknown, 1),
    ];
    check(vec![
        Row("frozen", Trouble::InUse(Fault::Hang), Lands::Lost, repeated("AttemptTimeout")),
        Row("all frozen", Trouble::Everywhere(Fault::Hang), Lands::Lost, all_frozen),
        Row("answers late", Trouble::InUse(Fault::DelayAnswer(late)), Lands::Applied, slow),
        Row(
            "one byte per second",
            Trouble::InUse(Fault::Dribble { bytes: 1, every: second }),
            Lands::Applied,
            has_happened("AttemptTimeout"),
        ),
        Row(
            "silent within the body",
            Trouble::InUse(Fault::StallBody(20)),
            Lands::Applied,
            has_happened("AttemptTimeout"),
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_of_members_that_cannot_serve() {
    let cause = || "etcdserver: request timed out".to_owned();
    let everywhere = |kind| {
        [
            error_after(kind, NotApplied, 3),
            error_after(kind, Unknown, 3),
            error(kind, Unknown, 1),
            error_after(kind, Unknown, 3),
            error(kind, Unknown, 1),
        ]
    };
    check(vec![
        Row(
            "500 with code 300, not applied",
            Trouble::InUse(Fault::ErrorBefore { cause: cause() }),
            Lands::Lost,
            repeated("ClusterUnavailable"),
        ),
        Row(
            "500 with code 300, applied",
            Trouble::InUse(Fault::ErrorAfter { cause: cause() }),
            Lands::Applied,
            repeated("ClusterUnavailable"),
        ),
        Row(
            "500 with code 300 from all members",
            Trouble::Everywhere(Fault::ErrorBefore { cause: cause() }),
            Lands::Lost,
            everywhere("ClusterUnavailable"),
        ),
        Row("503", Trouble::InUse(Fault::Unavailable), Lands::Lost, repeated("Status")),
        Row(
            "503 from all members",
            Trouble::Everywhere(Fault::Unavailable),
            Lands::Lost,
            everywhere("Status"),
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_etcds() {
    let html = "<html>no</html>";
    check(vec![
        Row(
            "502 in HTML",
            Trouble::InUse(Fault::Html(StatusCode::BAD_GATEWAY)),
            Lands::Lost,
            repeated("NotEtcd"),
        ),
        Row(
            "504 in plain text, applied",
            Trouble::Page(Page::behind(504, "text/plain", "Gateway Timeout\n")),
            Lands::Applied,
            repeated("Status"),
        ),
        Row(
            "504 in HTML, applied",
            Trouble::Page(Page::behind(504, "text/html", html)),
            Lands::Applied,
            repeated("NotEtcd"),
        ),
        Row("200 in HTML", Trouble::InUse(Fault::Html(StatusCode::OK)), Lands::Lost, repeated("NotEtcd")),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn successes_that_cannot_be_read() {
    // Larger than the default limit of an answer, 64 MiB.
    let large = Bytes::from(vec![b' '; (64 << 20) + 1]);
    let too_large = error("BodyTooLarge", Applied, 1);
    check(vec![
        Row(
            "truncated JSON",
            Trouble::Page(Page::body(&br#"{"action":"#[..])),
            Lands::Applied,
            has_happened("Unreadable"),
        ),
        Row("no JSON at all", Trouble::Page(Page::body("0")), Lands::Applied, has_happened("Unreadable")),
        Row(
            "etcd's answer said to be HTML",
            Trouble::Page(Page::content_type("text/html")),
            Lands::Applied,
            // It can be read, so it is one. A read may be asked for again all the same.
            [ok_after(1), ok(1), ok(1), ok(1), ok(1)],
        ),
        Row("body over the limit", Trouble::Page(Page::body(large)), Lands::Applied, [too_large; 5]),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn clusters_without_a_leader() {
    check(vec![
        Row(
            "no leader for two seconds",
            Trouble::Before(Change::NoLeader(Duration::from_secs(2))),
            Lands::Lost,
            [
                ok_after(2),
                ok(2),
                error("ClusterUnavailable", Unknown, 1),
                ok_after(2),
                error("ClusterUnavailable", Unknown, 1),
            ],
        ),
        Row(
            "no leader for a minute",
            Trouble::Before(Change::NoLeader(Duration::from_secs(60))),
            Lands::Lost,
            [
                error_after("", NotApplied, 2),
                error_after("", Unknown, 2),
                error("ClusterUnavailable", Unknown, 1),
                error_after("", Unknown, 2),
                error("ClusterUnavailable", Unknown, 1),
            ],
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_send_the_client_elsewhere() {
    check(vec![
        Row("307 to a member", Trouble::ToAnother, Lands::Lost, [ok(2); 5]),
        Row(
            "307 to a stranger",
            Trouble::InUse(Fault::Redirect("http://elsewhere.example:2379/v2/keys/k".to_owned())),
            Lands::Lost,
            refused("Redirect"),
        ),
        Row("308 to a stranger", Trouble::Page(Page::redirect(308)), Lands::Lost, refused_unseen("Redirect")),
        Row("301", Trouble::Page(Page::redirect(301)), Lands::Lost, refused_unseen("InvalidKey")),
        // Not what etcd itself says of a path: it proves nothing of a write.
        Row("302", Trouble::Page(Page::redirect(302)), Lands::Lost, moved()),
        Row("303", Trouble::Page(Page::redirect(303)), Lands::Lost, moved()),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_refuse_the_caller() {
    let json = "application/json";
    let unauthorized = r#"{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}"#;
    check(vec![
        Row(
            "401 with code 110",
            Trouble::Page(Page::instead(401, json, unauthorized)),
            Lands::Lost,
            refused_unseen("Unauthorized"),
        ),
        Row(
            "401 without a code",
            Trouble::Page(Page::instead(401, json, r#"{"message":"Insufficient credentials"}"#)),
            Lands::Lost,
            refused_unseen("Unauthorized"),
        ),
        Row(
            "404 in plain text",
            Trouble::Page(Page::instead(404, "text/plain; charset=utf-8", "404 page not found\n")),
            Lands::Lost,
            refused_unseen("V2NotEnabled"),
        ),
        Row("403", Trouble::Page(Page::instead(403, "text/plain", "no\n")), Lands::Lost, refused_unseen("")),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn clusters_that_are_another_one() {
    let changed = error("ClusterChanged", Applied, 1);
    check(vec![Row(
        "the cluster was replaced",
        Trouble::Before(Change::ClusterId(7)),
        Lands::Applied,
        // A read goes on to every member. A write was written: in the wrong cluster.
        [error("ClusterChanged", NotApplied, 3), changed, changed, changed, changed],
    )])
    .await;
}

/// All classes end with this, and nothing has reached etcd.
fn refused_unseen(kind: &'static str) -> [Expect; 5] {
    [error(kind, NotApplied, 0); 5]
}

/// A redirect that is never followed, and that etcd does not give.
fn moved() -> [Expect; 5] {
    [error("InvalidKey", Unknown, 0); 5]
}
