//! What the tests ask a server, by a client that knows nothing of ours.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Sends one request; the whole answer as text.
pub(crate) fn ask(endpoint: &str, head: &str, headers: &str, body: &str) -> io::Result<String> {
    let authority = endpoint.trim_start_matches("http://");
    let mut connection = TcpStream::connect(authority)?;
    // Longer than etcd itself waits for a leader.
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    write!(
        connection,
        "{head} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sets a key.
pub(crate) fn set(endpoint: &str, key: &str, value: &str) -> String {
    ask(endpoint, &format!("PUT /v2/keys/{key}"), "", &format!("value={value}")).unwrap()
}

/// Reads a key, through the leader.
pub(crate) fn get(endpoint: &str, key: &str) -> String {
    ask(endpoint, &format!("GET /v2/keys/{key}?quorum=true"), "", "").unwrap()
}
