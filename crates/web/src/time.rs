//! Instants as people read them.

use stave_domain::Timestamp;

/// `22 Nov 2026, 01:05 UTC`.
pub(crate) fn readable(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// `2026-11-22T01:05:00Z`, to the second: the `datetime` of a `<time>`.
pub(crate) fn machine(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_words() {
        let at: Timestamp = "2026-11-02T01:05:09.123Z".parse().unwrap();
        assert_eq!(readable(&at), "2 Nov 2026, 01:05 UTC");
        assert_eq!(machine(&at), "2026-11-02T01:05:09Z");
    }
}
