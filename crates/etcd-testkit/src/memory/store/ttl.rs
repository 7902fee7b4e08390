//! The arithmetic of a time to live, overflow included.
//!
//! `ttl=0` ends at once: the answer has an `expiration` and no `ttl`, and the key goes at the next sync. A client does
//! well to refuse more than 9,000,000,000 s, since what overflows is stored for good, without an error, or gone.

use crate::memory::time::SECOND;

/// When a key with `ttl` seconds ends, in nanoseconds since 1970; `None` if that is exactly 1970, which the
/// server reads as no end.
///
/// Go multiplies and adds in 64 bits and wraps around, so a ttl above 9.22e9 s can end in the past.
pub(crate) fn expiration(now: i64, ttl: u64) -> Option<i64> {
    let at = now.wrapping_add(ttl.cast_signed().wrapping_mul(SECOND));
    (at != 0).then_some(at)
}

/// Whole seconds left: rounded up while there are any, towards zero after the end.
pub(crate) fn remaining(expires: i64, now: i64) -> i64 {
    let left = expires.saturating_sub(now);
    left / SECOND + i64::from(left % SECOND > 0)
}

/// The end that set and create give a node: one before the year 2000 is taken for a mistake and dropped.
///
/// Update and compare-and-swap do not do so, and such a key expires at once.
pub(crate) fn of_new_node(expires: Option<i64>) -> Option<i64> {
    expires.filter(|at| *at >= YEAR_2000)
}

const YEAR_2000: i64 = 946_684_800 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_246_276 * SECOND;

    #[test]
    fn what_is_left_is_rounded_up_until_the_end_and_towards_zero_after_it() {
        assert_eq!(remaining(NOW + 1, NOW), 1);
        assert_eq!(remaining(NOW + SECOND, NOW), 1);
        assert_eq!(remaining(NOW + SECOND + 1, NOW), 2);
        assert_eq!(remaining(NOW, NOW), 0);
        assert_eq!(remaining(NOW - 1, NOW), 0);
        assert_eq!(remaining(NOW - 3 * SECOND - 1, NOW), -3);
        assert_eq!(remaining(i64::MIN, i64::MAX), i64::MIN / SECOND);
    }

    #[test]
    fn a_huge_ttl_wraps_around() {
        // As recorded: the largest number of 63 bits ends a second ago.
        assert_eq!(expiration(NOW, 9_223_372_036_854_775_807), Some(NOW - SECOND));
        assert_eq!(expiration(NOW, 3_153_600_000), Some(NOW + 3_153_600_000 * SECOND));
        // More than 2^63 ns: centuries ago, so a new node is permanent.
        let wrapped = expiration(NOW, 9_300_000_000);
        assert!(wrapped.is_some_and(|at| at < 0));
        assert_eq!(of_new_node(wrapped), None);
        assert_eq!(expiration(NOW, 0), Some(NOW));
        assert_eq!(expiration(0, 0), None);
        let _ = expiration(i64::MAX, u64::MAX);
    }

    #[test]
    fn an_end_before_the_year_2000_is_dropped_from_new_nodes() {
        assert_eq!(of_new_node(Some(YEAR_2000 - 1)), None);
        assert_eq!(of_new_node(Some(YEAR_2000)), Some(YEAR_2000));
        assert_eq!(of_new_node(None), None);
    }
}
