//! This machine.

/// Its name, as `hostname` prints it.
pub(crate) fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
