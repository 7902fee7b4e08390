//! Values come out of a stream as they went in, however it was chopped on the way.

use bytes::Bytes;
use etcd_proto::v2::{EventDecoder, Splitter};
use etcd_proto::{Error, ErrorKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index as Place;
use serde_json::Value;

use crate::config;
use crate::strategy::{blank, container, event};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn json_values_come_out_of_a_stream_as_they_went_in(
        values in vec((container(), any::<bool>(), blank()), 0..6),
        cuts in vec(1..40usize, 1..20),
        end in any::<Place>(),
    ) {
        let texts: Vec<String> = values.iter().map(|(value, pretty, _)| write(value, *pretty)).collect();
        let blanks = values.iter().map(|(.., blank)| blank);
        let pieces = blanks.clone().zip(&texts).map(|(blank, text)| format!("{blank}{text}"));
        let stream: String = pieces.collect();
        let limit = texts.iter().map(String::len).max().unwrap_or(0);

        let (split, rest) = split(limit, stream.as_bytes(), &cuts).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(&split, &texts);

        // Cut off anywhere, all but the last value come, and whether something is missing is seen.
        let end = end.index(stream.len() + 1);
        let (split, rest) = self::split(limit, &stream.as_bytes()[..end], &cuts).unwrap();
        prop_assert_eq!(&split[..], &texts[..split.len()]);
        let whole: usize = blanks.zip(&split).map(|(blank, text)| blank.len() + text.len()).sum();
        prop_assert_eq!(rest.is_empty(), stream.as_bytes()[whole..end].trim_ascii().is_empty());

        // A limit that is one byte short refuses the longest value, and lets none of it out.
        if limit > 0 {
            let error = self::split(limit - 1, stream.as_bytes(), &cuts).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::TooLarge);
        }
    }

    #[test]
    fn a_splitter_takes_any_bytes_and_lets_out_no_more_than_came_in(
        bytes in vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\"\\ \n".to_vec())], 0..200),
        cuts in vec(1..40usize, 1..20),
        limit in 0..100usize,
    ) {
        if let Ok((values, _)) = split_bytes(limit, &bytes, &cuts) {
            prop_assert!(values.iter().all(|value| !value.is_empty() && value.len() <= limit));
            prop_assert!(values.iter().map(Bytes::len).sum::<usize>() <= bytes.len());
        }
    }

    #[test]
    fn events_come_out_of_a_stream_as_they_went_in(
        events in vec((event(), blank()), 0..5),
        cuts in vec(1..40usize, 1..20),
    ) {
        let stream: String = events
            .iter()
            .map(|(event, blank)| format!("{}{blank}", serde_json::to_string(event).unwrap()))
            .collect();
        let mut decoder = EventDecoder::default();
        let mut decoded = Vec::new();
        for chunk in chunks(stream.as_bytes(), &cuts) {
            decoder.push(chunk);
            while let Some(event) = decoder.next_event().unwrap() {
                decoded.push(event);
            }
        }
        decoder.finish().unwrap();
        prop_assert_eq!(decoded, events.into_iter().map(|(event, _)| event).collect::<Vec<_>>());
    }
}

fn write(value: &Value, pretty: bool) -> String {
    if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() }
}

fn chunks<'a>(mut bytes: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut cuts = cuts.iter().cycle();
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (head, tail) = bytes.split_at(bytes.len().min(*cuts.next()?));
        bytes = tail;
        Some(head)
    })
}

/// The values in `bytes`, which are text, and the splitter afterwards.
fn split(limit: usize, bytes: &[u8], cuts: &[usize]) -> Result<(Vec<String>, Splitter), Error> {
    let (values, splitter) = split_bytes(limit, bytes, cuts)?;
    Ok((values.iter().map(|value| String::from_utf8(value.to_vec()).unwrap()).collect(), splitter))
}

/// The values in any `bytes`, and the splitter afterwards.
fn split_bytes(limit: usize, bytes: &[u8], cuts: &[usize]) -> Result<(Vec<Bytes>, Splitter), Error> {
    let mut splitter = Splitter::new(limit);
    let mut values = Vec::new();
    for chunk in chunks(bytes, cuts) {
        splitter.push(chunk);
        while let Some(value) = splitter.next_value()? {
            values.push(value);
        }
    }
    Ok((values, splitter))
}
