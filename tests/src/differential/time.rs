//! Times in bodies.

/// A body without its times, and these in their order: seconds since 1970, or seconds left.
pub(crate) fn take(body: &str) -> (String, Vec<i64>) {
    let mut out = String::with_capacity(body.len());
    let mut times = Vec::new();
    let mut rest = body;
    while let Some((place, name, end)) = next(rest) {
        // In a text of the user's the quotes around the name would be escaped.
        let (before, after) = rest.split_at(place + name.len());
        let Some(length) = after.find(end) else { break };
        let (time, after) = after.split_at(length);
        let Some(time) = time.parse().ok().or_else(|| seconds(time)) else { break };
        out.push_str(before);
        out.push('T');
        times.push(time);
        rest = after;
    }
    out.push_str(rest);
    (out, times)
}

/// The first time: where, after what, and up to which of these characters.
fn next(text: &str) -> Option<(usize, &'static str, &'static [char])> {
    const EXPIRATION: &str = "\"expiration\":\"";
    const TTL: &str = "\"ttl\":";
    let expiration = text.find(EXPIRATION).map(|place| (place, EXPIRATION, &['"'][..]));
    let ttl = text.find(TTL).map(|place| (place, TTL, &[',', '}'][..]));
    [expiration, ttl].into_iter().flatten().min_by_key(|(place, ..)| *place)
}

/// Seconds since 1970 of `2026-11-21T07:31:16.188231547Z`.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.split('.').next()?.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-02-29T00:00:01.5Z"), Some(951_782_401));
        assert_eq!(seconds("2026-11-21T07:31:16.188231547Z"), Some(1_795_246_276));
        assert_eq!(seconds("soon"), None);
    }
}
