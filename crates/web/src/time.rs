//! Instants as people read them.

use jiff::SignedDuration;
use stave_domain::Timestamp;

/// `22 Nov 2026, 01:05 UTC`.
pub(crate) fn readable(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// `22 Nov 2026`: the day in UTC.
pub(crate) fn day(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// `2026-11-22T01:05:00Z`, to the second: the `datetime` of a `<time>`.
pub(crate) fn machine(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `3 days`, `2 hours`, `1 minute`, `20 seconds`: a length of time, rounded down.
pub(crate) fn length(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_in_words() {
        for (seconds, words) in [
            (-5, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(length(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn an_instant_in_words() {
        let at: Timestamp = "2026-11-02T01:05:09.123Z".parse().unwrap();
        assert_eq!(readable(&at), "2 Nov 2026, 01:05 UTC");
        assert_eq!(machine(&at), "2026-11-02T01:05:09Z");
        assert_eq!(day(&at), "2 Nov 2026");
    }
}
