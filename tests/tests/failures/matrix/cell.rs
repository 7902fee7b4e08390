//! One cell of the matrix: a call of one class under one fault.

use std::time::Duration;

use etcd_client::{Error, Outcome};
use etcd_testkit::memory::{Fault, InProcess, MemoryEtcd, Profile};
use etcd_tests::Wire;

use super::column::{BEFORE, Column, KEY};
use super::trouble::{Tamper, Trouble};

/// What the caller is told, and how many copies of the request reached servers.
///
/// Kinds are given by their names: `""` is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// A success.
    Succeeds { attempts: Copies },
    /// An error of this kind and outcome.
    Error { kind: &'static str, outcome: Outcome, attempts: Copies },
}

/// How many copies of a request reached servers; refused connections do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    Exactly(usize),
    /// Where how many there are is a matter of pauses with a random part.
    AtLeast(usize),
}

/// What a fault leaves of one request that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lands {
    /// The store has carried it out.
    Applied,
    /// It has not, and never will.
    Lost,
}

/// What is wrong with a cell, if anything is.
pub(super) async fn check(
    row: &str,
    trouble: Trouble,
    lands: Lands,
    column: Column,
    expect: Expect,
) -> Option<String> {
    for profile in [Profile::V3_4, Profile::V3_5] {
        let etcd = MemoryEtcd::builder().members(3).profile(profile).in_process().unwrap();
        if let Err(wrong) = run(&etcd, trouble.clone(), lands, column, expect).await {
            return Some(format!("{row}, {column:?}, {profile:?}: {wrong}"));
        }
    }
    None
}

async fn run(
    etcd: &InProcess,
    trouble: Trouble,
    lands: Lands,
    column: Column,
    expect: Expect,
) -> Result<(), String> {
    let index = Wire::client(etcd).set(KEY, BEFORE).await.unwrap().index();
    let tamper = Tamper::default();
    let client = tamper.client(etcd);
    // Now it knows the cluster, and keeps to one member.
    client.get(KEY).await.unwrap();
    let in_use = etcd.log().entries().last().unwrap().member;
    etcd.log().clear();

    trouble.begin(etcd, &tamper, in_use, (column.method(), column.path()));
    let told = column.call(&client, index).await;
    etcd.faults().clear();
    tamper.clear();
    // What is still on its way lands, and a cluster without a leader has one.
    etcd.advance(LANDED).await;

    let mut entries = etcd.log().entries();
    entries.retain(|entry| entry.method == column.method() && entry.path() == column.path());
    let copies = entries.iter().filter(|entry| entry.fault != Some(Fault::Refuse)).count();
    let words = told.as_ref().map_err(|error| format!("{:?}, {:?}: {error}", error.kind(), error.outcome()));
    let scene = |what: &str| format!("{what}, with {copies} copies; told {words:?}");
    if !expect.is_met(&told, column, copies) {
        return Err(scene(&format!("not {expect:?}")));
    }
    // A fresh client: it may be another cluster by now.
    let happened = column.happened(&Wire::client(etcd)).await;
    let wanted = match told.as_ref().map_err(Error::outcome) {
        _ if column.is_read() => 0,
        Ok(()) | Err(Outcome::Applied) => 1,
        Err(Outcome::NotApplied) => 0,
        Err(Outcome::Unknown) => usize::from(lands == Lands::Applied),
    };
    if happened != wanted {
        return Err(scene(&format!("it has happened {happened} times")));
    }
    Ok(())
}

impl Expect {
    fn is_met(self, told: &Result<(), Error>, column: Column, copies: usize) -> bool {
        match (self, told) {
            (Self::Succeeds { attempts }, Ok(())) => attempts.are(copies),
            (Self::Error { kind, outcome, attempts }, Err(error)) => {
                // A read has nothing to apply.
                let outcome = if column.is_read() { Outcome::NotApplied } else { outcome };
                let same_kind = kind.is_empty() || format!("{:?}", error.kind()) == kind;
                same_kind && error.outcome() == outcome && attempts.are(copies)
            }
            (Self::Succeeds { .. }, Err(_)) | (Self::Error { .. }, Ok(())) => false,
        }
    }
}

impl Copies {
    fn are(self, copies: usize) -> bool {
        match self {
            Self::Exactly(wanted) => copies == wanted,
            Self::AtLeast(wanted) => copies >= wanted,
        }
    }
}

/// Longer than any delay of a row.
const LANDED: Duration = Duration::from_secs(70);
