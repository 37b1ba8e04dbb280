//! The `time` of a composer.json.

use crate::Timestamp;
use jiff::{civil, fmt::rfc2822, tz};

/// Reads a date: seconds since 1970, RFC 3339, RFC 2822, `2024-03-01`, `2024-03-01 10:00:00`, with or without an offset;
/// what names no offset is UTC. PHP also understands "next Monday"; of what changes every day, the commit's own time is
/// the better answer.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // PHP's `empty`: "0" is no time.
    if text.is_empty() || text == "0" {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    let date = ["UTC", "GMT"]
        .iter()
        .find_map(|zone| text.strip_suffix(zone))
        .unwrap_or(text)
        .trim()
        .replace('/', "-");
    let in_utc = |local: civil::DateTime| local.to_zoned(tz::TimeZone::UTC).ok();
    date.parse()
        .ok()
        .or_else(|| date.parse().ok().and_then(in_utc).map(|zoned| zoned.timestamp()))
        .or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
}

/// As Composer writes instants: RFC 3339 with seconds, in UTC.
#[must_use]
pub fn written(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        for (text, instant) in [
            ("2020-01-01", "2020-01-01T00:00:00+00:00"),
            ("2020/01/02", "2020-01-02T00:00:00+00:00"),
            ("2024-03-01T10:00:00+02:00", "2024-03-01T08:00:00+00:00"),
            ("2024-03-01T10:00:00-0530", "2024-03-01T15:30:00+00:00"),
            ("2024-03-01T10:00:00Z", "2024-03-01T10:00:00+00:00"),
            ("2024-03-01 10:00:00", "2024-03-01T10:00:00+00:00"),
            ("2024-03-01 10:00:00 UTC", "2024-03-01T10:00:00+00:00"),
            ("2024-03-01 10:00", "2024-03-01T10:00:00+00:00"),
            ("2024-03-01T10:00:00.25Z", "2024-03-01T10:00:00+00:00"),
            ("1700000000", "2023-11-14T22:13:20+00:00"),
            ("Fri, 01 Mar 2024 10:00:00 +0200", "2024-03-01T08:00:00+00:00"),
        ] {
            assert_eq!(parse(text).map(written).as_deref(), Some(instant), "{text}");
        }
        for bad in [
            "",
            "0",
            "not a time",
            "2024-13-01",
            "99999999999999999999",
            "2024-03-01T25:00:00Z",
            "é+02:00",
            ":+é",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
