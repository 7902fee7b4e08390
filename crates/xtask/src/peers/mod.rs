//! `cargo xtask peers`: clients that nobody here wrote, against the server in memory and real ones.

mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use self::server::{Kind, Server};
use crate::etcd::{self, Missing};
use crate::failure::{Failure, no_arguments};
use crate::run;
use crate::workspace::Workspace;

/// Plays the script of every client on every kind of server, each on a fresh one, and compares what it prints with
/// what is recorded in `tests/peers`: one line each. What could not be had is said, and fails the chore as well.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    let scratch = workspace.target().join("peers");
    std::fs::create_dir_all(&scratch).map_err(|error| Failure::file(&scratch, &error))?;
    let mut failed = 0;
    let mut problem = |line: String| {
        println!("{line}");
        failed += 1;
    };
    let (real, missing) = etcd::fetch(workspace);
    for Missing { series, reason } in &missing {
        problem(format!("etcd {series}: could not be had: {reason}"));
    }
    let mut clients = Vec::new();
    for client in [etcdctl(workspace), python_etcd(workspace)] {
        match client {
            Ok(client) => clients.push(client),
            Err(failure) => problem(failure.to_string()),
        }
    }

    let mut build = workspace.cargo();
    build.args(["build", "--package", "etcd-testkit", "--features", "program", "--bin", "etcd-memory"]);
    run::visibly(&mut build)?;
    let memory = workspace.target().join("debug").join("etcd-memory");
    let mut servers: Vec<Kind> =
        real.iter().map(|binary| Kind::real(&binary.path, binary.series())).collect();
    servers.extend(etcd::SERIES.iter().map(|series| Kind::memory(&memory, series)));

    for kind in &servers {
        for client in &clients {
            match client.play(workspace, kind) {
                Ok(lines) => println!("{} on {kind}: ok, {lines} lines", client.name),
                Err(failure) => problem(format!("{} on {kind}: failed: {failure}", client.name)),
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(Failure::new(format!("{failed} of the above failed"))) }
}

/// A client, and the script that uses it.
#[derive(Debug)]
struct Client {
    name: &'static str,
    /// The script in `tests/peers`, and what runs it.
    script: &'static str,
    interpreter: PathBuf,
    /// Where the script finds the client, if it does not know.
    program: Option<PathBuf>,
}

impl Client {
    /// Plays the script on a fresh server; how many lines it has printed, all of them as recorded.
    fn play(&self, workspace: &Workspace, kind: &Kind) -> Result<usize, Failure> {
        let directory = workspace.root().join("tests").join("peers");
        let server = Server::start(kind, &workspace.target().join("peers"))?;
        let mut script = Command::new("timeout");
        script.arg(LIMIT).arg(&self.interpreter).arg(self.script).current_dir(&directory);
        script.env("ENDPOINT", server.endpoint());
        if let Some(program) = &self.program {
            script.env("ETCDCTL", program);
        }
        let output = run::silently(&mut script)?;
        drop(server);
        let printed =
            workspace.target().join("peers").join(format!("{}-{}.out", self.name, kind.file_name()));
        write(&printed, &output.stdout)?;
        if !output.success {
            let last = output.stderr.trim().lines().last().unwrap_or("it did not end, or said nothing");
            return Err(Failure::new(format!("{last} (its output: {})", printed.display())));
        }
        let expected = self.expected(&directory, kind);
        let recorded =
            std::fs::read_to_string(&expected).map_err(|error| Failure::file(&expected, &error))?;
        match first_difference(&recorded, &output.stdout) {
            None => Ok(recorded.lines().count()),
            Some(difference) => {
                Err(Failure::new(format!("{difference} (diff {} {})", expected.display(), printed.display())))
            }
        }
    }

    /// The recording, of this series where the series differ.
    fn expected(&self, directory: &Path, kind: &Kind) -> PathBuf {
        let stem = Path::new(self.script).file_stem().unwrap_or_default().to_string_lossy();
        let of_series = directory.join(format!("{stem}-{}.out", kind.series()));
        if of_series.is_file() { of_series } else { directory.join(format!("{stem}.out")) }
    }
}

/// The last etcdctl that speaks v2 on its own: that of 3.4.
fn etcdctl(workspace: &Workspace) -> Result<Client, Failure> {
    let program = workspace.target().join("etcd").join("3.4").join("etcdctl");
    if !program.is_file() {
        let text = format!("etcdctl: could not be had: no {} after `cargo xtask etcd`", program.display());
        return Err(Failure::new(text));
    }
    let interpreter = "bash".into();
    Ok(Client { name: "etcdctl", script: "etcdctl.sh", interpreter, program: Some(program) })
}

/// python-etcd in an environment of its own, installed from PyPI when what is wanted has changed.
fn python_etcd(workspace: &Workspace) -> Result<Client, Failure> {
    let wanted = workspace.root().join("tests").join("peers").join("requirements.txt");
    let venv = workspace.target().join("peers").join("venv");
    let interpreter = venv.join("bin").join("python");
    let stamp = venv.join("installed.txt");
    let wanted_text = std::fs::read_to_string(&wanted).map_err(|error| Failure::file(&wanted, &error))?;
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(&*wanted_text) {
        println!("python-etcd is not there yet: installing it under {}", venv.display());
        let unless_had = |failure: Failure| Failure::new(format!("python-etcd: could not be had: {failure}"));
        run::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))
            .map_err(unless_had)?;
        let mut install = Command::new(&interpreter);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
        run::output(&mut install).map_err(unless_had)?;
        write(&stamp, &wanted_text)?;
    }
    Ok(Client { name: "python-etcd", script: "python_etcd.py", interpreter, program: None })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

/// The first line that is not as recorded, in words.
fn first_difference(recorded: &str, printed: &str) -> Option<String> {
    let (mut recorded, mut printed) = (recorded.lines(), printed.lines());
    for number in 1.. {
        let (wanted, got) = (recorded.next(), printed.next());
        if wanted != got {
            let shown = |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("`{line}`"));
            return Some(format!("line {number} is {}, not {}", shown(got), shown(wanted)));
        }
        if wanted.is_none() {
            break;
        }
    }
    None
}

/// Seconds for one script; they take about 10.
const LIMIT: &str = "90";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_told() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), "line 2 is `c`, not `b`");
        assert_eq!(first_difference("a\nb\n", "a\n").unwrap(), "line 2 is the end, not `b`");
        assert_eq!(first_difference("a\n", "a\nb\n").unwrap(), "line 2 is `b`, not the end");
    }
}
