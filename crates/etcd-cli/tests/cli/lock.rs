//! Locks: for a time, until a signal, and while a program runs.

use etcd_testkit::Etcd;
use etcd_testkit::memory::{Fault, MemoryEtcd, Rule};
use etcd_tests::{Needs, each_server, eventually};
use rustix::process::Signal;

use crate::program::{ok, run};
use crate::running::Running;
use crate::signal;

/// The keys of those who hold a lock or wait for it.
fn queue(etcd: &dyn Etcd, name: &str) -> Vec<String> {
    let listed = run(etcd, &["ls", &format!("/locks/{name}")]);
    listed.stdout.lines().map(str::to_owned).collect()
}

fn is_free(etcd: &dyn Etcd, name: &str) -> bool {
    let holder = run(etcd, &["lock", name, "--holder"]);
    assert!(matches!(holder.code, Some(0 | 16)), "{}", holder.stderr);
    holder.code == Some(16)
}

/// The ttl of the key that holds a lock.
fn ttl(etcd: &dyn Etcd, name: &str) -> u64 {
    let holder = ok(etcd, &["lock", name, "--holder", "-w", "json"]);
    serde_json::from_str::<serde_json::Value>(&holder).unwrap()["ttl"].as_u64().unwrap()
}

#[tokio::test]
async fn a_lock_for_a_time_is_renewed_and_ended_by_its_token() {
    each_server(Needs::members(1), async |etcd| {
        let token = ok(etcd, &["lock", "lease", "-t", "40", "--owner", "me and\nyou"]);
        let token = token.trim_end();
        assert_eq!(ok(etcd, &["lock", "lease", "--holder"]), format!("{token} me and\nyou\n"));
        let first = ttl(etcd, "lease");
        assert!((30..=40).contains(&first), "{first}");
        assert_eq!(ok(etcd, &["lock", "lease", "-i", token, "-t", "600"]), "");
        let renewed = ttl(etcd, "lease");
        assert!((590..=600).contains(&renewed), "{renewed}");
        // The number alone, as the C client had it, is enough.
        let number = token.split('@').next().unwrap();
        assert_eq!(ok(etcd, &["unlock", "-i", number, "lease"]), "");
        assert_eq!(queue(etcd, "lease"), Vec::<String>::new());
        let next = ok(etcd, &["lock", "lease", "-t", "20"]);
        assert_ne!(next.trim_end(), token);
        for args in [&["unlock", "lease", "-i", token][..], &["lock", "lease", "-i", token, "-t", "20"]] {
            let ended = run(etcd, args);
            assert_eq!(ended.code, Some(16), "{args:?}: {}", ended.stderr);
            assert!(ended.stderr.starts_with("error: no key has this token"), "{}", ended.stderr);
            assert!(ended.stderr.ends_with("  nothing was written\n"), "{}", ended.stderr);
        }
        // A late renewal and a late release touch nobody else's.
        assert!(ok(etcd, &["lock", "lease", "--holder"]).starts_with(next.trim_end()));
    })
    .await;
}

#[tokio::test]
async fn a_time_too_short_to_be_renewed_in_is_long_enough_for_a_lease() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["lock", "short", "-t", "2"]);
        assert!(ttl(etcd, "short") <= 2);
        eventually("it ends", async || is_free(etcd, "short").then_some(())).await;
        let held = run(etcd, &["lock", "short", "-t", "2", "--", "true"]);
        assert_eq!(held.code, Some(2), "{}", held.stderr);
    })
    .await;
}

