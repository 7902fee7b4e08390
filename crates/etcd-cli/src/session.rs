//! What a command works with.

use etcd_client::v2::Client;

use crate::output::Output;

/// A client and a place for answers.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) out: Output,
}
