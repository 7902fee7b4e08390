//! The program `etcd-memory`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

/// Ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-memory"));
    command.args(args);
    command
}

fn output(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

#[test]
fn it_prints_a_url_for_each_member_and_ends_at_sigterm_or_sigint() {
    for signal in ["TERM", "INT"] {
        let args = ["--listen", "127.0.0.1:0", "--members=3", "--profile", "3.4"];
        let mut running = Running(command(&args).stdout(Stdio::piped()).spawn().unwrap());
        let stdout = BufReader::new(running.0.stdout.take().unwrap());
        let urls: Vec<String> = stdout.lines().take(3).map(Result::unwrap).collect();
        for url in &urls {
            let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
            write!(stream, "GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.contains("3.4.23"), "{answer}");
        }
        let pid = running.0.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert!(running.0.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn a_usage_error_is_exit_code_2() {
    for args in [
        &["--listen"] as &[&str],
        &["--listen", "somewhere"],
        &["--members", "0"],
        &["--profile", "2.3"],
        &["--color", "red"],
        &["extra"],
    ] {
        let output = output(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("etcd-memory: ") && error.contains("usage: "), "{error}");
    }
}

#[test]
fn help_is_no_error() {
    let output = output(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--members N"));
}

#[test]
fn a_port_that_is_taken_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = output(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with(&format!("etcd-memory: cannot listen on {address}: ")), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
