//! What lists of bad versions say, for clients that read no metadata: an install from a lock file, an audit.

use crate::{App, Failure, composer::Reader};
use serde_json::{Value, json};
use stave_domain::{composer::metadata::Keys, id::PackageId, package::PackageName};
use std::collections::BTreeSet;

/// How many names one request may ask about.
const MOST_NAMES: usize = 10_000;

impl App {
    /// The entries of these lists, or of all if none is named, about these packages, as far as the reader sees them. Each names its
    /// package.
    pub async fn composer_filter(
        &self,
        reader: &Reader,
        names: &[&str],
        lists: &[String],
    ) -> Result<Keys, Failure> {
        let names: BTreeSet<PackageName> =
            names.iter().take(MOST_NAMES).filter_map(|name| name.to_lowercase().parse().ok()).collect();
        let mut there = self.storage.package_list_named(reader.organization.id, &names).await?;
        there.retain(|it| reader.sight.reads(it.package_id, &it.name, it.is_mirrored));
        let ids: Vec<PackageId> = there.iter().map(|it| it.package_id).collect();
        let filters = self.storage.filter_list(&ids).await?;
        let mut said = Keys::new();
        for it in &there {
            let about = filters.get(&it.package_id).into_iter().flatten();
            for (list, entries) in about.filter(|(list, _)| lists.is_empty() || lists.contains(list)) {
                let entries =
                    entries.as_array().into_iter().flatten().map(|entry| with_name(entry, &it.name));
                if let Value::Array(all) = said.entry(list.clone()).or_insert_with(|| json!([])) {
                    all.extend(entries);
                }
            }
        }
        Ok(said)
    }
}

fn with_name(entry: &Value, name: &PackageName) -> Value {
    let mut entry = entry.clone();
    if let Value::Object(keys) = &mut entry {
        keys.insert("package".to_owned(), name.as_str().into());
    }
    entry
}
