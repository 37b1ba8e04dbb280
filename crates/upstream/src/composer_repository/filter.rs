//! Lists of versions that must not be installed (Composer 2.10), asked for by the names of packages.

use super::{Asked, ComposerRepository, advisory::BATCH, request::Request};
use crate::UpstreamError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stave_domain::{
    composer::metadata::Keys,
    mirror::{FilterSource, MirrorRoot, package::filter_read},
    package::PackageName,
};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Filter {
    /// By list. PHP writes an empty object as `[]`.
    filter: Value,
}

impl ComposerRepository {
    /// What the lists of the repository say against versions of packages, in the form that their metadata has; packages against which
    /// they say nothing are not in it. One without such an interface says it in its metadata alone.
    pub async fn filters(
        &self,
        root: &MirrorRoot,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Keys>, UpstreamError> {
        match &root.filter {
            Some(source @ FilterSource { api_url: Some(_), .. }) => self.filters_asked(source, names).await,
            Some(source @ FilterSource { summary_url: Some(_), .. }) => {
                self.filters_summed(source, names).await
            }
            _ => Ok(BTreeMap::new()),
        }
    }

    async fn filters_asked(
        &self,
        source: &FilterSource,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Keys>, UpstreamError> {
        let mut all: BTreeMap<PackageName, Map<String, Value>> = BTreeMap::new();
        let Some(url) = &source.api_url else { return Ok(all) };
        let asked = Asked::Filter;
        for names in names.chunks(BATCH) {
            let packages: Vec<_> = names.iter().map(|name| format!("pkg://composer/{name}")).collect();
            let body = json!({"packages": packages, "lists": source.lists}).to_string();
            let answer =
                Request::post(url, "application/json", body).send(self, &asked).await?.success(&asked)?;
            let Filter { filter } = answer.json_as(&asked)?;
            let lists: BTreeMap<String, Vec<Value>> = serde_json::from_value(filter).unwrap_or_default();
            for (list, entry) in
                lists.into_iter().flat_map(|(list, all)| all.into_iter().map(move |it| (list.clone(), it)))
            {
                let package = entry.get("package").and_then(Value::as_str).unwrap_or_default();
                let Some(name) = names.iter().find(|name| name.as_str() == package) else { continue };
                let entries = all.entry(name.clone()).or_default().entry(list).or_insert_with(|| json!([]));
                entries.as_array_mut().into_iter().for_each(|entries| entries.push(entry.clone()));
            }
        }
        Ok(kept(source, all))
    }

    async fn filters_summed(
        &self,
        source: &FilterSource,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Keys>, UpstreamError> {
        let mut all: BTreeMap<PackageName, Map<String, Value>> = BTreeMap::new();
        let Some(url) = &source.summary_url else { return Ok(all) };
        let asked = Asked::Filter;
        let answer = self.get(url, &asked).await?.success(&asked)?;
        let Filter { filter } = answer.json_as(&asked)?;
        let lists: Map<String, Value> = serde_json::from_value(filter).unwrap_or_default();
        for (list, packages) in &lists {
            for name in names {
                if let Some(constraint) = packages.get(name.as_str()).and_then(Value::as_str) {
                    let entry = json!([{"constraint": constraint}]);
                    all.entry(name.clone()).or_default().insert(list.clone(), entry);
                }
            }
        }
        Ok(kept(source, all))
    }
}

/// What clients understand of it, of the lists that the repository itself says that it has.
fn kept(
    source: &FilterSource,
    all: BTreeMap<PackageName, Map<String, Value>>,
) -> BTreeMap<PackageName, Keys> {
    let read = all.into_iter().map(|(name, mut lists)| {
        lists.retain(|list, _| source.lists.contains(list));
        (name, filter_read(&Value::Object(lists)))
    });
    read.filter(|(_, lists)| !lists.is_empty()).collect()
}
