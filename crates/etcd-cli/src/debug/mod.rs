//! What `--debug` tells on standard error.

mod curl;

pub(crate) use curl::CurlLayer;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

/// Prints the spans of calls and attempts as they end, and what is told between.
///
/// No value, password or body is in them: that is the library's own rule.
pub(crate) fn spans() {
    let print = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_filter(Targets::new().with_target("etcd", LevelFilter::DEBUG));
    // There is no other one: this is called once.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(print));
}
