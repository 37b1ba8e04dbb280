//! Chance that can be repeated, and how much of it.

/// A number from the environment.
pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Numbers that are the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// Below `bound`.
    pub(crate) fn of(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// One of these.
    pub(crate) fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.of(u64::try_from(from.len()).expect("a length"));
        &from[usize::try_from(at).expect("an index")]
    }
}
