//! `cargo xtask cold`: what one `get` costs, from the start of the program to its end.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Builds `etcd-cli` as a release, and prints the processor time (user and system) of a `get` beside etcdctl's if
/// there is one: of etcd 3.4, whose etcdctl still speaks v2.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let runs = runs(args)?;
    let mut build = workspace.cargo();
    run::visibly(build.args(["build", "--release", "--package", "etcd-cli"]))?;
    let program = workspace.target().join("release").join("etcd-cli");
    let server = Server::start(&program)?;
    run::output(command(&program, &server.endpoint).args(["set", "/cold", "value"]))?;

    let mut programs = vec![("etcd-cli", program)];
    match etcdctl(workspace) {
        Some(etcdctl) => programs.push(("etcdctl", etcdctl)),
        None => println!("etcdctl: not there; `cargo xtask etcd` fetches it"),
    }
    // By turns, so that what else the machine does meets both alike.
    let mut spent = vec![0.0; programs.len()];
    for _ in 0..runs / ROUND {
        for ((_, program), spent) in programs.iter().zip(&mut spent) {
            let before = millis_of_children()?;
            for _ in 0..ROUND {
                let printed = run::output(command(program, &server.endpoint).args(["get", "/cold"]))?;
                if printed != "value\n" {
                    return Err(Failure::new(format!("{} printed {printed:?}", program.display())));
                }
            }
            *spent += millis_of_children()? - before;
        }
    }
    for ((name, _), spent) in programs.iter().zip(spent) {
        println!("{name}: {:.1} ms of processor time for a cold get ({runs} runs)", spent / f64::from(runs));
    }
    Ok(())
}

/// A multiple of [`ROUND`].
fn runs(args: &[String]) -> Result<u32, Failure> {
    let wrong = || Failure::new("usage: cargo xtask cold [--runs N]");
    let runs = match args {
        [] => DEFAULT,
        [name, runs] if name == "--runs" => runs.parse().map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    Ok(runs.clamp(1, MOST).next_multiple_of(ROUND))
}

fn command(program: &Path, endpoint: &str) -> Command {
    let mut command = Command::new(program);
    command.env("ETCDCTL_API", "2").env("ETCDCTL_ENDPOINTS", endpoint);
    command
}

fn etcdctl(workspace: &Workspace) -> Option<PathBuf> {
    let path = workspace.target().join("etcd").join("3.4").join("etcdctl");
    path.is_file().then_some(path)
}

/// Processor time of all children that have ended and were waited for.
fn millis_of_children() -> Result<f64, Failure> {
    let path = Path::new("/proc/self/stat");
    let stat = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    of_children(&stat).ok_or_else(|| Failure::new(format!("{} reads {stat:?}", path.display())))
}

/// Fields 16 and 17 of proc(5), in ticks of which Linux shows 100 a second on every architecture that it is built for.
fn of_children(stat: &str) -> Option<f64> {
    // The name of the program, field 2, may hold anything, brackets too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(13).map(|field| field.parse::<u32>().ok());
    let (user, system) = (ticks.next()??, ticks.next()??);
    Some(f64::from(user + system) * 10.0)
}

/// The program's own etcd in memory; dropping it ends it.
struct Server {
    process: Child,
    endpoint: String,
}

impl Server {
    fn start(program: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--for", "10m"]);
        let process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let process = process.map_err(|error| Failure::file(program, &error))?;
        let mut server = Self { process, endpoint: String::new() };
        if let Some(output) = server.process.stdout.take() {
            let mut line = String::new();
            let read = BufReader::new(output).read_line(&mut line);
            read.map_err(|error| Failure::file(program, &error))?;
            server.endpoint = line.trim().to_owned();
        }
        match server.endpoint.is_empty() {
            true => Err(Failure::new("the server has not come up")),
            false => Ok(server),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const DEFAULT: u32 = 200;
const MOST: u32 = 10_000;
const ROUND: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_found_behind_a_name_with_brackets() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 101 102 31 4 20 0 1";
        assert_eq!(of_children(stat), Some(350.0));
        assert_eq!(of_children("12 (a) S 1"), None);
    }

    #[test]
    fn runs_come_in_whole_rounds() {
        let runs = |args: &[&str]| runs(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>());
        assert_eq!(runs(&[]).unwrap(), 200);
        assert_eq!(runs(&["--runs", "1"]).unwrap(), 20);
        assert!(runs(&["--runs"]).is_err() && runs(&["--runs", "x"]).is_err());
    }
}
