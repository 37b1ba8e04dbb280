//! What the pages of tokens say about one.

use stave_domain::{Timestamp, token::Token};

/// So many of a list are named.
const NAMED: usize = 3;

/// What a token reads, in a few words.
pub(super) fn packages(token: &Token) -> String {
    match &token.selection {
        None => "all packages".into(),
        Some(chosen) => some_of(chosen.iter()),
    }
}

/// From where it may be used, in a few words; `None` if from everywhere.
pub(super) fn addresses(token: &Token) -> Option<String> {
    let lines = token.addresses.to_string();
    (!token.addresses.is_everywhere()).then(|| some_of(lines.lines()))
}

/// Whether it is over.
pub(super) fn is_expired(token: &Token, now: &Timestamp) -> bool {
    !token.is_valid_at(*now)
}

/// The first ones by name, the others by their number.
fn some_of<'a>(all: impl Iterator<Item = &'a str> + Clone) -> String {
    let named = all.clone().take(NAMED).collect::<Vec<_>>().join(", ");
    match all.skip(NAMED).count() {
        0 => named,
        rest => format!("{named} and {rest} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn a_long_list_is_short() {
        assert_eq!(some_of("a b c".split(' ')), "a, b, c");
        assert_eq!(some_of("a b c d e".split(' ')), "a, b, c and 2 more");
    }
}
