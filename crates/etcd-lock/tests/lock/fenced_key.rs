//! A key that an older holder cannot overwrite.

use std::time::Duration;

use etcd_client::v2::Client;
use etcd_lock::{ErrorKind, FencedKey, Token};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use http::Method;

use crate::support::{client, cluster, secs, soon};

fn token(text: &str) -> Token {
    text.parse().unwrap()
}

/// What was stored in the key over time, from the server's history: which token, by which write.
async fn history(client: &Client, key: &str) -> Vec<String> {
    let mut values = Vec::new();
    let last = client.get(key).quorum(true).await.unwrap().node.modified_index;
    let mut next = client.watch(key).from(1).next_event().await.unwrap();
    loop {
        values.push(next.node.text().to_owned());
        if next.index() >= last {
            return values;
        }
        next = client.watch(key).after(next.index()).next_event().await.unwrap();
    }
}

fn index_of(stored: &str) -> u64 {
    stored.split_once(' ').unwrap().0.parse::<Token>().unwrap().index()
}

#[tokio::test(start_paused = true)]
async fn a_greater_token_writes_and_a_smaller_one_is_fenced_off() {
    let etcd = cluster();
    let state = FencedKey::new(&client(&etcd), "/state");
    assert_eq!(soon(state.read()).await.unwrap(), None);
    soon(state.write(&token("7"), "one")).await.unwrap();
    soon(state.write(&token("7"), "two")).await.unwrap();
    soon(state.write(&token("12"), "three")).await.unwrap();

    let late = soon(state.write(&token("7"), "late")).await.unwrap_err();
    assert!(late.is_fenced() && late.outcome().is_not_applied(), "{late:?}");
    assert!(late.to_string().contains("token 12, this is 7"), "{late}");
    let stored = soon(state.read()).await.unwrap().unwrap();
    assert_eq!((stored.token.index(), &*stored.value), (12, "three"));
    assert_eq!(soon(client(&etcd).get("/state")).await.unwrap().text(), "12 three");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_cluster_is_refused() {
    let etcd = cluster();
    let state = FencedKey::new(&client(&etcd), "/state");
    soon(state.write(&token("7@a"), "one")).await.unwrap();
    for foreign in ["9@b", "9", "1@b"] {
        let error = soon(state.write(&token(foreign), "two")).await.unwrap_err();
        assert!(error.is_foreign_token() && error.outcome().is_not_applied(), "{error:?}");
    }
    assert_eq!(soon(state.read()).await.unwrap().unwrap().value, "one");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_written_with_a_token_is_left_alone() {
    let etcd = cluster();
    let client = client(&etcd);
    soon(client.set("/state", "precious")).await.unwrap();
    soon(client.create_dir("/dir")).await.unwrap();
    for key in ["/state", "/dir"] {
        let state = FencedKey::new(&client, key);
        for error in
            [soon(state.write(&token("7"), "one")).await.unwrap_err(), soon(state.read()).await.unwrap_err()]
        {
            assert!(error.is_not_fenced() && error.to_string().contains(key), "{error:?}");
        }
    }
    assert_eq!(soon(client.get("/state")).await.unwrap().text(), "precious");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_etcd_cannot_hold_is_an_error_of_the_call() {
    let etcd = cluster();
    let state = FencedKey::new(&client(&etcd), "/a//b");
    let error = soon(state.write(&token("7"), "one")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert!(error.to_string().contains("\"/a//b\""), "{error}");
    assert_eq!(etcd.log().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_made_once_and_known() {
    for fault in [Fault::DropAnswer, Fault::CutBody(3), Fault::ResetBeforeHead] {
        for before in [None, Some("one")] {
            let etcd = cluster();
            let client = client(&etcd);
            let state = FencedKey::new(&client, "/state");
            let mut expected = Vec::new();
            if let Some(value) = before {
                soon(state.write(&token("5"), value)).await.unwrap();
                expected.push("5 one".to_owned());
            }
            etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT).nth(1));
            soon(state.write(&token("7"), "two")).await.unwrap();
            expected.push("7 two".to_owned());
            assert_eq!(soon(history(&client, "/state")).await, expected, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_lags_behind_shows_no_old_token() {
    let etcd = cluster();
    let state = FencedKey::new(&client(&etcd), "/state");
    soon(state.write(&token("5"), "one")).await.unwrap();
    for member in 0..3 {
        etcd.faults().apply(Change::Lag { member, lasts: secs(60) }).unwrap();
    }
    soon(state.write(&token("7"), "two")).await.unwrap();
    assert_eq!(soon(state.read()).await.unwrap().unwrap().value, "two");
    assert!(soon(state.write(&token("6"), "late")).await.unwrap_err().is_fenced());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_read_before_a_later_holder_wrote_is_fenced_off() {
    let etcd = cluster();
    let state = FencedKey::new(&client(&etcd), "/state");
    soon(state.write(&token("5"), "one")).await.unwrap();
    // The old holder has read, and its write is on its way for 3 s; the later one writes meanwhile.
    etcd.faults().add(Rule::new(Fault::Delay(secs(3))).method(Method::PUT).nth(1));
    let old = tokio::spawn(state.write(&token("7"), "old").into_future());
    etcd.advance(Duration::from_millis(100)).await;
    soon(state.write(&token("9"), "new")).await.unwrap();
    let error = soon(old).await.unwrap().unwrap_err();
    assert!(error.is_fenced(), "{error:?}");
    assert_eq!(soon(state.read()).await.unwrap().unwrap().value, "new");
}

/// Writers with tokens in any order, on a network that delays, loses and carries out late, by one seed.
async fn interleaved(seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let etcd = cluster();
    let client = client(&etcd);
    // Requests of the writers only; the history is read when all is over.
    for turn in 1..=60 {
        let time = Duration::from_millis(random.u64(1..2000));
        let fault = match random.u8(..8) {
            0 => Fault::DropAnswer,
            1 => Fault::ResetBeforeHead,
            2 => Fault::ApplyLater(time * 4),
            3 => Fault::DelayAnswer(time * 4),
            _ => Fault::Delay(time),
        };
        etcd.faults().add(Rule::new(fault).key_prefix("/state").nth(turn));
    }
    let writers: Vec<_> = (0..6_u64)
        .map(|writer| {
            let (state, index) = (FencedKey::new(&client, "/state"), random.u64(1..5));
            let pauses: Vec<_> = (0..3).map(|_| Duration::from_millis(random.u64(..3000))).collect();
            tokio::spawn(async move {
                for (write, pause) in pauses.into_iter().enumerate() {
                    tokio::time::sleep(pause).await;
                    let token = Token::new(index, Some("a")).unwrap();
                    let state = state.clone().timeout(secs(3));
                    if let Err(error) = state.write(&token, format!("{writer}.{write}")).await {
                        assert!(error.is_fenced() || !error.outcome().is_not_applied() || error.is_client());
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    etcd.faults().clear();
    // Copies that land late have landed.
    etcd.advance(secs(30)).await;
    history(&client, "/state").await
}

#[tokio::test(start_paused = true)]
async fn no_older_token_overwrites_a_newer_one_under_any_interleaving() {
    let mut changes = 0;
    for seed in 0..60 {
        let history = soon(interleaved(seed)).await;
        let tokens: Vec<_> = history.iter().map(|stored| index_of(stored)).collect();
        assert!(tokens.is_sorted(), "seed {seed}: {history:?}");
        changes += tokens.windows(2).filter(|pair| pair[0] < pair[1]).count();
    }
    // Else the seeds would not interleave anything.
    assert!(changes > 40, "{changes} changes of hands");
}

/// What an [`InProcess`] hands out must not be needed to keep it alive.
#[allow(dead_code, reason = "compiled only: the futures of the calls can be spawned")]
fn futures_are_send(etcd: &InProcess) {
    fn send<T: Send + 'static>(_: T) {}
    let state = FencedKey::new(&client(etcd), "/state");
    send(state.write(&token("7"), "one").into_future());
    send(state.read().into_future());
}
