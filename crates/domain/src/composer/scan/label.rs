//! Tags of one package among several: `mailer/v1.2.0` or `acme/mailer@1.2.0` is a version of that package only.

use crate::package::PackageName;

/// What may stand before the version in the tags of one package of several, with a `/` or `@` between: the folder's name,
/// its whole path, or the package's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// The labels of the package in a folder; the root has no name.
    #[must_use]
    pub fn of(path: &str, name: Option<&PackageName>) -> Self {
        let folder = path.rsplit('/').next().unwrap_or_default();
        let labels = [path, folder, name.map(PackageName::as_str).unwrap_or_default()];
        Self(labels.into_iter().filter(|label| !label.is_empty()).map(str::to_owned).collect())
    }

    /// What of a tag's name is the version, if the tag begins with one of the labels.
    #[must_use]
    pub fn version<'tag>(&self, tag: &'tag str) -> Option<&'tag str> {
        let after = |label: &String| tag.strip_prefix(label.as_str())?.strip_prefix(['/', '@']);
        self.0.iter().find_map(after).filter(|version| !version.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_the_versions_in_them() {
        let name = "acme/mailer".parse().unwrap();
        let labels = Labels::of("packages/mail", Some(&name));
        for (tag, version) in [
            ("mail/v1.2.0", Some("v1.2.0")),
            ("mail@1.2.0", Some("1.2.0")),
            ("packages/mail/1.2.0", Some("1.2.0")),
            ("packages/mail@1.2.0", Some("1.2.0")),
            ("acme/mailer@1.2.0", Some("1.2.0")),
            ("acme/mailer/v1", Some("v1")),
            ("v1.2.0", None),
            ("mailer/v1.2.0", None),
            ("email/v1.2.0", None),
            ("mail/", None),
            ("mail", None),
        ] {
            assert_eq!(labels.version(tag), version, "{tag}");
        }
        assert_eq!(Labels::of("", Some(&name)).version("acme/mailer@1.0"), Some("1.0"));
        assert_eq!(Labels::of("", None).version("/1.0"), None);
    }
}
