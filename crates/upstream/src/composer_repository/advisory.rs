//! Security advisories, asked for by the names of packages.

use super::{Asked, ComposerRepository, request::Request};
use crate::UpstreamError;
use serde::Deserialize;
use serde_json::{Map, Value};
use stave_domain::{
    mirror::{MirrorAdvisory, MirrorRoot},
    package::PackageName,
};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// So many names are in one request, as in those of clients (2.11).
pub(super) const BATCH: usize = 500;

#[derive(Deserialize)]
struct Advisories {
    /// PHP writes an empty object as `[]`.
    advisories: Value,
}

impl ComposerRepository {
    /// What the repository warns of, for those of the packages for which it does. One without such an interface warns of nothing.
    pub async fn advisories(
        &self,
        root: &MirrorRoot,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Vec<MirrorAdvisory>>, UpstreamError> {
        let mut all = BTreeMap::new();
        let Some(url) = root.advisories.as_ref().and_then(|source| source.api_url.as_ref()) else {
            return Ok(all);
        };
        let asked = Asked::Advisories;
        for names in names.chunks(BATCH) {
            let request = Request::post(url, "application/x-www-form-urlencoded", question(names));
            let answer = request.send(self, &asked).await?.success(&asked)?;
            let Advisories { advisories } = answer.json_as(&asked)?;
            let found: Map<String, Value> = serde_json::from_value(advisories).unwrap_or_default();
            for name in names {
                let listed = found.get(name.as_str()).map(MirrorAdvisory::read_all).unwrap_or_default();
                if !listed.is_empty() {
                    all.insert(name.clone(), listed);
                }
            }
        }
        Ok(all)
    }
}

fn question(names: &[PackageName]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (at, name) in names.iter().enumerate() {
        form.append_pair(&format!("packages[{at}]"), name.as_str());
    }
    form.finish()
}
