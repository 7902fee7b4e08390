//! etcd's v2 API (etcd 0.3 to 3.5).
//!
//! A call is a plain value such as [`keys::Set`]. It becomes an [`Operation`], which writes itself as an HTTP
//! request and reads the answer; [`Request`] carries it through layers, [`Response`] carries the answer back.

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
