//! Fuzz targets: one function each, which takes any bytes.
//!
//! `fuzz_targets/NAME.rs` hands them to libFuzzer. `tests/fuzz_inputs.rs` includes this file and runs the
//! same functions on the recorded answers and on mutations of them, so that a plain test run covers them too.
//!
//! A decoder's input starts with two bytes that choose status, headers and call; the rest is the body.

mod answer;
mod decoders;
mod encoders;
#[path = "../../tests/recordings_support/go_url.rs"]
mod go_url;

pub use decoders::{
    api_error, auth, cluster, event_decoder, header, keys_response, members, node, splitter, stats, watch,
};
pub use encoders::{form, key, names};

/// A target: takes any bytes, and panics where the crate breaks a promise.
pub type Target = fn(&[u8]);

/// Every target under its name, which is that of its file too.
pub const TARGETS: &[(&str, Target)] = &[
    ("api_error", api_error),
    ("auth", auth),
    ("cluster", cluster),
    ("event_decoder", event_decoder),
    ("form", form),
    ("header", header),
    ("key", key),
    ("keys_response", keys_response),
    ("members", members),
    ("names", names),
    ("node", node),
    ("splitter", splitter),
    ("stats", stats),
    ("watch", watch),
];
