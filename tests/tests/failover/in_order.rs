//! An in-order create is sent once, whatever becomes of it: nobody could tell two copies apart.

use std::time::Duration;

use etcd_client::v2::{Client, KeysResponse};
use etcd_client::{Error, Outcome};
use etcd_testkit::proxy::{ConnectionFault, ConnectionRule, Direction, Fault, Rule};
use etcd_testkit::real::Server;
use etcd_tests::failover::Proxied;
use etcd_tests::{each_real_server, eventually};
use futures_util::future::join_all;
use http::{Method, StatusCode};

/// What a request may meet, and whether the member has it by then.
fn faults() -> Vec<(Fault, bool)> {
    let redirect = |status| Fault::Redirect { status, location: "http://elsewhere.invalid/v2/keys".into() };
    vec![
        (Fault::Hang, false),
        (Fault::HangAnswer, true),
        (Fault::ResetBeforeHead, false),
        (Fault::DropRequest, false),
        (Fault::ResetAfterHead, true),
        (Fault::CutBody(0), true),
        (Fault::CutBody(20), true),
        (Fault::ResetBody(20), true),
        (Fault::DropAnswer, true),
        (Fault::ResetAnswer, true),
        (Fault::GatewayBefore(StatusCode::BAD_GATEWAY), false),
        (Fault::GatewayBefore(StatusCode::SERVICE_UNAVAILABLE), false),
        (Fault::GatewayAfter(StatusCode::BAD_GATEWAY), true),
        (Fault::GatewayAfter(StatusCode::GATEWAY_TIMEOUT), true),
        (Fault::Html(StatusCode::OK), false),
        (Fault::Html(StatusCode::INTERNAL_SERVER_ERROR), false),
        (redirect(StatusCode::MOVED_PERMANENTLY), false),
        (redirect(StatusCode::TEMPORARY_REDIRECT), false),
        (redirect(StatusCode::PERMANENT_REDIRECT), false),
        (Fault::Status(StatusCode::INTERNAL_SERVER_ERROR), true),
        (Fault::ContentType("text/html".into()), true),
        (Fault::FlipByte(0), true),
        (Fault::DelayAnswer(10 * ATTEMPT), true),
        (Fault::Dribble { bytes: 1, every: ATTEMPT }, true),
    ]
}

/// What a connection may do under a request that it has begun to carry.
fn connection_faults() -> Vec<ConnectionFault> {
    let mut faults = Vec::new();
    // Inside the request's head, behind all of the request, inside the answer's head.
    for (direction, after) in [(Direction::ToServer, 30), (Direction::ToClient, 0), (Direction::ToClient, 30)]
    {
        faults.push(ConnectionFault::Stall { direction, after });
        if after > 0 {
            faults.push(ConnectionFault::Cut { direction, after });
            faults.push(ConnectionFault::Reset { direction, after });
        }
    }
    faults
}

#[tokio::test]
async fn an_in_order_create_is_sent_once_whatever_request_or_answer_meet() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let proxied = Proxied::all(server).await;
            let faults = faults();
            for (number, (fault, _)) in faults.iter().enumerate() {
                let rule =
                    Rule::new(fault.clone()).method(Method::POST).key_prefix(format!("{}/", dir(number)));
                proxied.add(&rule);
            }
            // At the same time, each with a client of its own: half of them wait for their limit.
            let told = join_all((0..faults.len()).map(|number| push(&proxied, number))).await;
            for (number, ((fault, has_it), told)) in faults.into_iter().zip(told).enumerate() {
                let path = format!("/v2/keys{}/queue", dir(number));
                assert_eq!(proxied.attempts(&Method::POST, &path), 1, "{fault:?}: {told:?}");
                assert_eq!(proxied.forwarded(&Method::POST, &path), usize::from(has_it), "{fault:?}");
                let made = eventually("what was forwarded", async || {
                    let made = count(&proxied.direct(), number).await;
                    (made >= usize::from(has_it)).then_some(made)
                })
                .await;
                assert_eq!(made, usize::from(has_it), "{fault:?}: {told:?}");
                assert_truth(&told, has_it, &fault);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn an_in_order_create_is_sent_once_whatever_its_connection_does() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            for (number, fault) in connection_faults().into_iter().enumerate() {
                let proxied = Proxied::all(server).await;
                proxied.add_connection(&ConnectionRule::new(fault.clone()));
                let told = push(&proxied, number).await;
                // Its bytes have begun to leave, so there is no second connection that it could go by.
                assert_eq!(proxied.connections(), 1, "{fault:?}: {told:?}");
                let path = format!("/v2/keys{}/queue", dir(number));
                let forwarded = proxied.forwarded(&Method::POST, &path);
                assert!(forwarded <= 1, "{fault:?}: {forwarded} times");
                let outcome = told.as_ref().err().map(Error::outcome);
                assert_eq!(outcome, Some(Outcome::Unknown), "{fault:?}: {told:?}");
                assert!(count(&proxied.direct(), number).await <= forwarded, "{fault:?}: {told:?}");
            }
        },
    )
    .await;
}

/// An error never denies what a member had, nor claims what none had.
fn assert_truth(told: &Result<KeysResponse, Error>, has_it: bool, fault: &Fault) {
    match told {
        Ok(_) => assert!(has_it, "{fault:?}: {told:?}"),
        Err(error) => match error.outcome() {
            Outcome::NotApplied => assert!(!has_it, "{fault:?}: {error:?}"),
            Outcome::Applied => assert!(has_it, "{fault:?}: {error:?}"),
            Outcome::Unknown => {}
        },
    }
}

async fn push(proxied: &Proxied, number: usize) -> Result<KeysResponse, Error> {
    let client = proxied.client().attempt_timeout(ATTEMPT).call_timeout(4 * ATTEMPT).build();
    client.expect("proxies have endpoints").create_in_order(format!("{}/queue", dir(number)), "job").await
}

/// How many keys there are in the queue of this number.
async fn count(direct: &Client, number: usize) -> usize {
    match direct.get(format!("{}/queue", dir(number))).quorum(true).await {
        Ok(answer) => answer.node.nodes.len(),
        Err(error) if error.is_key_not_found() => 0,
        Err(error) => panic!("{error:?}"),
    }
}

fn dir(number: usize) -> String {
    format!("/in-order/{number}")
}

/// Short, so that what hangs ends soon, and far longer than a request takes to a proxy on this machine: none is
/// given up before it has left.
const ATTEMPT: Duration = Duration::from_secs(2);
