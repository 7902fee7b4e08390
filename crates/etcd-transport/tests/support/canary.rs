//! A run that looks for a password in all that the tests print: `cargo xtask secrets`.
//!
//! It hands the password over in `ETCD_TEST_CANARY`, as `user:password`; without that, nothing here does anything.

use std::env;
use std::error::Error as _;
use std::fmt::Debug;
use std::sync::Once;

use etcd_transport::{Builder, Error};
use tracing_subscriber::fmt::format::FmtSpan;

/// Prints all that this process says to stderr, where the run searches it.
pub(super) fn listen() {
    static ONCE: Once = Once::new();
    if env::var_os(VARIABLE).is_none() {
        return;
    }
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_thread_names(true)
            .with_ansi(false)
            .without_time()
            .with_writer(std::io::stderr)
            .finish();
        // A test that listens by itself searches what it hears.
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
}

/// The run's credentials, set.
pub(super) fn on(builder: Builder) -> Builder {
    let Ok(canary) = env::var(VARIABLE) else { return builder };
    let (user, password) = canary.split_once(':').unwrap();
    builder.credentials(user, password)
}

/// Tells what came of a call: in Debug, and the whole chain of an error.
pub(super) fn tell(answer: &Result<impl Debug, Error>) {
    if env::var_os(VARIABLE).is_none() {
        return;
    }
    tracing::trace!("an answer: {answer:?}");
    let Err(error) = answer else { return };
    tracing::trace!("an error: {error} {:?}", error.attempts());
    let mut source = error.source();
    while let Some(error) = source {
        tracing::trace!("an error: {error} {error:?}");
        source = error.source();
    }
}

const VARIABLE: &str = "ETCD_TEST_CANARY";
