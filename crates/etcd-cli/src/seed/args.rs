//! The arguments of `etcd-test`, options anywhere among them.

use std::ffi::OsString;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Args {
    pub(super) servers: String,
    pub(super) verb: Verb,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get {
        key: String,
    },
    Set {
        key: String,
        value: String,
        precond: Option<String>,
        ttl: Option<u64>,
    },
    Delete {
        key: String,
    },
    Watch {
        key: String,
        index: Option<u64>,
    },
    Leader,
    /// With an index the lock of that index is renewed.
    Lock {
        key: String,
        ttl: u64,
        index: Option<u64>,
    },
    Unlock {
        key: String,
        index: u64,
    },
}

/// Options as they come, and the rest.
#[derive(Debug, Default)]
struct Options {
    servers: Option<String>,
    precond: Option<String>,
    ttl: Option<u64>,
    index: Option<u64>,
    words: Vec<String>,
}

impl Args {
    /// Reads the arguments; all that it does not know is a wrong use, as it was there.
    pub(super) fn parse(args: &[OsString], servers: Option<String>) -> Result<Self, ()> {
        let Options { servers: option, precond, ttl, index, words } = Options::read(args)?;
        let mut words = words.into_iter();
        let verb = words.next().ok_or(())?.to_lowercase();
        let mut word = || words.next().ok_or(());
        // An option that the verb does not know is a wrong use.
        let none = |unused: bool| if unused { Ok(()) } else { Err(()) };
        let verb = match verb.as_str() {
            "get" | "delete" => {
                none(precond.is_none() && ttl.is_none() && index.is_none())?;
                let key = word()?;
                if verb == "get" { Verb::Get { key } } else { Verb::Delete { key } }
            }
            "set" => {
                none(index.is_none())?;
                Verb::Set { key: word()?, value: word()?, precond, ttl }
            }
            "watch" => {
                none(precond.is_none() && ttl.is_none())?;
                Verb::Watch { key: word()?, index }
            }
            "leader" => {
                none(precond.is_none() && ttl.is_none() && index.is_none())?;
                Verb::Leader
            }
            "lock" => {
                none(precond.is_none())?;
                Verb::Lock { key: word()?, ttl: ttl.ok_or(())?, index }
            }
            "unlock" => {
                none(precond.is_none() && ttl.is_none())?;
                Verb::Unlock { key: word()?, index: index.ok_or(())? }
            }
            _ => return Err(()),
        };
        none(words.next().is_none())?;
        Ok(Self { servers: option.or(servers).ok_or(())?, verb })
    }
}

impl Options {
    fn read(args: &[OsString]) -> Result<Self, ()> {
        let mut options = Self::default();
        let mut args = args.iter().map(|arg| arg.to_str().ok_or(()));
        while let Some(arg) = args.next().transpose()? {
            if arg == "--" {
                options
                    .words
                    .extend(args.by_ref().collect::<Result<Vec<_>, ()>>()?.into_iter().map(Into::into));
                break;
            }
            if !arg.starts_with('-') || arg == "-" {
                options.words.push(arg.to_owned());
                continue;
            }
            let (name, value) = split(arg)?;
            let value = match value {
                Some(value) => value.to_owned(),
                None => args.next().ok_or(())??.to_owned(),
            };
            options.set(name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ()> {
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        match name {
            "s" | "servers" => self.servers = Some(value),
            "p" | "precond" => self.precond = Some(value),
            "t" | "ttl" => self.ttl = Some(number(&value)?),
            "i" | "index" => self.index = Some(number(&value)?),
            _ => return Err(()),
        }
        Ok(())
    }
}

/// `-tN`, `-t`, `--ttl=N`, `--ttl`: the name, and the value where it is attached.
pub(super) fn split(arg: &str) -> Result<(&str, Option<&str>), ()> {
    if let Some(long) = arg.strip_prefix("--") {
        return Ok(long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))));
    }
    let letter = arg.get(1..2).ok_or(())?;
    let rest = &arg[2..];
    Ok((letter, Some(rest).filter(|rest| !rest.is_empty())))
}

/// What stands behind the program's name.
pub(super) const USAGE: &str = "[-s server-list] ...
  for get:    get KEY
  for set:    set [-p precond] [-t ttl] KEY VALUE
  for delete: delete KEY
  for watch:  watch [-i index] KEY
  for leader: leader
  for lock:   lock -t ttl [-i index] KEY
  for unlock: unlock -i index KEY
Server list is host:port pairs separated by comma, semicolon, or white space.
If not given on the command line, ETCD_SERVERS will be used from the environment
instead.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, ()> {
        let args: Vec<_> = line.split(' ').map(OsString::from).collect();
        Args::parse(&args, Some("env:1".into()))
    }

    #[test]
    fn options_stand_anywhere_and_verbs_have_any_case() {
        let set = |servers: &str| Args {
            servers: servers.into(),
            verb: Verb::Set { key: "/a".into(), value: "1".into(), precond: Some("0".into()), ttl: Some(5) },
        };
        assert_eq!(parse("-s a:1 SET -p 0 /a -t 5 1"), Ok(set("a:1")));
        assert_eq!(parse("set /a 1 --ttl=5 --precond 0"), Ok(set("env:1")));
        let watch = Verb::Watch { key: "/a".into(), index: Some(7) };
        assert_eq!(parse("watch -i7 /a").unwrap().verb, watch);
        assert_eq!(parse("watch --index 7 /a").unwrap().verb, watch);
        let lock = |index| Verb::Lock { key: "a".into(), ttl: 5, index };
        assert_eq!(parse("lock -t 5 a").unwrap().verb, lock(None));
        assert_eq!(parse("Lock a --ttl 5 -i 7").unwrap().verb, lock(Some(7)));
        assert_eq!(parse("unlock a -i 7").unwrap().verb, Verb::Unlock { key: "a".into(), index: 7 });
        assert_eq!(parse("get -- -k").unwrap().verb, Verb::Get { key: "-k".into() });
    }

    #[test]
    fn what_a_verb_does_not_know_is_a_wrong_use() {
        for line in
            ["", "get", "get a b", "get -t 5 a", "set a", "set -i 5 a b", "watch -p x a", "leader a", "xyz"]
        {
            assert_eq!(parse(line), Err(()), "{line}");
        }
        for line in
            ["lock a", "lock -t 5", "lock -t 5 -p x a", "unlock a", "unlock -i 5 -t 5 a", "unlock -i 5"]
        {
            assert_eq!(parse(line), Err(()), "{line}");
        }
        assert_eq!(parse("set -t x a b"), Err(()));
        assert_eq!(parse("get -é a"), Err(()));
        assert_eq!(Args::parse(&["leader".into()], None), Err(()));
    }
}
