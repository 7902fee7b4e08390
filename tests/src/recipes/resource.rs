//! What a lock protects: something that refuses a token older than the newest it has seen.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A resource on a loopback port of this process. It takes a write with a token that is not older than the newest so
/// far, and refuses all others.
///
/// It lives as long as this handle.
#[derive(Debug)]
pub struct Resource {
    address: SocketAddr,
    writes: Arc<Mutex<Vec<Write>>>,
    task: AbortHandle,
}

/// A write that came to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The number of its token.
    pub token: u64,
    /// Whether it was taken.
    pub accepted: bool,
}

/// A connection to a resource.
#[derive(Debug)]
pub struct Writer {
    answers: BufReader<OwnedReadHalf>,
    writes: OwnedWriteHalf,
}

impl Resource {
    /// One that has seen nothing.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let writes = Arc::<Mutex<Vec<Write>>>::default();
        let task = tokio::spawn(serve_all(listener, Arc::clone(&writes)));
        Self { address, writes, task: task.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that came, in order.
    pub fn writes(&self) -> Vec<Write> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many writes with this token were taken, and how many refused.
    pub fn with_token(&self, token: u64) -> (usize, usize) {
        let writes = self.writes();
        let of = |accepted| writes.iter().filter(|write| **write == Write { token, accepted }).count();
        (of(true), of(false))
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes that were taken although a newer token had been seen, by the writes alone.
pub fn older_accepted(writes: &[Write]) -> usize {
    let mut newest = 0;
    let mut older = 0;
    for write in writes.iter().filter(|write| write.accepted) {
        older += usize::from(write.token < newest);
        newest = newest.max(write.token);
    }
    older
}

async fn serve_all(listener: TcpListener, writes: Arc<Mutex<Vec<Write>>>) {
    // Ends all connections when it is dropped.
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(serve(connection, Arc::clone(&writes)));
    }
}

async fn serve(connection: TcpStream, writes: Arc<Mutex<Vec<Write>>>) {
    let (requests, mut answers) = connection.into_split();
    let mut requests = BufReader::new(requests).lines();
    while let Ok(Some(line)) = requests.next_line().await {
        let Ok(token) = line.parse() else { return };
        let answer = if take(&writes, token) { "accepted\n" } else { "refused\n" };
        if answers.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// All there is to fencing.
fn take(writes: &Mutex<Vec<Write>>, token: u64) -> bool {
    let mut writes = writes.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = writes.iter().map(|write| write.token).max().unwrap_or_default();
    let accepted = token >= newest;
    writes.push(Write { token, accepted });
    accepted
}

impl Writer {
    /// Connects to a resource.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let (answers, writes) = TcpStream::connect(address).await?.into_split();
        Ok(Self { answers: BufReader::new(answers), writes })
    }

    /// Writes with this token; whether it was taken.
    ///
    /// # Errors
    /// If the resource is gone.
    pub async fn write(&mut self, token: u64) -> std::io::Result<bool> {
        self.writes.write_all(format!("{token}\n").as_bytes()).await?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).await?;
        match answer.as_str() {
            "accepted\n" => Ok(true),
            "refused\n" => Ok(false),
            other => Err(std::io::Error::other(format!("the resource answered {other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_resource_refuses_tokens_older_than_the_newest() {
        let resource = Resource::start().await;
        let mut writer = Writer::connect(resource.address()).await.unwrap();
        let mut rival = Writer::connect(resource.address()).await.unwrap();
        assert!(writer.write(7).await.unwrap() && writer.write(7).await.unwrap());
        assert!(rival.write(9).await.unwrap());
        assert!(!writer.write(7).await.unwrap());
        assert_eq!((resource.with_token(7), resource.with_token(9)), ((2, 1), (1, 0)));
        assert_eq!(older_accepted(&resource.writes()), 0);
    }

    #[test]
    fn an_older_token_that_was_taken_is_counted() {
        let writes = [7, 9, 7, 9, 8].map(|token| Write { token, accepted: true });
        assert_eq!(older_accepted(&writes), 2);
    }
}
