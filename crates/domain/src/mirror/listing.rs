//! The lists of Composer 1, and packages that are in packages.json itself.

use super::{
    raw::{Entries, Versions, read},
    template::{Template, address, below},
};
use crate::{Invalid, package::PackageName, shortened};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{collections::HashMap, fmt::Write as _};
use url::Url;

/// What one file of lists says: packages.json, one that it includes, or a list of hashes.
#[derive(Debug, Default)]
pub struct Listing {
    /// The packages that are in it, each version as the text that it is, by their names in lower case.
    packages: HashMap<String, Vec<String>>,
    /// SHA-256 of the file of each package, by their names in lower case.
    hashes: HashMap<String, String>,
    /// Further files.
    pub includes: Vec<Include>,
}

/// A file that another one names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Where it is.
    pub url: Url,
    /// What its bytes are checked by; `None` if nobody says.
    pub hash: Option<Hash>,
}

/// A checksum, in lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hash {
    /// 40 digits.
    Sha1(String),
    /// 64 digits.
    Sha256(String),
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    packages: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    providers: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    includes: Entries<&'a RawValue>,
    #[serde(borrow, default, rename = "provider-includes")]
    provider_includes: Entries<&'a RawValue>,
}

impl Listing {
    /// Reads a file of the repository whose packages.json is at `root`.
    pub fn parse(root: &Url, body: &[u8]) -> Result<Self, Invalid> {
        let file: File<'_> = serde_json::from_slice(body).map_err(|error| {
            let why = shortened(&error.to_string(), 200);
            Invalid::because(format!("A file with lists of packages cannot be understood: {why}."))
        })?;
        let mut listing = Self::default();
        for (name, versions) in &file.packages.0 {
            let versions: Versions<'_> = serde_json::from_str(versions.get()).unwrap_or_default();
            let texts = versions.all.into_iter().map(|version| version.get().to_owned());
            listing.packages.entry(name.to_lowercase()).or_default().extend(texts);
        }
        for (name, entry) in &file.providers.0 {
            if let Some(Hash::Sha256(hash)) = hash_of(entry) {
                listing.hashes.insert(name.to_lowercase(), hash);
            }
        }
        for (path, entry) in file.includes.0.iter().chain(&file.provider_includes.0) {
            let hash = hash_of(entry);
            let digits = match &hash {
                Some(Hash::Sha1(digits) | Hash::Sha256(digits)) => digits.as_str(),
                None => "",
            };
            if let Some(url) = address(&below(root, &path.replace("%hash%", digits))) {
                listing.includes.push(Include { url, hash });
            }
        }
        Ok(listing)
    }

    /// Adds what another file of the same repository says.
    pub fn add(&mut self, other: Self) {
        for (name, versions) in other.packages {
            self.packages.entry(name).or_default().extend(versions);
        }
        self.hashes.extend(other.hashes);
    }

    /// A package that is in the files themselves, as a file of its own.
    #[must_use]
    pub fn package(&self, name: &PackageName) -> Option<Vec<u8>> {
        let versions = self.packages.get(name.as_str())?;
        let mut file = format!("{{\"packages\":{{\"{name}\":[");
        for (at, version) in versions.iter().enumerate() {
            _ = write!(file, "{}{version}", if at == 0 { "" } else { "," });
        }
        file.push_str("]}}");
        Some(file.into_bytes())
    }

    /// Where the file of a package is, and its hash.
    #[must_use]
    pub fn file_of(&self, name: &PackageName, files: &Template) -> Option<Include> {
        let hash = self.hashes.get(name.as_str())?;
        let url = files.of_hashed(name.as_str(), hash)?;
        Some(Include { url, hash: Some(Hash::Sha256(hash.clone())) })
    }
}

fn hash_of(entry: &RawValue) -> Option<Hash> {
    let entry: Value = read(entry)?;
    let digits = |key: &str, length: usize| {
        let text = entry.get(key)?.as_str()?;
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| text.to_ascii_lowercase())
    };
    digits("sha256", 64).map(Hash::Sha256).or_else(|| digits("sha1", 40).map(Hash::Sha1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::MirrorPackage;
    use serde_json::json;

    #[test]
    fn lists_name_files_and_hashes() {
        let root = Url::parse("https://r.example/x/packages.json").unwrap();
        let hash = "a".repeat(64);
        let body = json!({
            "packages": [], "providers": {"Acme/Lib": {"sha256": hash}, "a/odd": {"sha256": "7"}, "a/none": 7},
            "provider-includes": {"p/all$%hash%.json": {"sha256": hash}}, "includes": {"include/x.json": {"sha1": "b".repeat(40)}}
        });
        let listing = Listing::parse(&root, body.to_string().as_bytes()).unwrap();
        let urls: Vec<_> = listing.includes.iter().map(|include| include.url.as_str()).collect();
        assert_eq!(
            urls,
            ["https://r.example/x/include/x.json", &format!("https://r.example/x/p/all${hash}.json")]
        );
        assert_eq!(listing.includes[0].hash, Some(Hash::Sha1("b".repeat(40))));
        let files = Template::parse(&root, "/x/p/%package%$%hash%.json").unwrap();
        let file = listing.file_of(&"acme/lib".parse().unwrap(), &files).unwrap();
        assert_eq!(file.url.as_str(), format!("https://r.example/x/p/acme/lib${hash}.json"));
        assert_eq!(listing.file_of(&"a/odd".parse().unwrap(), &files), None);
        assert!(Listing::parse(&root, b"{\"packages\": 7}").is_err());
    }

    #[test]
    fn what_several_files_have_of_a_package_is_put_together() {
        let root = Url::parse("https://r.example/packages.json").unwrap();
        let dist = json!({"type": "zip", "url": "https://r.example/1.zip"});
        let listing = |version: &str| {
            let body = json!({"packages": {"Acme/Lib": {version: {"name": "acme/lib", "version": version, "dist": dist}}}});
            Listing::parse(&root, body.to_string().as_bytes()).unwrap()
        };
        let mut all = listing("1.0");
        all.add(listing("dev-main"));
        let name = "acme/lib".parse().unwrap();
        let package = MirrorPackage::read(&name, &all.package(&name).unwrap()).unwrap().unwrap();
        let versions: Vec<_> = package.found.iter().map(|found| found.version.as_str()).collect();
        assert_eq!(versions, ["1.0", "dev-main"]);
        assert_eq!(all.package(&"acme/other".parse().unwrap()), None);
    }
}
