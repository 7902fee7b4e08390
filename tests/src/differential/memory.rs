//! The side in memory: a store in this process, on the date of the machine.

use std::time::SystemTime;

use bytes::Bytes;
use etcd_testkit::memory::{self, Profile, Quirks, Store, WatchMode, WatcherId};
use http::{Request, Response};

use super::answer::Answer;

/// The store, and where it stands.
#[derive(Debug)]
pub(crate) struct Memory {
    store: Store,
}

/// An answer that may not have ended.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) answer: Answer,
    /// The watch that goes on, if one does.
    pub(crate) open: Option<(WatcherId, WatchMode)>,
}

impl Memory {
    /// A store that stands where a fresh server stands.
    pub(crate) fn new(profile: Profile, quirks: Quirks, index: u64, cluster_id: u64) -> Self {
        let builder =
            Store::builder().profile(profile).quirks(quirks).initial_index(index).cluster_id(cluster_id);
        Self { store: builder.started_at(SystemTime::now()).build() }
    }

    pub(crate) fn play(&mut self, request: &Request<Bytes>) -> Played {
        match self.store.handle(0, request, SystemTime::now()) {
            memory::Answer::Complete(response) => Played { answer: whole(response), open: None },
            memory::Answer::NoQuorum(stalled) => Played { answer: whole(stalled.response), open: None },
            memory::Answer::Watch(watch) => {
                let mut answer = whole(watch.head.map(|()| Bytes::new()));
                let ended = self.read(watch.watcher, watch.mode, &mut answer.body);
                Played { answer, open: (!ended).then_some((watch.watcher, watch.mode)) }
            }
        }
    }

    /// Reads what there is of a watch; true if that was its end.
    pub(crate) fn read(&mut self, watcher: WatcherId, mode: WatchMode, body: &mut Vec<u8>) -> bool {
        while let Some(line) = self.store.read_watch(watcher) {
            body.extend_from_slice(&line);
            if mode == WatchMode::Poll {
                return true;
            }
        }
        false
    }

    /// Lets expire what is due.
    pub(crate) fn sync(&mut self) {
        self.store.sync(SystemTime::now());
    }

    pub(crate) fn index(&self) -> u64 {
        self.store.index()
    }

    pub(crate) fn close(&mut self, watcher: WatcherId) {
        self.store.close_watch(watcher);
    }
}

fn whole(response: Response<Bytes>) -> Answer {
    let (head, body) = response.into_parts();
    Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_vec() }
}