#[tokio::test]
async fn a_signal_ends_the_program_and_then_the_lock() {
    each_server(Needs::members(1), async |etcd| {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let sleep = Running::start(etcd, &["lock", "sleep", "--", "sleep", "100"]);
            eventually("it holds", async || (!is_free(etcd, "sleep")).then_some(())).await;
            assert_eq!(sleep.end(signal).await, Some(code));
            // Gone with the program, and not by the ttl.
            assert_eq!(queue(etcd, "sleep"), Vec::<String>::new());
            let mut held = Running::start(
                etcd,
                &["lock", "sleep", "-t", "30", "--", "sh", "-c", "echo $$; exec sleep 100"],
            );
            let child = held.line().await.parse().unwrap();
            assert!(signal::runs(child));
            assert_eq!(held.end(signal).await, Some(code));
            assert!(!signal::runs(child) && is_free(etcd, "sleep"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_program_that_does_not_end_keeps_the_lock_until_the_second_signal() {
    each_server(Needs::members(1), async |etcd| {
        let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done";
        let mut held = Running::start(etcd, &["lock", "stubborn", "--", "sh", "-c", script]);
        assert_eq!(held.line().await, "ready");
        signal::send(held.child.id().unwrap(), Signal::TERM);
        assert_eq!(held.line().await, "asked");
        assert!(!is_free(etcd, "stubborn"));
        assert_eq!(held.end(Signal::INT).await, Some(143));
        assert!(is_free(etcd, "stubborn"));
    })
    .await;
}

#[tokio::test]
async fn a_lock_without_a_program_is_held_until_a_signal() {
    each_server(Needs::members(1), async |etcd| {
        for (args, signal, code) in [
            (&["lock", "until"][..], Signal::INT, 130),
            (&["lock", "until", "-t", "30", "--hold"], Signal::TERM, 143),
            (&["lock", "until"], Signal::HUP, 129),
        ] {
            let mut held = Running::start(etcd, args);
            let token = held.line().await;
            assert!(ok(etcd, &["lock", "until", "--holder"]).starts_with(&token));
            assert_eq!(held.end(signal).await, Some(code));
            assert_eq!(queue(etcd, "until"), Vec::<String>::new());
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_interrupted_while_waiting_leaves_no_place_behind() {
    each_server(Needs::members(1), async |etcd| {
        let token = ok(etcd, &["lock", "busy", "-t", "60"]);
        for (args, signal, code) in [
            (&["lock", "busy", "--", "true"][..], Signal::INT, 130),
            (&["lock", "busy", "-t", "60"], Signal::TERM, 143),
        ] {
            let waiting = Running::start(etcd, args);
            eventually("it waits", async || (queue(etcd, "busy").len() == 2).then_some(())).await;
            assert_eq!(waiting.end(signal).await, Some(code));
            assert_eq!(queue(etcd, "busy").len(), 1, "{args:?}");
        }
        assert!(ok(etcd, &["lock", "busy", "--holder"]).starts_with(token.trim_end()));
    })
    .await;
}

#[tokio::test]
async fn a_loss_ends_the_program_also_one_that_will_not() {
    each_server(Needs::members(1), async |etcd| {
        for script in ["echo $$; exec sleep 100", "trap '' TERM; echo $$; while :; do sleep 0.05; done"] {
            let mut held = Running::start(etcd, &["lock", "lost", "-t", "5", "--", "sh", "-c", script]);
            let child = held.line().await.parse().unwrap();
            ok(etcd, &["rm", &queue(etcd, "lost")[0]]);
            assert_eq!(held.code().await, Some(15), "{script}");
            assert!(!signal::runs(child), "{script}");
        }
        // It is asked first.
        let script = "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
        let mut held = Running::start(etcd, &["lock", "lost", "-t", "5", "--", "sh", "-c", script]);
        assert_eq!(held.line().await, "ready");
        ok(etcd, &["rm", &queue(etcd, "lost")[0]]);
        assert_eq!(held.line().await, "asked");
        assert_eq!(held.code().await, Some(15));
        let mut held = Running::start(etcd, &["lock", "lost", "-t", "5", "--hold"]);
        held.line().await;
        ok(etcd, &["rm", &queue(etcd, "lost")[0]]);
        assert_eq!(held.code().await, Some(15));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_ended_where_no_server_answers() {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    let args = ["lock", "cut", "-t", "5", "--", "sh", "-c", "echo $$; exec sleep 100"];
    let mut held = Running::start(&etcd, &args);
    let child = held.line().await.parse().unwrap();
    etcd.faults().add(Rule::new(Fault::Hang));
    // By the clock alone: nobody says so.
    assert_eq!(held.code().await, Some(15));
    assert!(!signal::runs(child));
}

#[tokio::test]
async fn a_program_that_ends_behind_the_loss_has_not_held_to_the_end() {
    each_server(Needs::members(1), async |etcd| {
        let program = env!("CARGO_BIN_EXE_etcd-cli");
        // It deletes the key itself, and ends before the next renewal.
        let ended = run(
            etcd,
            &["lock", "ends", "-t", "60", "--", "sh", "-c", &format!("{program} rm \"$ETCD_LOCK_KEY\"")],
        );
        assert_eq!(ended.code, Some(15), "{}", ended.stderr);
    })
    .await;
}

#[tokio::test]
async fn the_exit_code_is_the_programs_and_it_is_told_what_it_holds() {
    each_server(Needs::members(1), async |etcd| {
        let script = "echo $ETCD_LOCK_KEY $ETCD_LOCK_REV $ETCD_LOCK_TOKEN; exit 7";
        let ended = run(etcd, &["lock", "/jobs/code", "--", "sh", "-c", script]);
        assert_eq!((ended.code, &*ended.stderr), (Some(7), ""));
        let words: Vec<_> = ended.stdout.split_whitespace().collect();
        assert!(words[0].starts_with("/locks/jobs/code/"), "{words:?}");
        assert!(words[2].split('@').next() == Some(words[1]), "{words:?}");
        assert_eq!(queue(etcd, "jobs/code"), Vec::<String>::new());
        let killed = run(etcd, &["lock", "/jobs/code", "--", "sh", "-c", "kill -9 $$"]);
        assert_eq!(killed.code, Some(137), "{}", killed.stderr);
        let none = run(etcd, &["lock", "/jobs/code", "--", "/no/such/program"]);
        assert_eq!(none.code, Some(1), "{}", none.stderr);
        assert!(none.stderr.contains("cannot run /no/such/program"), "{}", none.stderr);
        assert_eq!(queue(etcd, "jobs/code"), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn as_etcd_test_locks_print_what_that_one_did() {
    let directory = tempfile::tempdir().unwrap();
    let path = crate::program::named(directory.path(), "etcd-test");
    each_server(Needs::members(1), async |etcd| {
        let seed = |args: &[&str]| {
            let mut command = std::process::Command::new(&path);
            crate::program::clear(&mut command);
            crate::program::end(command.env("ETCD_SERVERS", etcd.endpoints().join(",")).args(args))
        };
        let taken = seed(&["lock", "-t", "30", "old"]);
        assert_eq!(taken.code, Some(0), "{}", taken.stderr);
        let index =
            taken.stdout.strip_prefix("locking old for 30\ngot back index number ").unwrap().trim_end();
        assert!(ok(etcd, &["lock", "old", "--holder"]).starts_with(index));
        let renewed = seed(&["lock", "old", "-t", "600", "-i", index]);
        assert_eq!((renewed.code, renewed.stdout), (Some(0), format!("locking old ({index}) for 600\n")));
        assert!(ttl(etcd, "old") > 500);
        let unlocked = seed(&["UNLOCK", "-i", index, "old"]);
        assert_eq!((unlocked.code, unlocked.stdout), (Some(0), format!("unlocking old ({index})\n")));
        assert!(is_free(etcd, "old"));
        for (args, failed) in [
            (&["unlock", "old", "-i", index][..], "etcd_unlock failed\n"),
            (&["lock", "old", "-t", "5", "-i", index], "etcd_lock failed\n"),
            (&["lock", "old", "-t", "0"], "etcd_lock failed\n"),
        ] {
            let ended = seed(args);
            assert_eq!(ended.code, Some(1), "{args:?}");
            assert!(ended.stderr.starts_with(failed), "{args:?}: {}", ended.stderr);
        }
    })
    .await;
}
