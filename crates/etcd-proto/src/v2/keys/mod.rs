//! The keys API: one file per sort of call, and what the server answers to all of them.
//!
//! | call | method, parameters | action | status | created index |
//! | --- | --- | --- | --- | --- |
//! | [`Get`] | GET | `get` | 200 | |
//! | [`Set`] | PUT | `set` | 201 new, 200 replaced | new |
//! | [`Create`] | PUT `prevExist=false` | `create` | 201 | new |
//! | [`Update`] | PUT `prevExist=true` | `update` | 200 | kept |
//! | [`Refresh`] | PUT `refresh=true` | `update`, `compareAndSwap` | 200 | kept |
//! | [`CompareAndSwap`] | PUT `prevValue`, `prevIndex` | `compareAndSwap` | 200 | kept |
//! | [`SetDir`] | PUT `dir=true` | `set` | 201 new, 200 for a file | new |
//! | [`CreateDir`] | PUT `dir=true`, `prevExist=false` | `create` | 201 | new |
//! | [`UpdateDir`] | PUT `dir=true`, `prevExist=true` | `update` | 200 | kept |
//! | [`CreateInOrder`] | POST | `create` | 201 | new |
//! | [`CreateDirInOrder`] | POST `dir=true` | `create` | 201 | new |
//! | [`Delete`] | DELETE | `delete` | 200 | kept |
//! | [`DeleteDir`] | DELETE `dir=true` | `delete` | 200 | kept |
//! | [`CompareAndDelete`] | DELETE `prevValue`, `prevIndex` | `compareAndDelete` | 200 | kept |
//! | [`Watch`] | GET `wait=true` | that of the event | 200 | |
//!
//! # Errors that any of them but a watch can meet
//! - 104 (400): the path goes through a file; 107 (400): a write to `/` itself.
//! - 110 (401): not allowed to this user.
//! - 300 (500): no leader or no quorum. Only writes and quorum reads; a write may have happened.
//!
//! # What all writes have in common
//! Directories above the key are made where there are none, without an event of their own, and stay when the
//! key goes. A refused write leaves nothing behind and does not move the index. The leader looks each half
//! second for what has run out, so a key may live that much longer than was asked.

mod compare_and;
mod delete;
mod dir;
mod event;
mod get;
mod in_order;
mod node;
mod response;
mod watch;
mod write;

use bytes::Bytes;
use http::Request;

pub use compare_and::{CompareAndDelete, CompareAndSwap};
pub use delete::{Delete, DeleteDir};
pub use dir::{CreateDir, SetDir, UpdateDir};
pub use event::{Action, KeysEvent};
pub use get::Get;
pub use in_order::{CreateDirInOrder, CreateInOrder};
pub use node::{Node, encode_bytes, encode_json};
pub use response::KeysResponse;
pub use watch::Watch;
pub use write::{Create, Refresh, Set, Update};

use super::{Call, Header, Key, Operation, Response};
use crate::{Error, Idempotence};

/// Any call of the keys API but a watch.
#[derive(Clone, Debug)]
pub enum KeysOperation {
    /// Reads a key or a directory.
    Get(Get),
    /// Writes a value, whatever was there.
    Set(Set),
    /// Writes a value where no key is.
    Create(Create),
    /// Writes a value where a key is.
    Update(Update),
    /// Prolongs a key's life.
    Refresh(Refresh),
    /// Makes a directory, also in place of a file.
    SetDir(SetDir),
    /// Makes a directory where no key is.
    CreateDir(CreateDir),
    /// Changes the ttl of a directory.
    UpdateDir(UpdateDir),
    /// Adds a value under the next number of a directory.
    CreateInOrder(CreateInOrder),
    /// Adds a directory under the next number of a directory.
    CreateDirInOrder(CreateDirInOrder),
    /// Writes a value on a condition.
    CompareAndSwap(CompareAndSwap),
    /// Deletes a key on a condition.
    CompareAndDelete(CompareAndDelete),
    /// Deletes a key.
    Delete(Delete),
    /// Deletes a directory.
    DeleteDir(DeleteDir),
}

/// What every keys call says of itself, so that a new call cannot forget any of it.
trait KeysCall {
    /// Name for spans and messages.
    const NAME: &'static str;

    /// Whether the call may be sent twice, before the caller has said anything.
    fn idempotence(&self) -> Idempotence;

