//! Running other programs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// Prints the command and runs it with this terminal; anything but success is a failure.
pub(crate) fn visibly(command: &mut Command) -> Result<(), Failure> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| Failure::new(format!("`{line}` does not run: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` failed ({status})"))) }
}

/// Runs the command unseen.
pub(crate) fn silently(command: &mut Command) -> Result<Output, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("`{}` does not run: {error}", line(command))))?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs the command unseen; its output, or a failure with what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = silently(command)?;
    if output.success {
        return Ok(output.stdout);
    }
    let complaint = output.stderr.trim().replace('\n', " / ");
    Err(Failure::new(format!("`{}` failed: {complaint}", line(command))))
}

/// What a program printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command as one would type it, the program without its directory.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        assert_eq!(
            line(Command::new("/opt/bin/cargo").args(["test", "--workspace"])),
            "cargo test --workspace"
        );
    }

    #[test]
    fn a_failure_says_what_the_program_complained_of() {
        let failure =
            output(Command::new("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"])).unwrap_err();
        assert!(failure.to_string().ends_with("failed: one / two"), "{failure}");
    }
}
