use super::*;

const KNOWN: [&str; 5] =
    ["http://a:2379", "http://b:2379", "https://s:2379", "https://t:443", "http://[::1]:2379"];

fn judge(origin: &str, location: &str) -> Result<String, Refusal> {
    let location = HeaderValue::from_bytes(location.as_bytes()).unwrap();
    let origin = Some(origin).filter(|origin| !origin.is_empty());
    target(origin, "/v2/keys/a%20b", Some(&location), |server| KNOWN.contains(&server))
}

/// From, `Location`, and where to: a server, or why not.
const MATRIX: &[(&str, &str, Result<&str, Reason>)] = &[
    ("http://a:2379", "http://b:2379/v2/keys/a%20b", Ok("http://b:2379")),
    ("http://a:2379", "http://b:2379/v2/keys/a%20b?x=1#f", Ok("http://b:2379")),
    ("http://a:2379", "HTTP://B:2379/v2/keys/a%20b", Ok("http://b:2379")),
    ("http://a:2379", " http://b:2379/v2/keys/a%20b ", Ok("http://b:2379")),
    ("http://a:2379", "http://b:2379/v2/%6beys/a%20b", Ok("http://b:2379")),
    ("http://a:2379", "//b:2379/v2/keys/a%20b", Ok("http://b:2379")),
    ("http://a:2379", "http://[::1]:2379/v2/keys/a%20b", Ok("http://[::1]:2379")),
    ("http://a:2379", "https://s:2379/v2/keys/a%20b", Ok("https://s:2379")),
    ("http://a:2379", "https://t/v2/keys/a%20b", Ok("https://t:443")),
    ("https://s:2379", "https://t/v2/keys/a%20b", Ok("https://t:443")),
    ("https://s:2379", "//t/v2/keys/a%20b", Ok("https://t:443")),
    ("https://s:2379", "https://t:443/v2/keys/a%20b", Ok("https://t:443")),
    ("", "https://t:443/v2/keys/a%20b", Ok("https://t:443")),
    // Never from https to http, whoever it is.
    ("https://s:2379", "http://a:2379/v2/keys/a%20b", Err(Reason::Downgrade)),
    ("https://s:2379", "http://s:2379/v2/keys/a%20b", Err(Reason::Downgrade)),
    ("https://s:2379", "http://evil/v2/keys/a%20b", Err(Reason::Downgrade)),
    ("https://s:2379", "HTTP://a:2379/v2/keys/a%20b", Err(Reason::Downgrade)),
    ("", "http://a:2379/v2/keys/a%20b", Err(Reason::Downgrade)),
    // Nobody knows these.
    ("http://a:2379", "http://evil:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://b/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://b:2380/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://b.evil:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://b.:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "https://b:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "https://a:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://127.1:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "http://[0::1]:2379/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("http://a:2379", "//evil/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("https://s:2379", "https://evil/v2/keys/a%20b", Err(Reason::UnknownServer)),
    ("https://s:2379", "//evil/v2/keys/a%20b", Err(Reason::UnknownServer)),
    // With a user name or what looks like a server before it.
    ("http://a:2379", "http://u:canary@b:2379/v2/keys/a%20b", Err(Reason::UserInformation)),
    ("http://a:2379", "http://b:2379@evil/v2/keys/a%20b", Err(Reason::UserInformation)),
    ("http://a:2379", "http://canary@b:2379/v2/keys/a%20b", Err(Reason::UserInformation)),
    ("https://s:2379", "https://canary:x@t/v2/keys/a%20b", Err(Reason::UserInformation)),
    ("https://s:2379", "http://canary:x@a:2379/v2/keys/a%20b", Err(Reason::UserInformation)),
    // Another path is another key, or another API.
    ("http://a:2379", "http://b:2379/v2/keys/canary", Err(Reason::AnotherPath)),
    ("http://a:2379", "http://b:2379/v2/auth/enable", Err(Reason::AnotherPath)),
    ("http://a:2379", "http://b:2379", Err(Reason::AnotherPath)),
    ("http://a:2379", "http://b:2379//v2/keys/a%20b", Err(Reason::AnotherPath)),
    ("http://a:2379", "http://b:2379/v2/keys/a%2520b", Err(Reason::AnotherPath)),
    ("http://a:2379", "http://b:2379/v2/keys/a%20b/", Err(Reason::AnotherPath)),
    // Back to where it came from.
    ("http://a:2379", "http://a:2379/v2/keys/a%20b", Err(Reason::Itself)),
    ("http://a:2379", "http://A:2379/elsewhere", Err(Reason::Itself)),
    ("http://a:2379", "/v2/keys/canary", Err(Reason::Itself)),
    ("https://s:2379", "/", Err(Reason::Itself)),
    // No URL of a server.
    ("http://a:2379", "", Err(Reason::Unreadable)),
    ("http://a:2379", "canary", Err(Reason::Unreadable)),
    ("http://a:2379", "../canary", Err(Reason::Unreadable)),
    ("http://a:2379", "?canary", Err(Reason::Unreadable)),
    ("http://a:2379", "ftp://b:2379/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "javascript:canary", Err(Reason::Unreadable)),
    ("http://a:2379", "http:///v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "http://b:/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "http://b:0/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "http://b:99999/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "http://b:+2379/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("http://a:2379", "http:\\\\b:2379\\v2", Err(Reason::Unreadable)),
    ("http://a:2379", "http://ä/v2/keys/a%20b", Err(Reason::Unreadable)),
    ("", "//b:2379/v2/keys/a%20b", Err(Reason::Unreadable)),
];

#[test]
fn every_redirect_leads_to_a_known_server_or_is_refused() {
    assert!(MATRIX.len() >= 40);
    for (origin, location, wanted) in MATRIX {
        let seen = judge(origin, location);
        let short = seen.as_ref().map(String::as_str).map_err(|refusal| refusal.reason);
        assert_eq!(short, *wanted, "{origin} to {location}");
        if let Ok(target) = seen {
            assert!(KNOWN.contains(&target.as_str()));
            assert!(!origin.starts_with("https") || target.starts_with("https"), "left https: {location}");
        }
    }
}

#[test]
fn a_refusal_names_the_server_and_neither_path_nor_user() {
    for (origin, location, wanted) in MATRIX {
        let Err(refusal) = judge(origin, location) else { continue };
        assert!(wanted.is_err());
        let text = refusal.to_string();
        assert!(!text.contains("canary") && !text.contains("/v2"), "{text}");
    }
    let text = judge("http://a:2379", "http://u:p@evil:1/x").unwrap_err().to_string();
    assert_eq!(text, "redirects to http://evil:1, and would have a user name sent there");
}

#[test]
fn a_long_target_is_cut_before_it_floods_a_log() {
    let location = format!("http://{}/", "x".repeat(10_000));
    assert!(judge("http://a:2379", &location).unwrap_err().to_string().len() < 400);
}

#[test]
fn only_a_location_that_can_be_read_proves_that_the_request_was_turned_away() {
    let missing = target(Some("http://a:2379"), "/", None, |_| true).unwrap_err();
    assert_eq!(missing.reason, Reason::Missing);
    assert!(!missing.reason.is_redirect());
    assert!(!judge("http://a:2379", "canary").unwrap_err().reason.is_redirect());
    assert!(judge("http://a:2379", "http://evil/").unwrap_err().reason.is_redirect());
}

#[test]
fn of_all_statuses_five_are_redirects() {
    for status in 100..600_u16 {
        let wanted = match status {
            301..=303 => Direction::Moved,
            307 | 308 => Direction::Elsewhere,
            _ => Direction::None,
        };
        assert_eq!(Direction::of(StatusCode::from_u16(status).unwrap()), wanted, "{status}");
    }
}
