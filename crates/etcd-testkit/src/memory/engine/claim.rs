//! The claim to an answer that comes later.

use std::sync::Arc;

use tokio::sync::oneshot::Receiver;
use tokio::time::{Instant, sleep_until};

use super::{Engine, timer};
use crate::memory::Answer;

/// The claim to the answer of a request that the cluster holds. The request is carried out without it, too.
pub(super) struct Claim {
    engine: Arc<Engine>,
    answer: Receiver<Answer>,
    due: Instant,
}

impl Claim {
    pub(super) fn new(engine: Arc<Engine>, answer: Receiver<Answer>, due: Instant) -> Self {
        Self { engine, answer, due }
    }

    /// The answer when its time has come; `None` if the request is lost.
    pub(super) async fn wait(mut self) -> Option<Answer> {
        while Instant::now() < self.due {
            tokio::select! {
                biased;
                answer = &mut self.answer => return answer.ok(),
                () = sleep_until(timer(self.due)) => {}
            }
        }
        // Without a task of the cluster it is those who wait who let time pass.
        self.engine.with(|_| ());
        (&mut self.answer).await.ok()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(Answer::Watch(watch)) = self.answer.try_recv() {
            self.engine.close_watch(watch.watcher);
        }
    }
}
