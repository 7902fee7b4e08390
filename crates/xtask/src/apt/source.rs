//! Where apt is told to fetch from.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::run;

/// One place to fetch binary packages from, as apt is configured with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) uris: Vec<String>,
    pub(crate) suites: Vec<String>,
    pub(crate) components: Vec<String>,
    /// A file's path or a key, word for word, further lines included; `None` for apt's default keys.
    pub(crate) signed_by: Option<String>,
}

/// All sources that apt is configured with.
pub(crate) fn configured() -> Result<Vec<Source>, Failure> {
    let mut apt_config = Command::new("apt-config");
    apt_config.args(["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]);
    let places = run::output(&mut apt_config)
        .map_err(|_| Failure::new("this machine has no apt: set ETCD_BIN, or put etcd into PATH"))?;
    let mut files = Vec::new();
    for place in places.lines().filter_map(quoted) {
        let place = Path::new(place);
        if place.is_dir() {
            let entries = fs::read_dir(place).map_err(|error| Failure::file(place, &error))?;
            files.extend(entries.flatten().map(|entry| entry.path()));
        } else {
            files.push(place.to_owned());
        }
    }
    files.sort();
    Ok(files.iter().flat_map(read).collect())
}

/// The sources of one file; apt, too, decides by the ending and passes over others.
fn read(file: impl AsRef<Path>) -> Vec<Source> {
    let file = file.as_ref();
    // A file that cannot be read, or is not there, says nothing.
    let text = fs::read_to_string(file).unwrap_or_default();
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("sources") => read_stanzas(&text),
        Some("list") => text.lines().filter_map(read_line).collect(),
        _ => Vec::new(),
    }
}

/// The format with one stanza of `Field: value` lines per source (deb822).
fn read_stanzas(text: &str) -> Vec<Source> {
    let text = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    text.split("\n\n").filter_map(read_stanza).collect()
}

fn read_stanza(text: &str) -> Option<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push('\n');
            value.push_str(line);
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let enabled = !field("enabled").is_some_and(|value| matches!(value, "no" | "false" | "0" | "off"));
    let source = Source {
        uris: words(field("uris")?),
        suites: words(field("suites")?),
        components: words(field("components").unwrap_or_default()),
        signed_by: field("signed-by").map(str::to_owned),
    };
    (enabled && words(field("types")?).contains(&"deb".to_owned())).then_some(source)
}

/// The format with one line per source: `deb [option=value …] URI SUITE COMPONENT…`.
fn read_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    // Else it is `deb-src`.
    let rest = rest.starts_with([' ', '\t', '[']).then(|| rest.trim_start())?;
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by: signed_by.map(|value| value.replace(',', " ")),
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The value of a line `NAME='value'`.
fn quoted(line: &str) -> Option<&str> {
    line.split_once('=')?.1.strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str, suites: &[&str], components: &[&str], signed_by: Option<&str>) -> Source {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Source {
            uris: vec![uri.to_owned()],
            suites: owned(suites),
            components: owned(components),
            signed_by: signed_by.map(str::to_owned),
        }
    }

    #[test]
    fn stanzas_are_read() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n\
                    Components: main\nSigned-By: /keys/debian.gpg\n\nTypes: deb-src\nURIs: http://x\nSuites: y\n\n\
                    Enabled: no\nTypes: deb\nURIs: http://x\nSuites: y\n";
        let expected = source(
            "http://mirror.example/debian",
            &["bookworm", "bookworm-updates"],
            &["main"],
            Some("/keys/debian.gpg"),
        );
        assert_eq!(read_stanzas(text), [expected]);
    }

    #[test]
    fn a_key_within_a_stanza_is_kept_word_for_word() {
        let text = "Types: deb\nURIs: http://x\nSuites: y\nSigned-By:\n -----BEGIN\n .\n abc\n -----END\n";
        let expected = "\n -----BEGIN\n .\n abc\n -----END";
        assert_eq!(read_stanzas(text)[0].signed_by.as_deref(), Some(expected));
    }

    #[test]
    fn lines_are_read() {
        assert_eq!(
            read_line("deb [arch=amd64 signed-by=/k.gpg] http://x/ubuntu noble main universe # c"),
            Some(source("http://x/ubuntu", &["noble"], &["main", "universe"], Some("/k.gpg")))
        );
        assert_eq!(read_line("deb http://x y main"), Some(source("http://x", &["y"], &["main"], None)));
        for nothing in ["", "# deb http://x y main", "deb-src http://x y main", "deb http://x"] {
            assert_eq!(read_line(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_answer_of_apt_config_is_unquoted() {
        assert_eq!(quoted("LIST='/etc/apt/sources.list'"), Some("/etc/apt/sources.list"));
        assert_eq!(quoted("LIST"), None);
    }
}
