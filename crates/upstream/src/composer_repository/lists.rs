//! The lists of Composer 1: packages.json again, and the files that it includes.

use super::{Asked, ComposerRepository, MirrorProblem, hex, package::by_digest, problem};
use crate::UpstreamError;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use stave_domain::{
    mirror::{
        Template,
        listing::{Hash, Include, Listing},
        root_url,
    },
    package::PackageName,
};
use std::collections::HashSet;
use url::Url;

/// Files that one repository may include. The largest known had a hundred.
const MOST_FILES: usize = 1_000;
/// So much of lists is read.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// What all lists say together.
pub(super) struct Lists(Listing);

/// The file of one package.
pub(super) struct Listed {
    pub(super) url: Url,
    hash: Option<Hash>,
}

impl ComposerRepository {
    /// What the lists say, as they were when they were first asked for here.
    pub(super) async fn lists(&self) -> Result<&Lists, UpstreamError> {
        self.lists.get_or_try_init(|| self.lists_read()).await
    }

    /// Hashed files are gone when the next ones are made, so packages.json is never an old one.
    async fn lists_read(&self) -> Result<Lists, UpstreamError> {
        let root = root_url(&self.site.url);
        let mut next = vec![(Include { url: root.clone(), hash: None }, Asked::Root)];
        let (mut all, mut seen, mut bytes) = (Listing::default(), HashSet::new(), 0);
        while let Some((file, asked)) = next.pop() {
            if !seen.insert(file.url.clone()) {
                continue;
            }
            let answer = self.get(&file.url, &asked).await?.success(&asked)?;
            answer.json_read(&asked)?;
            Listed { url: file.url, hash: file.hash }.check(&answer.body, &asked)?;
            bytes += answer.body.len();
            let mut listing = Listing::parse(&root, &answer.body).map_err(|invalid| answer.odd(invalid))?;
            next.extend(listing.includes.drain(..).map(|include| (include, Asked::List)));
            if seen.len() + next.len() > MOST_FILES || bytes > MOST_BYTES {
                return Err(problem::of(&root, MirrorProblem::TooLarge { asked: Asked::List }));
            }
            all.add(listing);
        }
        Ok(Lists(all))
    }
}

impl Lists {
    /// A package that is in the files themselves, as a file of its own.
    pub(super) fn package(&self, name: &PackageName) -> Option<Vec<u8>> {
        self.0.package(name)
    }

    /// Where the file of a package is.
    pub(super) fn file_of(&self, name: &PackageName, files: &Template) -> Option<Listed> {
        self.0.file_of(name, files).map(|Include { url, hash }| Listed { url, hash })
    }
}

impl Listed {
    /// By what it is recognised the next time.
    pub(super) fn digest(&self) -> Option<String> {
        match &self.hash {
            Some(Hash::Sha256(hex)) => Some(by_digest(hex)),
            _ => None,
        }
    }

    /// Whether the bytes are those that the list promised.
    pub(super) fn check(&self, body: &[u8], asked: &Asked) -> Result<(), UpstreamError> {
        let is_right = match &self.hash {
            None => true,
            Some(Hash::Sha1(hex)) => *hex == digits::<Sha1>(body),
            Some(Hash::Sha256(hex)) => *hex == digits::<Sha256>(body),
        };
        if is_right {
            Ok(())
        } else {
            Err(problem::of(&self.url, MirrorProblem::WrongHash { asked: asked.clone() }))
        }
    }
}

fn digits<D: Digest>(body: &[u8]) -> String {
    hex(&D::digest(body))
}
