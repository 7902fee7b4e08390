//! The keys calls of the client, one file per family. Each holds the methods of [`Client`](super::Client) and
//! the setters of the calls that they make.

mod compare_and;
mod delete;
mod dir;
mod ensure_dir;
mod in_order;
mod modify;
mod poll;
mod read;
mod write;

pub use compare_and::{CompareAndDelete, CompareAndSwap};
pub use delete::{Delete, DeleteDir};
pub use dir::{CreateDir, SetDir, UpdateDir};
pub use ensure_dir::EnsureDir;
pub use in_order::{CreateDirInOrder, CreateInOrder};
pub use modify::Modify;
pub use poll::PollKey;
pub use read::{Exists, Get};
pub use write::{Create, Refresh, Set, Update};

use etcd_proto::Error;
use etcd_proto::v2::Key;

/// What can be taken for a key: text, or a [`Key`].
pub trait IntoKey: TryInto<Key, Error: Into<Error>> {}

impl<K: TryInto<Key, Error: Into<Error>>> IntoKey for K {}

/// The key, or what is wrong with it.
pub(super) fn key(key: impl IntoKey) -> Result<Key, Error> {
    key.try_into().map_err(Into::into)
}

/// Setters that several calls have in common.
macro_rules! common_setters {
    ($($call:ident),*) => {
        $(
            impl Call<keys::$call> {
                /// How long the key lives, as a [`Duration`](std::time::Duration) or [`Ttl`]: 1 s to
                /// 6,000,000,000 s, fractions of a second rounded up. Without it the key lives for ever, and a
                /// time to live that it has is removed.
                pub fn ttl(self, ttl: impl TryInto<Ttl, Error: Into<etcd_proto::Error>>) -> Self {
                    self.try_with(ttl.try_into(), |call, ttl| call.ttl = Some(ttl))
                }

                /// Lets the server leave the node out of its answer (3.1 and later): smaller answers. The
                /// answer's node then has the key and the modified index only.
                pub fn no_value_on_success(self, no_value: bool) -> Self {
                    self.with(|call| call.no_value_on_success = no_value)
                }
            }
        )*
    };
}
use common_setters;
