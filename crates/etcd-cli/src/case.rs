//! Commands in any case (`GET`, `Set`, `MkDir`), and options of a command before it (`-t 60 set /key value`).

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// The arguments as `clap` takes them: every command in its case, and behind it what stands before it and is its own.
/// Options and all that stands behind the last command are left as they are. With them the command that is called, if
/// it is one.
pub(crate) fn normal(root: &Command, args: Vec<OsString>) -> (Vec<OsString>, Option<&Command>) {
    let mut args = options_behind(root, args);
    let mut path = vec![root];
    let mut next = 1;
    while let Some(text) = args.get(next).and_then(|arg| arg.to_str()).map(str::to_owned) {
        next += 1;
        if text == "--" {
            break;
        }
        if text.starts_with('-') && text.len() > 1 {
            if value_follows(&path, &text) {
                next += 1;
            }
            continue;
        }
        let lower = text.to_lowercase();
        let last = path.last().copied().unwrap_or(root);
        let Some(sub) = last.get_subcommands().find(|sub| is_called(sub, &lower)) else {
            if lower == "help" && last.has_subcommands() {
                args[next - 1] = lower.into();
                continue;
            }
            break;
        };
        args[next - 1] = lower.into();
        path.push(sub);
    }
    (args, path.get(1).copied())
}

/// Moves options of a command that stand before it behind it; `clap` takes only global ones there.
///
/// Which argument is the command, and not the value of an option, depends on what the command's own options are: the
/// first argument is taken with which all before it are options.
fn options_behind(root: &Command, args: Vec<OsString>) -> Vec<OsString> {
    let found = (1..args.len()).find_map(|place| {
        let name = args[place].to_str()?.to_lowercase();
        let command = root.get_subcommands().find(|sub| is_called(sub, &name))?;
        own_options(root, command, &args[1..place]).map(|own| (place, own))
    });
    let Some((place, own)) = found else { return args };
    let (mut before, mut moved, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for (at, arg) in args.into_iter().enumerate() {
        let to = match at {
            0 => &mut before,
            _ if at > place => &mut behind,
            _ if at < place && own[at - 1] => &mut moved,
            _ => &mut before,
        };
        to.push(arg);
    }
    before.extend(moved);
    before.extend(behind);
    before
}

/// Which of the arguments are the command's own and no global ones; `None` if not all are options with their values.
fn own_options(root: &Command, command: &Command, args: &[OsString]) -> Option<Vec<bool>> {
    let mut own = Vec::with_capacity(args.len());
    while let Some(arg) = args.get(own.len()) {
        let text = arg.to_str().filter(|text| text.starts_with('-') && text.len() > 1 && *text != "--")?;
        let is_own = !is_known(root, text);
        if is_own && !is_known(command, text) {
            return None;
        }
        own.push(is_own);
        if value_follows(&[root, command], text) {
            args.get(own.len())?;
            own.push(is_own);
        }
    }
    Some(own)
}

/// Whether the command has this option, or the first of these letters.
fn is_known(command: &Command, option: &str) -> bool {
    let mut options = command.get_arguments();
    match option.strip_prefix("--") {
        Some(long) => {
            let name = long.split('=').next().unwrap_or(long);
            matches!(name, "help" | "version") || options.any(|arg| has_long(arg, name))
        }
        None => option
            .chars()
            .nth(1)
            .is_some_and(|letter| matches!(letter, 'h' | 'V') || options.any(|arg| has_short(arg, letter))),
    }
}

fn is_called(command: &Command, name: &str) -> bool {
    command.get_name() == name || command.get_all_aliases().any(|alias| alias == name)
}

/// Whether the argument behind this option is its value.
fn value_follows(path: &[&Command], option: &str) -> bool {
    let options = || path.iter().flat_map(|command| command.get_arguments());
    if let Some(long) = option.strip_prefix("--") {
        return !long.contains('=') && options().any(|arg| has_long(arg, long) && wants_value(arg));
    }
    let mut letters = option.chars().skip(1).peekable();
    while let Some(letter) = letters.next() {
        if options().any(|arg| has_short(arg, letter) && wants_value(arg)) {
            // Else it stands right behind the letter.
            return letters.peek().is_none();
        }
    }
    false
}

fn has_long(arg: &Arg, long: &str) -> bool {
    arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|all| all.contains(&long))
}

fn has_short(arg: &Arg, letter: char) -> bool {
    arg.get_short() == Some(letter) || arg.get_all_short_aliases().is_some_and(|all| all.contains(&letter))
}

fn wants_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// Whether an option stands among the arguments, before a `--`.
pub(crate) fn contains(args: &[OsString], option: &str) -> bool {
    args.iter().take_while(|arg| *arg != OsStr::new("--")).any(|arg| arg == OsStr::new(option))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn check(written: &str, wanted: &str) {
        let args = written.split(' ').map(OsString::from).collect();
        let wanted: Vec<_> = wanted.split(' ').map(OsString::from).collect();
        assert_eq!(normal(&Cli::command(), args).0, wanted, "{written}");
    }

    #[test]
    fn commands_are_lowered_wherever_they_stand_and_nothing_else() {
        check("c GET /Key", "c get /Key");
        check("c -s GET Set /K V", "c -s GET set /K V");
        check("c --servers=X -wJSON MkDir /D", "c --servers=X -wJSON mkdir /D");
        check("c --debug GET GET", "c --debug get GET");
        check("c MEMBERS List", "c members list");
        check("c USER Grant Bob --roles R", "c user grant Bob --roles R");
        check("c HELP Get", "c help get");
        check("c set -- GET", "c set -- GET");
        check("c -u", "c -u");
    }

    #[test]
    fn options_of_a_command_may_stand_before_it() {
        check("c -t 60 set -p x /a b", "c set -t 60 -p x /a b");
        check("c -s A -t 60 --debug SET /a b", "c -s A --debug set -t 60 /a b");
        // `-p` has a value on `set` and none on `ls`.
        check("c -p ls /a", "c ls -p /a");
        check("c --recursive -p ls", "c ls --recursive -p");
        check("c --frob get /a", "c --frob get /a");
        check("c -- get", "c -- get");
    }
}
