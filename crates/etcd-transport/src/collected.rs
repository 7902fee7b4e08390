//! The buffer that a body is read into.
//!
//! A limit in bytes is to limit memory too. Pieces that are kept as they come do not: each holds on to what
//! it was read into, and a server that sends single bytes makes 39 of each.

use bytes::Bytes;

/// The bytes of a body so far.
#[derive(Debug)]
pub(crate) enum Collected {
    /// As it came: etcd's answers nearly always come in one piece, which is not copied then.
    One(Bytes),
    /// Several pieces in one buffer. Kept apart, each would keep what it was read into: 39 bytes and more for
    /// one.
    Many(Vec<u8>),
}

impl Collected {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    /// Adds a piece; together they are not above the limit, and neither is the buffer.
    pub(crate) fn push(&mut self, piece: Bytes, limit: usize) {
        if self.len() == 0 {
            *self = Self::One(piece);
            return;
        }
        if piece.is_empty() {
            return;
        }
        if let Self::One(first) = self {
            let first = first.clone();
            let mut buffer = Vec::new();
            append(&mut buffer, &first, limit);
            *self = Self::Many(buffer);
        }
        if let Self::Many(buffer) = self {
            append(buffer, &piece, limit);
        }
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.into(),
        }
    }
}

impl Default for Collected {
    /// Nothing.
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

/// Doubles the buffer where it is too small, up to the limit and no further.
fn append(buffer: &mut Vec<u8>, piece: &[u8], limit: usize) {
    let needed = buffer.len() + piece.len();
    if needed > buffer.capacity() {
        let wanted = buffer.capacity().saturating_mul(2).min(limit).max(needed);
        buffer.reserve_exact(wanted - buffer.len());
    }
    buffer.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(pieces: &[&'static str], limit: usize) -> Collected {
        let mut all = Collected::default();
        pieces.iter().for_each(|piece| all.push(Bytes::from_static(piece.as_bytes()), limit));
        all
    }

    #[test]
    fn pieces_become_one_in_their_order() {
        assert_eq!(collected(&[], 9).into_bytes(), "");
        assert_eq!(collected(&["ab", "", "c", "def"], 9).into_bytes(), "abcdef");
        assert_eq!(collected(&["", "ab"], 9).len(), 2);
    }

    #[test]
    fn one_piece_is_not_copied_and_empty_ones_change_nothing() {
        let piece = Bytes::from(vec![1_u8; 4]);
        let mut all = Collected::default();
        for piece in [Bytes::new(), piece.clone(), Bytes::new()] {
            all.push(piece, 4);
        }
        assert_eq!(all.into_bytes().as_ptr(), piece.as_ptr());
    }

    #[test]
    fn the_buffer_doubles_but_not_beyond_the_limit() {
        let mut all = collected(&["a", "b"], 7);
        for _ in 0..5 {
            all.push(Bytes::from_static(b"c"), 7);
            let Collected::Many(buffer) = &all else { panic!("several pieces") };
            assert!(buffer.capacity() <= 7);
        }
        assert_eq!(all.len(), 7);
    }
}
