//! Times to live and conditions that are wrong cannot be made.

use std::time::Duration;

use etcd_proto::ErrorKind;
use etcd_proto::v2::{Compare, Index, Ttl};
use proptest::prelude::*;

use crate::config;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_ttl_is_the_next_whole_second_within_its_bounds(
        secs in prop_oneof![any::<u64>(), 0..3u64, 8_999_999_998..9_000_000_003u64],
        nanos in prop_oneof![Just(0u32), 0..1_000_000_000u32],
    ) {
        let ttl = Duration::new(secs, nanos);
        let wanted = u128::from(secs) + u128::from(nanos > 0);
        match Ttl::try_from(ttl) {
            Ok(ttl) => {
                prop_assert!((1..=6_000_000_000).contains(&wanted));
                prop_assert_eq!(u128::from(ttl.as_secs()), wanted);
                prop_assert_eq!(ttl.as_duration(), Duration::from_secs(ttl.as_secs()));
            }
            Err(error) => {
                prop_assert!(!(1..=6_000_000_000).contains(&wanted));
                prop_assert_eq!(error.kind(), ErrorKind::InvalidTtl);
            }
        }
        prop_assert_eq!(Ttl::from_secs(secs).is_ok(), (1..=6_000_000_000).contains(&secs));
    }

    #[test]
    fn a_condition_is_what_was_given_or_is_refused(
        value in proptest::option::of("[ab]{0,2}"),
        index in proptest::option::of(prop_oneof![0..2u64, any::<u64>()]),
    ) {
        let builder = match (&value, index) {
            (None, None) => return Ok(()),
            (Some(value), None) => Compare::value(value),
            (None, Some(index)) => Compare::index(index),
            (Some(value), Some(index)) => Compare::index(index).and_value(value),
        };
        match builder.build() {
            Ok(compare) => {
                prop_assert_eq!(compare.prev_value(), value.as_deref());
                prop_assert_eq!(compare.prev_index(), index.map(Index::from));
                prop_assert!(value.as_deref() != Some("") && index != Some(0));
            }
            Err(error) if value.as_deref() == Some("") => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidCompare);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidIndex);
                prop_assert_eq!(index, Some(0));
            }
        }
    }
}
