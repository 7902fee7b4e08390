//! What is sent again, over the whole stack in virtual time.

#![cfg(feature = "v2")]

mod double;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use double::answer;
use etcd_client::v2::{Client, ClientBuilder, Compare};
use etcd_client::{BoxError, Budget, Outcome, RetryConfig};
use etcd_transport::{ClassifyLayer, ConnectError, DynService, ReqBody, RespBody};
use tokio::time::Instant;
use tower_layer::Layer;

const NODE: &str = r#"{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":9,"createdIndex":9}}"#;
const NOT_FOUND: &str = r#"{"errorCode":100,"message":"Key not found","cause":"/a","index":9}"#;
const TIMED_OUT: &str =
    r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Does {
    Answer(u16, &'static str),
    Refuse,
    Cut,
    Hang,
}

/// How often which server was asked, as one text.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<String>>);

impl Asked {
    fn hosts(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// A client of servers `a`, `b` and `c` that do this in turn, and the last ever after.
fn cluster<const N: usize>(script: [Does; N]) -> (ClientBuilder, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let servers = tower_layer::layer_fn(move |_: DynService| {
        let log = log.clone();
        // What fails below is the connection's failure, and no layer's.
        ClassifyLayer::new().layer(tower::service_fn(move |request: http::Request<ReqBody>| {
            let does = {
                let mut hosts = log.0.lock().unwrap();
                hosts.push_str(request.uri().host().unwrap());
                script[(hosts.len() - 1).min(N - 1)]
            };
            async move {
                match does {
                    Does::Answer(status, body) => {
                        Ok::<http::Response<RespBody>, BoxError>(answer(status, body))
                    }
                    Does::Refuse => Err(ConnectError::new("refused").into()),
                    Does::Cut => Err("cut".into()),
                    Does::Hang => std::future::pending().await,
                }
            }
        }))
    });
    (Client::builder().endpoints("a,b,c").endpoint_layer(servers), asked)
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_write_is_sent_again_after_an_unknown_outcome_and_a_plain_one_is_not() {
    for does in [Does::Cut, Does::Answer(500, TIMED_OUT)] {
        let (builder, asked) = cluster([does, Does::Answer(200, NODE)]);
        let answer = builder.build().unwrap().set("/a", "1").idempotent(true).await.unwrap();
        assert_eq!((answer.attempts, asked.hosts().as_str()), (2, "ab"));
        let (builder, asked) = cluster([does, Does::Answer(200, NODE)]);
        let error = builder.build().unwrap().set("/a", "1").await.unwrap_err();
        assert_eq!((error.outcome(), asked.hosts().as_str()), (Outcome::Unknown, "a"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_is_missing_its_key_after_an_unknown_attempt_is_unknown() {
    for does in [Does::Cut, Does::Answer(500, TIMED_OUT)] {
        let (builder, asked) = cluster([does, Does::Answer(404, NOT_FOUND)]);
        let error = builder.build().unwrap().delete("/a").idempotent(true).await.unwrap_err();
        assert!(error.is_key_not_found());
        assert_eq!((error.outcome(), asked.hosts().as_str()), (Outcome::Unknown, "ab"));
    }
    // Nothing was sent before: then it is what it says.
    let (builder, _) = cluster([Does::Refuse, Does::Answer(404, NOT_FOUND)]);
    let error = builder.build().unwrap().delete("/a").idempotent(true).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[tokio::test(start_paused = true)]
async fn a_guarded_write_is_not_repeated_without_a_resolver() {
    let (builder, asked) = cluster([Does::Cut, Does::Answer(200, NODE)]);
    let client = builder.build().unwrap();
    let error = client.compare_and_swap("/a", "1", Compare::index(7)).await.unwrap_err();
    assert_eq!((error.outcome(), asked.hosts().as_str()), (Outcome::Unknown, "a"));
}

#[tokio::test(start_paused = true)]
async fn a_read_and_the_head_of_a_watch_go_on_while_a_member_is_silent() {
    for watch in [false, true] {
        let (builder, asked) = cluster([Does::Hang, Does::Answer(200, NODE)]);
        let (client, began) = (builder.build().unwrap(), Instant::now());
        match watch {
            true => drop(client.poll("/a").await.unwrap()),
            false => drop(client.get("/a").await.unwrap()),
        }
        assert!((500..510).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        assert_eq!(asked.hosts(), "ab");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_copy_of_a_write_takes_a_second_word() {
    for (reissue, hosts, after) in [(None, "ab", 8), (Some(false), "ab", 8), (Some(true), "ab", 0)] {
        let (builder, asked) = cluster([Does::Hang, Does::Answer(200, NODE)]);
        let (client, began) = (builder.build().unwrap(), Instant::now());
        let mut set = client.set("/a", "1").idempotent(true);
        if let Some(reissue) = reissue {
            set = set.reissue(reissue);
        }
        set.await.unwrap();
        assert_eq!((asked.hosts().as_str(), began.elapsed().as_secs()), (hosts, after), "{reissue:?}");
    }
    // Not for what was not declared idempotent.
    let (builder, asked) = cluster([Does::Hang, Does::Answer(200, NODE)]);
    let error = builder.build().unwrap().set("/a", "1").reissue(true).await.unwrap_err();
    assert_eq!((error.outcome(), asked.hosts().as_str()), (Outcome::Unknown, "a"));
}

#[tokio::test(start_paused = true)]
async fn a_call_says_for_itself_what_is_repeated() {
    let (builder, asked) = cluster([Does::Cut]);
    let client = builder.build().unwrap();
    assert!(client.get("/a").retry(false).await.unwrap_err().is_interrupted());
    assert_eq!(asked.hosts().len(), 1);
    assert!(client.get("/a").max_attempts(4).await.unwrap_err().is_interrupted());
    assert_eq!(asked.hosts().len(), 1 + 4);
    assert!(client.exists("/a").max_attempts(2).await.unwrap_err().is_interrupted());
    assert_eq!(asked.hosts().len(), 1 + 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_says_what_is_repeated_and_an_exempt_call_does_not_mind_an_empty_budget() {
    let empty = RetryConfig::new().budget(Some(Budget::new(0.0, 0)));
    let (builder, asked) = cluster([Does::Cut, Does::Cut, Does::Answer(200, NODE)]);
    let client = builder.retry(empty).build().unwrap();
    let error = client.get("/a").await.unwrap_err();
    assert!(error.is_interrupted() && error.is_budget_empty());
    client.get("/a").budget_exempt(true).await.unwrap();
    assert_eq!(asked.hosts().len(), 3);
    let (builder, asked) = cluster([Does::Refuse]);
    let error = builder.retry(RetryConfig::off()).build().unwrap().get("/a").await.unwrap_err();
    assert!(error.is_connect() && !error.is_budget_empty());
    assert_eq!(asked.hosts(), "abc");
}

#[tokio::test(start_paused = true)]
async fn servers_that_stay_away_are_asked_until_the_time_of_the_call_is_up() {
    let (builder, asked) = cluster([Does::Refuse]);
    let client = builder.call_timeout(Duration::from_secs(4)).build().unwrap();
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.outcome(), error.attempts().made()), (Outcome::NotApplied, asked.hosts().len()));
    assert!(asked.hosts().len() >= 15, "{}", asked.hosts());
}