    fn encode(&self) -> Result<Request<Bytes>, Error>;

    /// Whether the server was asked to leave the node out of its answer.
    fn leaves_out_node(&self) -> bool {
        false
    }
}

/// Makes a call a variant of [`KeysOperation`] and says that it is answered by a [`KeysResponse`].
macro_rules! keys_calls {
    ($($call:ident),*) => {
        $(
            impl From<$call> for Operation {
                fn from(call: $call) -> Self {
                    Self::Keys(KeysOperation::$call(call))
                }
            }

            impl Call for $call {
                const NAME: &'static str = <Self as KeysCall>::NAME;

                type Response = KeysResponse;

                fn response(response: Response) -> Result<KeysResponse, Error> {
                    match response {
                        Response::Keys(response) => Ok(response),
                        other => Err(Error::unexpected_response(<Self as KeysCall>::NAME, other.name())),
                    }
                }
            }
        )*

        /// Runs `$body` with `$it` bound to the call inside, whatever it is.
        macro_rules! for_each_call {
            ($operation:expr, $it:ident => $body:expr) => {
                match $operation {
                    $(KeysOperation::$call($it) => $body,)*
                }
            };
        }
    };
}

keys_calls!(
    Get,
    Set,
    Create,
    Update,
    Refresh,
    SetDir,
    CreateDir,
    UpdateDir,
    CreateInOrder,
    CreateDirInOrder,
    CompareAndSwap,
    CompareAndDelete,
    Delete,
    DeleteDir
);

impl KeysOperation {
    /// The key that the call is about; for a creation in order the directory.
    #[must_use]
    pub fn key(&self) -> &Key {
        for_each_call!(self, call => &call.key)
    }

    /// The key, to be put elsewhere (namespaces).
    pub fn key_mut(&mut self) -> &mut Key {
        for_each_call!(self, call => &mut call.key)
    }

    pub(super) fn name(&self) -> &'static str {
        fn name<C: KeysCall>(_: &C) -> &'static str {
            C::NAME
        }
        for_each_call!(self, call => name(call))
    }

    pub(super) fn idempotence(&self) -> Idempotence {
        for_each_call!(self, call => call.idempotence())
    }

    /// Whether the caller's word makes the call [`Idempotence::Idempotent`]: not for creations in order, which
    /// would make a second entry, nor for conditions by value, where the value can come back between.
    pub(super) fn may_be_idempotent(&self) -> bool {
        match self {
            Self::Set(_)
            | Self::Update(_)
            | Self::Refresh(_)
            | Self::SetDir(_)
            | Self::UpdateDir(_)
            | Self::Delete(_)
            | Self::DeleteDir(_) => true,
            Self::Get(_)
            | Self::Create(_)
            | Self::CreateDir(_)
            | Self::CreateInOrder(_)
            | Self::CreateDirInOrder(_)
            | Self::CompareAndSwap(_)
            | Self::CompareAndDelete(_) => false,
        }
    }

    pub(super) fn encode(&self) -> Result<Request<Bytes>, Error> {
        for_each_call!(self, call => call.encode())
    }

    /// The key that a success is about where the server was asked to leave out the node.
    ///
    /// For a creation in order it follows from the index of the write: 20 digits, as all servers write it that
    /// know `noValueOnSuccess` (3.1 and later).
    pub(super) fn answered_key(&self, header: &Header) -> Option<Key> {
        if !for_each_call!(self, call => call.leaves_out_node()) {
            return None;
        }
        match self {
            Self::CreateInOrder(_) | Self::CreateDirInOrder(_) if header.etcd_index.is_none() => None,
            Self::CreateInOrder(_) | Self::CreateDirInOrder(_) => {
                self.key().join(format!("{:020}", header.etcd_index.get())).ok()
            }
            Self::Get(_)
            | Self::Set(_)
            | Self::Create(_)
            | Self::Update(_)
            | Self::Refresh(_)
            | Self::SetDir(_)
            | Self::CreateDir(_)
            | Self::UpdateDir(_)
            | Self::CompareAndSwap(_)
            | Self::CompareAndDelete(_)
            | Self::Delete(_)
            | Self::DeleteDir(_) => Some(self.key().clone()),
        }
    }
}

#[cfg(test)]
mod tests;
