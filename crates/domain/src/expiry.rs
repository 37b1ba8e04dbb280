//! The last day on which a secret works, as people type it.

use crate::{Invalid, Timestamp};
use jiff::{civil::Date, tz::TimeZone};

/// The end of the day (UTC) that somebody typed as the last one; `None` if the field is empty. Only a new secret or a new day has
/// to lie ahead: `is_new`.
pub fn parse(typed: &str, now: Timestamp, is_new: bool) -> Result<Option<Timestamp>, Invalid> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let day: Date =
        typed.parse().map_err(|_| Invalid::because("Write the day like 2027-01-31: year, month, day."))?;
    if is_new && day < now.to_zoned(TimeZone::UTC).date() {
        return Err(Invalid::because("This day is over. A token that has expired opens nothing."));
    }
    let end = day.at(23, 59, 59, 0).to_zoned(TimeZone::UTC);
    end.map(|end| Some(end.timestamp())).map_err(|_| Invalid::because("This day is too far away."))
}

/// The day in UTC on which a secret dies, as forms have it.
#[must_use]
pub fn day(expires_at: Timestamp) -> String {
    expires_at.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_counts_whole() {
        let now: Timestamp = "2026-11-22T23:00:00Z".parse().unwrap();
        for (typed, expected) in [
            ("", None),
            (" 2026-11-22 ", Some("2026-11-22T23:59:59Z")),
            ("2031-02-28", Some("2031-02-28T23:59:59Z")),
        ] {
            let expected = expected.map(|at| at.parse().unwrap());
            assert_eq!(parse(typed, now, true), Ok(expected), "{typed}");
        }
        for bad in ["2026-11-21", "31.1.2027", "tomorrow", "2027-02-30"] {
            assert!(parse(bad, now, true).is_err(), "{bad}");
        }
        assert!(parse("2026-11-21", now, false).is_ok(), "a day that stays may be over");
        assert_eq!(day("2026-11-22T23:59:59Z".parse().unwrap()), "2026-11-22");
    }
}
