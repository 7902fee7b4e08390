//! Global options, the environment below them, and values that come from elsewhere.

use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Refused, each_server};

use crate::program::{end, feed, of, ok, program, run};

#[tokio::test]
async fn servers_come_by_every_name_before_and_behind_the_command() {
    let dead = Refused::new();
    each_server(Needs::members(1), async |etcd| {
        let url = &*etcd.endpoints()[0];
        let bare = url.trim_start_matches("http://");
        ok(etcd, &["set", "/a", "1"]);
        for option in ["-s", "-C", "--servers", "--endpoints", "--endpoint", "--peers"] {
            for args in [[option, url, "get", "/a"], ["get", option, url, "/a"], ["get", "/a", option, bare]]
            {
                // Options stand above the environment.
                let ended = end(program().env("ETCDCTL_ENDPOINTS", dead.endpoint()).args(args));
                assert_eq!((ended.code, &*ended.stdout), (Some(0), "1\n"), "{args:?}: {}", ended.stderr);
            }
        }
        let list = format!("{} ;\t{bare}", dead.endpoint());
        for args in [&["-s", &list, "get", "/a"][..], &["get", "-s", &dead.endpoint(), "-s", url, "/a"]] {
            assert_eq!(end(program().args(args)).stdout, "1\n", "{args:?}");
        }
        for variable in ["ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS", "ETCD_SERVERS"] {
            assert_eq!(end(program().env(variable, bare).args(["get", "/a"])).stdout, "1\n", "{variable}");
        }
    })
    .await;
}

#[tokio::test]
async fn users_come_by_every_name_and_passwords_from_the_environment() {
    each_server(Needs::members(1).auth("secret"), async |etcd| {
        let get = ["auth", "status"];
        let may = |command: &mut std::process::Command| end(command.args(["user", "list"])).code;
        assert_eq!(run(etcd, &get).code, Some(0));
        assert_eq!(may(&mut of(etcd)), Some(6));
        assert_eq!(may(of(etcd).args(["-u", "root:wrong"])), Some(6));
        for option in ["-u", "--user", "--username"] {
            assert_eq!(may(of(etcd).args([option, "root:secret"])), Some(0), "{option}");
        }
        for variable in ["ETCDCTL_USER", "ETCDCTL_USERNAME"] {
            assert_eq!(may(of(etcd).env(variable, "root:secret")), Some(0), "{variable}");
        }
        let mut apart = of(etcd);
        apart.env("ETCDCTL_PASSWORD", "secret").args(["-u", "root"]);
        assert_eq!(may(&mut apart), Some(0));
        let mut above = of(etcd);
        above.env("ETCDCTL_PASSWORD", "wrong").env("ETCDCTL_USER", "nobody").args(["-u", "root:secret"]);
        assert_eq!(may(&mut above), Some(0));
        // Nothing of it is shown, whatever is told.
        for debug in ["--debug", "--debug=curl"] {
            let ended = run(etcd, &["-u", "root:secret", debug, "user", "add", "bob:hush-hush"]);
            for secret in ["secret", "hush-hush", "Basic "] {
                assert!(!ended.stderr.contains(secret), "{debug}: {}", ended.stderr);
            }
            assert!(ended.stderr.contains("/v2/auth/users/bob") || debug == "--debug", "{}", ended.stderr);
        }
    })
    .await;
}

#[tokio::test]
async fn indexes_that_were_read_are_conditions() {
    each_server(Needs::members(1), async |etcd| {
        let index = |args: &[&str]| {
            let json: serde_json::Value = serde_json::from_str(&ok(etcd, args)).unwrap();
            json["node"]["modifiedIndex"].to_string()
        };
        let mut last = index(&["set", "/i", "0", "-w", "json"]);
        for args in [["cas", "--prev-index"], ["set", "--swap-with-index"], ["update", "--prev-index"]] {
            let stale = last.clone();
            last = index(&[args[0], "/i", "1", args[1], &stale, "-w", "json"]);
            assert_eq!(run(etcd, &[args[0], "/i", "2", args[1], &stale]).code, Some(4), "{args:?}");
        }
        assert_eq!(run(etcd, &["cad", "/i", "--prev-index", "1"]).code, Some(4));
        assert_eq!(run(etcd, &["rm", "/i", "--with-index", &last]).code, Some(0));
        let last = index(&["set", "/i", "0", "-w", "json"]);
        assert_eq!(run(etcd, &["cad", "/i", "--prev-index", &last, "-p", "1"]).code, Some(4));
        assert_eq!(run(etcd, &["cad", "/i", "--prev-index", &last, "-p", "0"]).code, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_value_of_standard_input_is_kept_byte_by_byte() {
    each_server(Needs::members(1), async |etcd| {
        for value in ["two\nlines\n", "", "\u{1b}[31mred\0\u{7f}", " =&;%+é日"] {
            let ended = feed(of(etcd).args(["set", "/v"]), value.as_bytes());
            assert_eq!(ended.code, Some(0), "{value:?}: {}", ended.stderr);
            // No terminal: nothing is escaped.
            assert_eq!(ok(etcd, &["get", "/v"]), format!("{value}\n"));
        }
        let ended = feed(of(etcd).args(["set", "/v"]), b"\xff");
        assert!(ended.code == Some(2) && ended.stderr.contains("no UTF-8"), "{}", ended.stderr);
    })
    .await;
}

#[tokio::test]
async fn programs_that_change_one_value_at_once_all_have_their_way() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/counter", "0"]);
        let count = || {
            let mut command = of(etcd);
            command.args(["modify", "/counter", "--", "sh", "-c", "read n; echo $((n + 1))"]);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        };
        for mut child in (0..8).map(|_| count()).collect::<Vec<_>>() {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(ok(etcd, &["get", "/counter"]), "8\n");
    })
    .await;
}

#[tokio::test]
async fn a_curl_command_of_debug_does_what_the_program_did() {
    each_server(Needs::members(1), async |etcd| {
        let ended = run(etcd, &["set", "/it's", "a 'b' &c", "-t", "100", "--debug=curl"]);
        let url = &etcd.endpoints()[0];
        assert_eq!(
            ended.stderr,
            format!("curl -X PUT {url}/v2/keys/it%27s -d 'value=a%20%27b%27%20%26c&ttl=100'\n")
        );
        assert_eq!(ended.stdout, "a 'b' &c\n");
    })
    .await;
}

#[test]
fn help_man_pages_and_completions_are_there() {
    let help = end(program().arg("--help"));
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
    for word in ["exec-watch", "cluster-health", "Exit codes:", "130"] {
        assert!(help.stdout.contains(word), "{word}");
    }
    assert!(!help.stdout.contains('\u{1b}'), "colours without a terminal");
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(end(program().arg("man").arg(directory.path())).code, Some(0));
    for page in ["etcd-cli.1", "etcd-cli-watch.1", "etcd-cli-user-grant.1"] {
        let text = std::fs::read_to_string(directory.path().join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = end(program().args(["completions", shell]));
        assert!(script.code == Some(0) && script.stdout.contains("exec-watch"), "{shell}");
    }
    assert_eq!(end(program().args(["completions", "tcl"])).code, Some(2));
}
