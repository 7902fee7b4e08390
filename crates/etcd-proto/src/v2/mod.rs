//! etcd's v2 API (etcd 0.3 to 3.5).
//!
//! A call is a plain value such as [`keys::Set`]. It becomes an [`Operation`], which writes itself as an HTTP
//! request and reads the answer; [`Request`] carries it through layers, [`Response`] carries the answer back.
//!
//! # What differs by version
//! | from | there is |
//! | --- | --- |
//! | 0.3 | keys and directories, statistics, machines, the text form of `/version` |
//! | 0.4.6 | [`quorum`](keys::Get::quorum) |
//! | 2.0 | [`members`], the cluster's id in [`Header`]; any member takes writes, no redirects any more |
//! | 2.1 | [`auth`], error 110; `/version` as JSON |
//! | 2.2 | the cluster's version; names of 20 digits for [in-order](keys::CreateInOrder) keys |
//! | 2.3 | [`Refresh`](keys::Refresh), errors 211 and 212 |
//! | 3.1 | `noValueOnSuccess` |
//! | 3.4 | off unless started with `--enable-v2` |
//! | 3.5 | reasons in [`Health`](cluster::Health); the ttl of a directory can no longer be changed |
//! | 3.6 | no v2 API |
//!
//! # What holds for all calls
//! - One counter, the [`Index`], numbers all writes to the store. It is the same on all members, outlives
//!   restarts, and skips numbers that the server uses for itself.
//! - Any member takes any call and sends writes on to the leader by itself. Reads come from its own copy,
//!   which may be behind; only a [quorum](keys::Get::quorum) read is sure to see what was written before.
//! - Without a leader reads and watches go on, writes fail with error 300 after 7 s, and no ttl runs out.

pub mod auth;
pub mod cluster;
pub mod keys;
pub mod members;
pub mod stats;

mod api_error;
mod call;
mod compare;
mod decode;
mod encode;
mod error_code;
mod event_decoder;
mod header;
mod index;
mod key;
mod operation;
mod request;
mod response;
mod splitter;
mod ttl;

pub use api_error::ApiError;
pub use call::Call;
pub use compare::{Compare, CompareBuilder};
pub use error_code::ErrorCode;
pub use event_decoder::EventDecoder;
pub use header::Header;
pub use index::Index;
pub use key::Key;
pub use keys::{Action, KeysEvent, KeysResponse, Node};
pub use operation::Operation;
pub use request::Request;
pub use response::{EventStream, Response, WatchResponse};
pub use splitter::Splitter;
pub use ttl::Ttl;
