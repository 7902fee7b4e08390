use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::cluster_test::{Cluster, Does, of, send};
use crate::retry::{Backoff, Budget, Jitter};
use crate::{Attempts, Endpoint, RespBody, RetryConfig, Transport};

/// Canaries every 500 ms.
fn config() -> RetryConfig {
    RetryConfig::new().backoff(Backoff::default().jitter(Jitter::new(|| 1.0)))
}

/// A request that may be sent twice.
fn twice(idempotence: Idempotence) -> CallContext {
    CallContext { reissue: true, ..of(idempotence) }
}

/// A request under way in a task of its own; how it ends, and after which time.
fn spawn(
    transport: &Transport,
    context: CallContext,
) -> JoinHandle<(Result<Response<RespBody>, Error>, Duration)> {
    let transport = transport.clone();
    tokio::spawn(async move {
        let began = Instant::now();
        (send(&transport, context).await, began.elapsed())
    })
}

/// Servers of which `a` is silent.
fn a_is_silent() -> Cluster {
    Cluster::new(|_, host| if host == "a" { Does::Hang } else { Does::Serve })
}

/// Servers that sit on what they got before this time, and serve what comes later.
fn elects_until(millis: u64) -> Cluster {
    let began = Instant::now();
    Cluster::new(
        move |_, _| {
            if began.elapsed() < Duration::from_millis(millis) { Does::Hang } else { Does::Serve }
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_read_at_a_stopped_member_goes_on_after_half_a_second_and_the_next_without_delay() {
    let cluster = a_is_silent();
    let transport = cluster.transport("a b c", config());
    let (answer, took) = spawn(&transport, twice(Idempotence::Read)).await.unwrap();
    let response = answer.unwrap();
    assert!((500..510).contains(&took.as_millis()), "{took:?}");
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().host(), "b");
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 2);
    let (answer, took) = spawn(&transport, twice(Idempotence::Read)).await.unwrap();
    assert!(answer.is_ok() && took.is_zero(), "{took:?}");
    assert_eq!(cluster.hosts(), "abb");
}

#[tokio::test(start_paused = true)]
async fn only_what_asks_for_it_and_may_be_repeated_is_sent_twice() {
    let resolved = CallContext { resolved: true, ..twice(Idempotence::Guarded) };
    for (context, sent) in [
        (twice(Idempotence::Read), 2),
        (twice(Idempotence::Idempotent), 2),
        (resolved, 2),
        (twice(Idempotence::Guarded), 1),
        (twice(Idempotence::Once), 1),
        (of(Idempotence::Read), 1),
        (CallContext { retry: false, ..twice(Idempotence::Read) }, 1),
        (CallContext { max_attempts: Some(1), ..twice(Idempotence::Read) }, 1),
    ] {
        let cluster = a_is_silent();
        let text = format!("{context:?}");
        let call = spawn(&cluster.transport("a b", config()), context);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(cluster.hosts().len(), sent, "{text}");
        call.abort();
    }
    let cluster = a_is_silent();
    let call = spawn(&cluster.transport("a b", config().reissue(false)), twice(Idempotence::Read));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(cluster.hosts(), "a");
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn a_single_call_sends_one_canary_after_another_until_one_is_answered() {
    let cluster = elects_until(1_800);
    let transport = cluster.transport("a b c", config());
    let (answer, took) = spawn(&transport, twice(Idempotence::Read)).await.unwrap();
    // At 0.5, 1, 1.5 and 2 s, round the endpoints that are not silent.
    assert!((2000..2015).contains(&took.as_millis()), "{took:?}");
    assert_eq!(cluster.hosts(), "abcbc");
    assert_eq!(answer.unwrap().extensions().get::<Attempts>().unwrap().made(), 5);
}

#[tokio::test(start_paused = true)]
async fn many_silent_calls_send_one_canary_at_a_time_and_are_all_sent_once_more_when_it_is_answered() {
    let cluster = elects_until(1_800);
    let transport = cluster.transport("a b c", config());
    let calls: Vec<_> = (0..50).map(|_| spawn(&transport, twice(Idempotence::Read))).collect();
    sleep(Duration::from_millis(1_990)).await;
    assert_eq!(cluster.hosts().len(), 50 + 3);
    for call in calls {
        let (answer, took) = call.await.unwrap();
        assert!(answer.is_ok() && took < Duration::from_millis(2_030), "{took:?}");
    }
    // One more canary, and each of the others once.
    assert_eq!(cluster.hosts().len(), 50 + 4 + 49);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_becomes_silent_after_a_canary_was_answered_needs_none() {
    let cluster = elects_until(1_990);
    let transport = cluster.transport("a b c", config());
    let early = spawn(&transport, twice(Idempotence::Read));
    sleep(Duration::from_millis(1_700)).await;
    let late = spawn(&transport, twice(Idempotence::Read));
    let ((early, _), (answer, took)) = (early.await.unwrap(), late.await.unwrap());
    assert!(early.is_ok() && answer.is_ok());
    assert!((500..510).contains(&took.as_millis()), "{took:?}");
    // Two calls, canaries at 0.5, 1, 1.5 and 2 s, and the copy at 2.2 s, before the next turn.
    assert_eq!(cluster.hosts().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn when_the_call_of_the_canary_goes_away_the_next_takes_over() {
    let cluster = elects_until(900);
    let transport = cluster.transport("a b c", config());
    let first = spawn(&transport, twice(Idempotence::Read));
    sleep(Duration::from_millis(1)).await;
    let second = spawn(&transport, twice(Idempotence::Read));
    sleep(Duration::from_millis(599)).await;
    assert_eq!(cluster.hosts(), "aab");
    first.abort();
    let (answer, took) = second.await.unwrap();
    assert!(answer.is_ok());
    assert!((995..1_010).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_of_the_first_copy_is_as_good_as_another() {
    let cluster = Cluster::new(|_, host| if host == "a" { Does::Late(700) } else { Does::Hang });
    let transport = cluster.transport("a b", config());
    let (answer, took) = spawn(&transport, twice(Idempotence::Read)).await.unwrap();
    assert!((700..710).contains(&took.as_millis()), "{took:?}");
    assert_eq!(answer.unwrap().extensions().get::<Endpoint>().unwrap().host(), "a");
    assert_eq!(cluster.hosts(), "ab");
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_as_a_rule_is_not_silent() {
    let cluster = Cluster::all(Does::Late(400));
    let transport = cluster.transport("a b", config());
    send(&transport, twice(Idempotence::Read)).await.unwrap();
    let slower = Cluster::all(Does::Late(1_400));
    assert_eq!(cluster.hosts(), "a");
    // Four times 400 ms are the patience of the next; without a first answer it would be 500 ms.
    drop(slower);
    let cluster = Cluster::new(|number, _| Does::Late(if number == 0 { 400 } else { 1_400 }));
    let transport = cluster.transport("a b", config());
    for _ in 0..2 {
        send(&transport, twice(Idempotence::Read)).await.unwrap();
    }
    assert_eq!(cluster.hosts(), "aa");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_slow_to_come_is_not_silence() {
    let connection = tower::service_fn(async |request: Request<ReqBody>| {
        let host = request.uri().host().unwrap().to_owned();
        let frame = async move {
            sleep(Duration::from_secs(3)).await;
            Ok::<_, BoxError>(http_body::Frame::data(bytes::Bytes::from(host)))
        };
        let body = http_body_util::StreamBody::new(futures_util::stream::once(Box::pin(frame)));
        Ok::<_, BoxError>(Response::new(RespBody::wrap(body)))
    });
    let transport =
        Transport::builder("a b".parse().unwrap()).retry(config()).build_with(connection).unwrap();
    let response = send(&transport, twice(Idempotence::Read)).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
    assert_eq!(response.into_body().into_bytes().unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn the_refusal_of_a_copy_does_not_count_as_long_as_the_other_may_have_been_applied() {
    let cluster = Cluster::new(|_, host| if host == "a" { Does::Late(3_000) } else { Does::Reject });
    let transport = cluster.transport("a b", config());
    let (answer, took) = spawn(&transport, twice(Idempotence::Idempotent)).await.unwrap();
    assert_eq!((answer.unwrap().status().as_u16(), took.as_secs()), (200, 3));
    // A read has nothing that could have caused it.
    let (answer, took) = spawn(&cluster.transport("a b", config()), twice(Idempotence::Read)).await.unwrap();
    assert_eq!((answer.unwrap().status().as_u16(), took.as_millis() / 100), (412, 5));
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_copy_of_a_write_leaves_open_stands_beside_the_refusal() {
    let cluster = Cluster::new(|_, host| if host == "a" { Does::Hang } else { Does::Reject });
    let context = CallContext { max_attempts: Some(2), ..twice(Idempotence::Idempotent) };
    let (answer, took) = spawn(&cluster.transport("a b", config()), context).await.unwrap();
    let response = answer.unwrap();
    // The limit of the silent attempt.
    assert_eq!((response.status().as_u16(), took.as_secs()), (412, 8));
    assert_eq!(response.extensions().get::<Attempts>().unwrap().outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_leaves_the_call_to_the_other() {
    let cluster = Cluster::new(|_, host| if host == "a" { Does::Late(2_000) } else { Does::Cut });
    let context = CallContext { max_attempts: Some(2), ..twice(Idempotence::Read) };
    let (answer, took) = spawn(&cluster.transport("a b", config()), context).await.unwrap();
    assert_eq!((answer.unwrap().status().as_u16(), took.as_secs()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn one_limit_is_for_all_copies_and_all_of_them_are_counted_in() {
    for (idempotence, outcome) in
        [(Idempotence::Read, Outcome::NotApplied), (Idempotence::Idempotent, Outcome::Unknown)]
    {
        let cluster = Cluster::all(Does::Hang);
        let context = CallContext {
            call_timeout: Some(Duration::from_secs(3)),
            attempt_timeout: None,
            ..twice(idempotence)
        };
        let (answer, took) = spawn(&cluster.transport("a b", config()), context).await.unwrap();
        let error = answer.unwrap_err();
        assert!(error.is_deadline());
        assert_eq!((error.outcome(), took.as_secs()), (outcome, 3));
        assert_eq!(error.attempts().made(), cluster.hosts().len());
        assert_eq!(cluster.hosts().len(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn copies_take_from_the_budget_unless_the_call_is_exempt() {
    let empty = || config().budget(Some(Budget::new(0.0, 0)));
    let cluster = a_is_silent();
    let call = spawn(&cluster.transport("a b", empty()), twice(Idempotence::Read));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(cluster.hosts(), "a");
    call.abort();
    let cluster = a_is_silent();
    let exempt = CallContext { budget_exempt: true, ..twice(Idempotence::Read) };
    let (answer, _) = spawn(&cluster.transport("a b", empty()), exempt).await.unwrap();
    assert!(answer.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_endpoint_and_a_pinned_call_get_their_copies_where_the_silence_is() {
    for pinned in [None, Some("a".parse().unwrap())] {
        let cluster = Cluster::new(|number, _| if number == 0 { Does::Hang } else { Does::Serve });
        let servers = if pinned.is_some() { "a b" } else { "a" };
        let context = CallContext { pinned, ..twice(Idempotence::Read) };
        let transport = cluster.transport(servers, config());
        assert!(send(&transport, context).await.is_ok());
        assert!(send(&transport, of(Idempotence::Read)).await.is_ok());
        assert_eq!(cluster.hosts(), "aaa");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_leaves_no_seat_behind() {
    let layer = ReissueLayer::new().config(&config());
    let inner = tower::service_fn(|mut request: Request<ReqBody>| {
        // As the router does.
        let call = CallState::of(request.extensions_mut());
        let attempt = crate::attempt_state::AttemptState::of(request.extensions_mut());
        assert!(call.begin(|| attempt.begin(crate::route::Leave::for_tests("http://a:1"), 0)));
        std::future::pending::<Result<Response<RespBody>, BoxError>>()
    });
    let service = tower_layer::Layer::layer(&layer, inner);
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let mut request = Request::new(ReqBody::empty());
            request.extensions_mut().insert(twice(Idempotence::Read));
            tokio::spawn(tower::ServiceExt::oneshot(service.clone(), request))
        })
        .collect();
    sleep(Duration::from_millis(600)).await;
    assert_eq!(service.shared.waiting(), 3);
    calls.iter().for_each(JoinHandle::abort);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(service.shared.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn silent_calls_are_woken_by_the_answer_of_a_canary_and_do_not_wait_for_their_turn() {
    let began = Instant::now();
    let cluster = Cluster::new(move |_, _| match began.elapsed().as_millis() {
        ..400 => Does::Hang,
        _ => Does::Late(100),
    });
    let transport = cluster.transport("a b c", config());
    let calls: Vec<_> = (0..5).map(|_| spawn(&transport, twice(Idempotence::Read))).collect();
    for call in calls {
        let (answer, took) = call.await.unwrap();
        assert!(answer.is_ok() && took < Duration::from_millis(720), "{took:?}");
    }
    assert_eq!(cluster.hosts().len(), 5 + 5);
}

#[test]
fn of_two_ends_the_more_telling_is_kept() {
    let answer = |status: u16| Ok(Response::builder().status(status).body(()).unwrap());
    let failure = || Err(Error::new(crate::ErrorKind::Interrupted));
    let status = |end: Result<Response<()>, Error>| end.map_or(0, |response| response.status().as_u16());
    assert_eq!(status(future::better(Some(answer(412)), answer(503))), 412);
    assert_eq!(status(future::better(Some(answer(503)), answer(412))), 412);
    assert_eq!(status(future::better(Some(answer(503)), failure())), 503);
    assert_eq!(status(future::better(Some(failure()), answer(503))), 503);
    assert_eq!(status(future::better(None, failure())), 0);
}

#[tokio::test(start_paused = true)]
async fn the_first_copy_may_go_where_a_dropped_copy_was_silent() {
    let cluster = Cluster::new(|number, _| match number {
        0..4 => Does::Hang,
        4 => Does::Cut,
        _ => Does::Serve,
    });
    let context =
        CallContext { attempt_timeout: Some(Duration::from_millis(1_700)), ..twice(Idempotence::Read) };
    let (answer, took) = spawn(&cluster.transport("a b c d", config()), context).await.unwrap();
    assert!(answer.is_ok() && cluster.hosts() == "abcdbc", "{}", cluster.hosts());
    // Without a pause: `c` is left in this round.
    assert!((1_700..1_715).contains(&took.as_millis()), "{took:?}");
}
