//! Searches and lists of packages, as clients of the Composer repository ask for them.

use crate::{App, Failure, composer::Reader};
use stave_domain::{
    access::Named,
    composer::root::pattern_matches,
    id::PackageId,
    package::{Facet, FacetKind, Package},
    repository::Repository,
    security::HideSource,
};

/// Results on a page if nobody says otherwise, as on the public registry.
const PAGE: usize = 15;
/// Results on a page at most.
const LONGEST_PAGE: usize = 100;
/// Words and tags of one search that count: each costs a look through all names.
const MOST_WORDS: usize = 10;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct PackageSearch {
    /// Words that name or description have in them.
    pub words: String,
    /// A type, such as `library`; empty finds all.
    pub kind: String,
    /// Keywords that the package names.
    pub tags: Vec<String>,
    /// Counted from 1.
    pub page: usize,
    /// Results on a page; 0 leaves it to Stave.
    pub per_page: usize,
}

/// A page of what was found.
#[derive(Debug)]
pub struct SearchPage {
    /// Those whose name has the words in it come first.
    pub found: Vec<FoundPackage>,
    /// How many there are on all pages.
    pub total: usize,
    /// Whether another page follows.
    pub has_more: bool,
}

/// A package that was found.
#[derive(Debug)]
pub struct FoundPackage {
    /// Which.
    pub package: Package,
    /// The git repository that it is read from, if it is from one and the organization lets Composer know.
    pub repository: Option<Repository>,
    /// Its type; `None` if it publishes nothing.
    pub kind: Option<String>,
    /// How often it was installed.
    pub installs: u64,
}

impl App {
    /// The packages that a reader sees and that fit a search.
    pub async fn composer_search(
        &self,
        reader: &Reader,
        search: &PackageSearch,
    ) -> Result<SearchPage, Failure> {
        let words: Vec<String> =
            search.words.split_whitespace().take(MOST_WORDS).map(str::to_lowercase).collect();
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        let tags = search.tags.iter().take(MOST_WORDS).map(|tag| facet(FacetKind::Keyword, tag));
        let facets: Vec<Facet> =
            facet(FacetKind::Type, &search.kind).into_iter().chain(tags.flatten()).collect();
        let mut found = self.storage.package_search(reader.organization.id, &texts, &facets).await?;
        found.retain(|it| reader.sight.reads(it.package_id, &it.name, it.is_mirrored));
        let is_named = |it: &Named| words.iter().all(|word| it.name.as_str().contains(word.as_str()));
        // A stable order: within both parts the names stay in theirs.
        found.sort_by_key(|it| !is_named(it));
        let per_page = if search.per_page == 0 { PAGE } else { search.per_page.min(LONGEST_PAGE) };
        let before = search.page.saturating_sub(1).saturating_mul(per_page);
        let page: Vec<PackageId> = found.iter().skip(before).take(per_page).map(|it| it.package_id).collect();
        let has_more = found.len() > before.saturating_add(page.len());
        Ok(SearchPage { found: self.packages_found(reader, &page).await?, total: found.len(), has_more })
    }

    /// The packages that a reader sees, by name: all, those whose name fits a pattern, those of a type.
    pub async fn composer_package_list(
        &self,
        reader: &Reader,
        pattern: &str,
        kind: &str,
    ) -> Result<Vec<FoundPackage>, Failure> {
        let facets: Vec<Facet> = facet(FacetKind::Type, kind).into_iter().collect();
        let mut found = self.storage.package_search(reader.organization.id, &[], &facets).await?;
        found.retain(|it| {
            reader.sight.reads(it.package_id, &it.name, it.is_mirrored)
                && (pattern.is_empty() || pattern_matches(pattern, it.name.as_str()))
        });
        let ids: Vec<PackageId> = found.into_iter().map(|it| it.package_id).collect();
        self.packages_found(reader, &ids).await
    }

    /// The packages that a reader sees and of which a version provides a name, such as `psr/log-implementation`.
    pub async fn composer_providers(
        &self,
        reader: &Reader,
        name: &str,
    ) -> Result<Vec<FoundPackage>, Failure> {
        let Some(provided) = facet(FacetKind::Provides, name) else { return Ok(Vec::new()) };
        let mut found = self.storage.package_search(reader.organization.id, &[], &[provided]).await?;
        found.retain(|it| {
            it.name.as_str() != name && reader.sight.reads(it.package_id, &it.name, it.is_mirrored)
        });
        let ids: Vec<PackageId> = found.into_iter().take(LONGEST_PAGE).map(|it| it.package_id).collect();
        self.packages_found(reader, &ids).await
    }

    async fn packages_found(&self, reader: &Reader, ids: &[PackageId]) -> Result<Vec<FoundPackage>, Failure> {
        let tells_source = reader.security().hides_source != HideSource::Always;
        let mut all = Vec::with_capacity(ids.len());
        // As many as one statement can name.
        for ids in ids.chunks(1000) {
            let packages = self.storage.package_list_of_ids(ids).await?;
            let mut kinds = self.storage.package_types(ids).await?;
            let installs = self.storage.install_totals(ids).await?;
            all.extend(packages.into_iter().map(|(package, repository)| FoundPackage {
                kind: kinds.remove(&package.id),
                installs: installs.get(&package.id).copied().unwrap_or(0),
                package,
                repository: repository.filter(|_| tells_source),
            }));
        }
        Ok(all)
    }
}

/// What is asked for, unless nothing is.
fn facet(kind: FacetKind, text: &str) -> Option<Facet> {
    let text = text.trim().to_lowercase();
    (!text.is_empty() && !text.contains('\0')).then_some(Facet { kind, text })
}
