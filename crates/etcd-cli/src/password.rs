//! Asking for a password on the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::connect::no_password;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Asks on the terminal of this process, whatever standard input and output are, and shows nothing of the answer.
pub(crate) fn ask(question: &str) -> Result<String> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Err(no_password(question.trim_end_matches([':', ' '])));
    };
    match ask_on(&mut terminal, question) {
        Ok(Some(answer)) => crate::value::text(answer, "the password"),
        Ok(None) => Err(Failure::new(Exit::Interrupted, "")),
        Err(error) => Err(Failure::io("cannot ask on the terminal", &error)),
    }
}

/// A new password for a user: asked for twice on the terminal, or the first line of standard input if that is none.
pub(crate) async fn new(name: &str) -> Result<String> {
    if !io::stdin().is_terminal() {
        let text = crate::value::stdin("the password").await?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    let first = ask(&format!("New password of {name}: "))?;
    match ask(&format!("Once more, password of {name}: "))? == first {
        true => Ok(first),
        false => Err(Failure::usage("the two passwords are not the same")),
    }
}

fn ask_on(terminal: &mut File, question: &str) -> io::Result<Option<Vec<u8>>> {
    let _quiet = Quiet::new(terminal)?;
    terminal.write_all(question.as_bytes())?;
    let answer = read_line(terminal);
    terminal.write_all(b"\n")?;
    answer
}

/// A terminal that shows nothing and hands over each key at once, until it is dropped. Ctrl-C comes as a key like any
/// other: a signal would end the program and leave the terminal as it is.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: &File) -> io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // There is nothing left to do about a terminal that does not take its own settings back.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Reads keys to the end of the line; `None` for Ctrl-C.
fn read_line(terminal: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        if terminal.read(&mut key)? == 0 {
            return Ok(Some(line));
        }
        match key[0] {
            b'\r' | b'\n' => return Ok(Some(line)),
            CTRL_C => return Ok(None),
            CTRL_D if line.is_empty() => return Ok(Some(line)),
            CTRL_U => line.clear(),
            BACKSPACE | DELETE => {
                line.pop();
            }
            byte => line.push(byte),
        }
    }
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;
