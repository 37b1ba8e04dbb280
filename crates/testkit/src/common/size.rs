//! How large a pretended workspace is made at once.

/// How large it is. Its people are `p0001`, `p0002` ..., its repositories `r0001` ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Repositories.
    pub repositories: usize,
    /// People; the first of them administers everything.
    pub people: usize,
    /// How many of the repositories have a composer.json, evenly spread.
    pub packages: usize,
    /// How many repositories each of the other people may read. If it is all of them, everybody may by belonging to the
    /// workspace; otherwise each has so many grants.
    pub each_reads: usize,
}

impl Size {
    /// The nicknames of its people.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        (1..=self.people).map(|number| format!("p{number:04}"))
    }

    /// Its repositories by slug, with the composer.json of those that have one.
    pub(crate) fn slugs(self, vendor: &str) -> impl Iterator<Item = (String, Option<String>)> {
        let vendor = vendor.to_lowercase();
        (0..self.repositories).map(move |at| {
            let slug = format!("r{:04}", at + 1);
            let manifest = format!("{{\"name\": \"{vendor}/{slug}\", \"license\": \"MIT\"}}\n");
            (slug, self.is_package(at).then_some(manifest))
        })
    }

    fn is_package(self, at: usize) -> bool {
        (at + 1) * self.packages / self.repositories > at * self.packages / self.repositories
    }

    /// Whether everybody reads everything.
    pub(crate) fn is_open(self) -> bool {
        self.each_reads >= self.repositories
    }

    /// The positions of the repositories that a person may read, who is so far from the first.
    pub(crate) fn read_by(self, person: usize) -> impl Iterator<Item = usize> {
        (0..self.each_reads).map(move |at| (person * self.each_reads + at) % self.repositories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_have_a_manifest_as_were_asked_for() {
        for (repositories, packages) in [(3000, 60), (7, 3), (5, 5), (4, 0)] {
            let size = Size { repositories, packages, people: 0, each_reads: 0 };
            assert_eq!(size.slugs("acme").filter(|(_, manifest)| manifest.is_some()).count(), packages);
        }
    }
}
