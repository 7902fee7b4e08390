//! Times as etcd computes and writes them: nanoseconds since 1970 in 64 bits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970; what does not fit (before 1677, after 2262) becomes the nearest that does.
pub(crate) fn nanos(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

/// The other way round; `None` where the platform's clock cannot show it.
pub(crate) fn system_time(nanos: i64) -> Option<SystemTime> {
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// RFC 3339 in UTC with up to nine digits of a second, zeros at the end cut.
pub(crate) fn rfc3339(nanos: i64) -> String {
    let seconds = nanos.div_euclid(SECOND);
    let fraction = nanos.rem_euclid(SECOND);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let clock = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction != 0 {
        let digits = format!("{fraction:09}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// A span as Go prints durations: `29.631657193s`, `1m0.5s`, `0s`.
pub(crate) fn go_duration(nanos: i64) -> String {
    let nanos = nanos.max(0);
    let (seconds, fraction) = (nanos / SECOND, nanos % SECOND);
    if seconds == 0 {
        return match fraction {
            0 => "0s".into(),
            1..1_000 => format!("{fraction}ns"),
            1_000..1_000_000 => format!("{}µs", decimal(fraction, 3)),
            _ => format!("{}ms", decimal(fraction, 6)),
        };
    }
    let rest = format!("{}s", decimal(seconds % 60 * SECOND + fraction, 9));
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => rest,
        (0, minutes) => format!("{minutes}m{rest}"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
    }
}

/// `number` with its last `places` digits behind a point, zeros at the end cut.
fn decimal(number: i64, places: u32) -> String {
    let unit = 10_i64.pow(places);
    let (whole, fraction) = (number / unit, number % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let digits = format!("{fraction:0width$}", width = usize::try_from(places).unwrap_or(0));
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Year, month and day of a day counted from 1970, by the Gregorian calendar (Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// One second in nanoseconds.
pub(crate) const SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_etcd_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(946_684_800 * SECOND), "2000-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_795_246_276_188_231_540), "2026-11-21T07:31:16.18823154Z");
        assert_eq!(rfc3339(1_709_251_199 * SECOND), "2024-02-29T23:59:59Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(rfc3339(i64::MIN), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(rfc3339(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn spans_are_written_as_go_writes_them() {
        let cases = [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5µs"),
            (20_000_000, "20ms"),
            (29_631_657_193, "29.631657193s"),
            (60_500_000_000, "1m0.5s"),
            (3_600_000_000_000, "1h0m0s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(go_duration(nanos), text);
        }
    }

    #[test]
    fn times_out_of_range_become_the_nearest_in_range() {
        assert_eq!(nanos(UNIX_EPOCH + Duration::from_secs(1 << 40)), i64::MAX);
        assert_eq!(nanos(UNIX_EPOCH - Duration::from_secs(1 << 40)), i64::MIN);
        let now = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        assert_eq!(system_time(nanos(now)), Some(now));
    }
}
