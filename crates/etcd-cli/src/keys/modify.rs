//! Changing a value by a program, whoever else does so.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::write::{TtlOption, done};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Simple;
use crate::session::Session;
use crate::value;

/// Changes a value by a program: it gets the value on standard input and prints the new one
///
/// If somebody else writes the key meanwhile, the program runs again with what they wrote. A line break that the
/// program adds behind its output is left out, unless the value had one. If the program fails nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli modify /counter -- awk '{print $1 + 1}'\n  \
    etcd-cli modify /config -- jq '.debug = true'\n  \
    etcd-cli modify /hosts --or-create '' -- sed '$a 10.0.0.7'")]
pub(crate) struct Modify {
    key: String,
    /// The value to write where no key is; the program is not run then
    #[arg(long, value_name = "VALUE")]
    or_create: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl Modify {
    /// The program runs between two calls and not in one, so that a signal is heard while it does: the client is given
    /// what the program has made of a value for as long as the key holds that value.
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let mut made: Option<(String, String)> = None;
        for _ in 0..ROUNDS {
            let unknown = Arc::new(Mutex::new(None));
            let change = {
                let (unknown, made) = (Arc::clone(&unknown), made.take());
                move |value: &str| match &made {
                    Some((given, new)) if given == value => Some(new.clone()),
                    Some(_) | None => {
                        *unknown.lock().unwrap_or_else(PoisonError::into_inner) = Some(value.to_owned());
                        None
                    }
                }
            };
            let mut modify = session.client.modify(self.key.as_str(), change);
            if let Some(value) = &self.or_create {
                modify = modify.or_create(value);
            }
            let modified = self.ttl.apply(modify, |modify, ttl| modify.ttl(ttl)).await?;
            let unknown = unknown.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(value) = unknown else { return done(session, &modified, Simple::Value) };
            let new = filter(&self.program, &value).await?;
            made = Some((value, new));
        }
        let text = format!("modify {}: others were faster {ROUNDS} times, nothing was written", self.key);
        Err(Failure::new(Exit::CompareFailed, text))
    }
}

/// What the program makes of a value. Dropped it is killed.
async fn filter(program: &[OsString], value: &str) -> Result<String> {
    // `required` of the command line: there is one.
    let [name, args @ ..] = program else { return Err(Failure::usage("no program is given")) };
    let shown = name.to_string_lossy();
    let failed = |error: &io::Error| Failure::io(format!("cannot run {shown}, nothing was written"), error);
    let mut command = Command::new(name);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let input = child.stdin.take();
    // Beside the reading: a program may print before it has read all, and may read nothing.
    let write = async move {
        match input {
            Some(mut input) => input.write_all(value.as_bytes()).await,
            None => Ok(()),
        }
    };
    let (_written, output) = tokio::join!(write, child.wait_with_output());
    let output = output.map_err(|error| failed(&error))?;
    if !output.status.success() {
        let text = format!("{shown} has ended with {}, nothing was written", output.status);
        return Err(Failure::new(Exit::Failed, text));
    }
    let mut new = value::text(output.stdout, &format!("what {shown} prints"))?;
    if new.ends_with('\n') && !value.ends_with('\n') {
        new.pop();
    }
    Ok(new)
}

/// So often the program is run at most.
const ROUNDS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, value: &str) -> Result<String> {
        filter(&["sh".into(), "-c".into(), script.into()], value).await
    }

    #[tokio::test]
    async fn a_line_break_is_left_out_unless_there_was_one() {
        assert_eq!(sh("cat; echo", "a").await.unwrap(), "a");
        assert_eq!(sh("cat; echo b", "a\n").await.unwrap(), "a\nb\n");
        assert_eq!(sh("printf x", "a").await.unwrap(), "x");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_reads_nothing_is_no_trouble() {
        assert!(sh("exit 3", "a").await.unwrap_err().text(true).contains("nothing was written"));
        assert_eq!(sh("echo done", &"x".repeat(1 << 20)).await.unwrap(), "done");
        assert!(filter(&["/no/such/program".into()], "a").await.is_err());
        assert!(sh("printf '\\377'", "a").await.is_err());
    }
}
