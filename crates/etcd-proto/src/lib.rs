//! etcd's request and response types, encoding and decoding, without any I/O.
//!
//! A call is a plain value. It writes itself as an [`http::Request`], and reads its typed answer, or a typed
//! error that says what became of the write, from what came back. How the bytes travel is not this crate's
//! business: it knows no socket, no runtime and no service, and so can be used under any of them.
//!
//! ```
//! use etcd_proto::v2::keys::Set;
//! use etcd_proto::v2::{Call, Index, Key, Operation};
//!
//! let set = Operation::from(Set::new(Key::new("/config/db")?, "10.0.0.7"));
//! let request = set.encode()?;
//! assert_eq!(request.method(), "PUT");
//! assert_eq!(request.uri(), "/v2/keys/config/db");
//! assert_eq!(request.body(), "value=10.0.0.7");
//!
//! // ... send it, read the answer to its end ...
//! # let status = http::StatusCode::CREATED;
//! # let mut headers = http::HeaderMap::new();
//! # headers.insert("x-etcd-index", http::HeaderValue::from_static("7"));
//! let body = br#"{"action":"set","node":{"key":"/config/db","value":"10.0.0.7","modifiedIndex":7,"createdIndex":7}}"#;
//! let answer = Set::response(set.decode(status, &headers, body)?)?;
//! assert_eq!(answer.text(), "10.0.0.7");
//! assert_eq!(answer.index(), Index::from(7));
//! # Ok::<(), etcd_proto::Error>(())
//! ```
//!
//! # Map
//!
//! | where | what |
//! | --- | --- |
//! | [`v2`] | etcd 0.3 to 3.5: an [`Operation`](v2::Operation) is any call, a [`Response`](v2::Response) any answer |
//! | [`v2::keys`] | keys and directories: get, set, create, update, refresh, compare-and-swap, delete, watch |
//! | [`v2::members`], [`v2::stats`], [`v2::cluster`] | members; statistics; machines, version and health |
//! | [`v2::auth`] | users, roles and permissions |
//! | [`v2::Key`], [`v2::Ttl`], [`v2::Compare`], [`v2::Index`] | parameters that cannot be wrong once they are made |
//! | [`v2::EventDecoder`], [`v2::Splitter`] | the body of a watch, however it was chopped on the way |
//! | [`Error`], [`Outcome`] | what went wrong, and whether a write was applied |
//! | [`Idempotence`] | whether a request may be sent twice |
//!
//! # What is left to the transport
//! - The URI has a path and a query only: whoever sends it adds the member, and the `Host` that HTTP asks
//!   for.
//! - In plain text etcd speaks HTTP/1.1 only; over TLS, HTTP/2 as well.
//! - No redirect may be followed. A 301 means a bad key, and HTTP stacks would make a GET of a PUT.
//! - etcd itself gives a write up after 7 s (with its default settings) and answers error 300. A shorter
//!   limit only makes more outcomes [unknown](Outcome::Unknown).
//! - The body of a watch is read as it comes, all others to their end.
#![forbid(unsafe_code)]

mod error;
mod idempotence;
mod outcome;
pub mod v2;

pub use error::{BoxError, Error, ErrorKind};
pub use idempotence::Idempotence;
pub use outcome::Outcome;
