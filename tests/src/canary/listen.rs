//! All that a process says, to stderr.

use std::io;

use tracing_subscriber::fmt::format::FmtSpan;

/// Prints every span and event of every crate of this process, with the thread that said it: the test's name.
///
/// A process that has a subscriber already keeps it.
pub(super) fn to_everything() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_thread_names(true)
        .with_ansi(false)
        .without_time()
        // Not `eprint!`: what the tests' harness keeps to itself is not seen by whoever searches.
        .with_writer(io::stderr)
        .finish();
    // A test that keeps what is said searches it by itself.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
