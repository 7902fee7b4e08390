//! Peer URLs, checked as etcd does.

use super::escape;
use crate::memory::Profile;

/// Checks a list of peer URLs and sorts it; `Err` is etcd's text of what is wrong with the first bad one.
pub(crate) fn check(urls: &[String], profile: Profile) -> Result<Vec<String>, String> {
    if urls.is_empty() {
        return Err("no valid URLs given".into());
    }
    let mut checked = Vec::with_capacity(urls.len());
    for url in urls {
        let url = url.trim();
        check_one(url, profile)?;
        checked.push(url.to_owned());
    }
    checked.sort();
    Ok(checked)
}

/// The checks in etcd's order: form, scheme, host and port, path.
fn check_one(url: &str, profile: Profile) -> Result<(), String> {
    let parts =
        parse(url).map_err(|problem| format!("parse {}: {problem}", escape::quote(url.as_bytes())))?;
    let is_unix = matches!(parts.scheme.as_str(), "unix" | "unixs");
    if !is_unix && !matches!(parts.scheme.as_str(), "http" | "https") {
        return Err(format!("URL scheme must be http, https, unix, or unixs: {url}"));
    }
    if is_unix && profile.takes_unix_urls_without_port() {
        return Ok(());
    }
    if !has_host_and_port(parts.host) {
        return Err(format!("URL address does not have the form \"host:port\": {url}"));
    }
    if !parts.path.is_empty() {
        return Err(format!("URL must not contain a path: {url}"));
    }
    Ok(())
}

/// The parts of a URL that etcd looks at.
struct Parts<'a> {
    /// In lower case; empty where there is none.
    scheme: String,
    host: &'a str,
    path: &'a str,
}

/// Takes a URL apart as Go's `url.Parse` does; `Err` is its text of what is wrong.
fn parse(url: &str) -> Result<Parts<'_>, String> {
    if url.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".into());
    }
    let url = url.split('#').next().unwrap_or_default();
    let (scheme, rest) = scheme(url)?;
    let rest = rest.split('?').next().unwrap_or_default();
    if !rest.starts_with('/') {
        let segment = rest.split('/').next().unwrap_or_default();
        if scheme.is_empty() && segment.contains(':') {
            return Err("first path segment in URL cannot contain colon".into());
        }
        return Ok(Parts { scheme, host: "", path: if rest.is_empty() { "" } else { rest } });
    }
    let Some(authority) = rest.strip_prefix("//") else {
        return Ok(Parts { scheme, host: "", path: rest });
    };
    let (host, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    check_host(host)?;
    Ok(Parts { scheme, host, path })
}

/// The scheme in lower case and what follows its colon. A character that no scheme has ends the search.
fn scheme(url: &str) -> Result<(String, &str), String> {
    for (at, character) in url.char_indices() {
        match character {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".into()),
            ':' => {
                let (scheme, rest) = url.split_at(at);
                return Ok((scheme.to_lowercase(), rest.strip_prefix(':').unwrap_or(rest)));
            }
            _ => break,
        }
    }
    Ok((String::new(), url))
}

/// What Go refuses in a host: a port that is no number, escapes, and some characters.
fn check_host(host: &str) -> Result<(), String> {
    let port = if host.starts_with('[') {
        let Some(end) = host.rfind(']') else { return Err("missing ']' in host".into()) };
        host.split_at(end + 1).1
    } else {
        host.rfind(':').map_or("", |colon| host.split_at(colon).1)
    };
    let digits = port.strip_prefix(':');
    if !port.is_empty() && !digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("invalid port {} after host", escape::quote(port.as_bytes())));
    }
    if let Some(percent) = host.find('%') {
        let bad: String = host.split_at(percent).1.chars().take(3).collect();
        return Err(format!("invalid URL escape {}", escape::quote(bad.as_bytes())));
    }
    let forbidden = |character: &char| matches!(character, ' ' | '\\' | '^' | '`' | '{' | '|' | '}');
    match host.chars().find(forbidden) {
        Some(bad) => {
            let quoted = escape::quote(bad.to_string().as_bytes());
            Err(format!("invalid character {quoted} in host name"))
        }
        None => Ok(()),
    }
}

/// As Go's `net.SplitHostPort`: one colon, or one behind brackets; the port may be empty.
fn has_host_and_port(host: &str) -> bool {
    match host.rsplit_once(':') {
        Some((name, _)) if name.starts_with('[') => name.ends_with(']'),
        Some((name, _)) => !name.contains([':', '[', ']']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        check(&[url.to_owned()], Profile::V3_4).unwrap_err()
    }

    #[test]
    fn what_etcd_refuses_is_refused_in_its_words() {
        // All seen on 3.4.23.
        assert_eq!(check(&[], Profile::V3_4).unwrap_err(), "no valid URLs given");
        assert_eq!(
            problem("127.0.0.1:1"),
            "parse \"127.0.0.1:1\": first path segment in URL cannot contain colon"
        );
        assert_eq!(
            problem("http://127.0.0.1"),
            "URL address does not have the form \"host:port\": http://127.0.0.1"
        );
        assert_eq!(
            problem("ftp://127.0.0.1:1"),
            "URL scheme must be http, https, unix, or unixs: ftp://127.0.0.1:1"
        );
        assert_eq!(problem("http://127.0.0.1:1/p"), "URL must not contain a path: http://127.0.0.1:1/p");
        assert_eq!(problem("http://a b:1"), "parse \"http://a b:1\": invalid character \" \" in host name");
        assert_eq!(problem("http://%zz:1"), "parse \"http://%zz:1\": invalid URL escape \"%zz\"");
        assert_eq!(problem(""), "URL scheme must be http, https, unix, or unixs: ");
    }

    #[test]
    fn good_urls_are_sorted() {
        let urls = [" http://b:2 ".to_owned(), "http://[::1]:1".to_owned()];
        assert_eq!(check(&urls, Profile::V3_4).unwrap(), ["http://[::1]:1", "http://b:2"]);
    }

    #[test]
    fn a_unix_socket_needs_no_port_from_etcd_3_5_on() {
        assert!(check(&["unix://x".to_owned()], Profile::V3_4).is_err());
        assert!(check(&["unix://x".to_owned()], Profile::V3_5).is_ok());
    }
}
