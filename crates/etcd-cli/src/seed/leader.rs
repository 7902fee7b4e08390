//! As the C client's program `leader`: one election on a key, until a signal.

use std::ffi::OsString;

use super::{args, client, tell, with_runtime};
use crate::exit::Exit;
use crate::locks::Candidate;

/// Runs what the arguments ask for.
pub(crate) fn run(args: &[OsString]) -> Exit {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let usage = format!("Usage: {name} {USAGE}");
    let servers = std::env::var("ETCD_SERVERS").ok();
    let options = match Options::read(args.get(1..).unwrap_or_default()) {
        Ok(options) if options.help => {
            tell(&usage);
            return Exit::Done;
        }
        Ok(options) => options,
        Err(()) => {
            tell(&usage);
            return Exit::Failed;
        }
    };
    let Some(servers) = options.servers.or(servers) else {
        tell(&usage);
        return Exit::Failed;
    };
    let candidate = options.candidate;
    match with_runtime(async |out, signals| candidate.run(&client(&servers)?, out, signals).await) {
        Ok(exit) => exit,
        Err(failure) => {
            tell(&failure.text(false));
            Exit::Failed
        }
    }
}

#[derive(Debug, Default)]
struct Options {
    servers: Option<String>,
    candidate: Candidate,
    help: bool,
}

impl Options {
    fn read(args: &[OsString]) -> Result<Self, ()> {
        let mut options = Self::default();
        let mut args = args.iter().map(|arg| arg.to_str().ok_or(()));
        while let Some(arg) = args.next().transpose()? {
            if !arg.starts_with('-') {
                return Err(());
            }
            let (name, value) = args::split(arg)?;
            if matches!(name, "h" | "help") {
                options.help = true;
                continue;
            }
            let value = match value {
                Some(value) => value.to_owned(),
                None => args.next().ok_or(())??.to_owned(),
            };
            match name {
                "f" | "fitness" => options.candidate.fitness = value.parse().map_err(|_| ())?,
                "k" | "key" => options.candidate.key = value,
                "n" | "nodename" => options.candidate.name = value,
                "s" | "servers" => options.servers = Some(value),
                _ => return Err(()),
            }
        }
        Ok(options)
    }
}

/// What stands behind the program's name.
const USAGE: &str = "[-s server-list] [-f fitness] [-k key] [-n nodename]
  -f, --fitness   how fit this node is to lead (42)
  -k, --key       the key of the election (nsr)
  -n, --nodename  the name of this node (its host's)
Server list is host:port pairs separated by comma, semicolon, or white space.
If not given on the command line, ETCD_SERVERS will be used from the environment
instead.";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, ()> {
        Options::read(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn it_knows_its_options_and_their_defaults() {
        let options = read("-f 7 --key=/k -nme --servers a:1").unwrap();
        let Candidate { fitness, key, name, .. } = options.candidate;
        assert_eq!((fitness, &*key, &*name, options.servers.as_deref()), (7, "/k", "me", Some("a:1")));
        let Candidate { fitness, key, name, .. } = read("").unwrap().candidate;
        assert_eq!((fitness, &*key, name), (42, "nsr", crate::host::name()));
        assert!(read("-h").unwrap().help);
    }

    #[test]
    fn what_it_does_not_know_is_a_wrong_use() {
        for line in ["x", "-f", "-f much", "-t 5", "--frob 1", "-é"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
