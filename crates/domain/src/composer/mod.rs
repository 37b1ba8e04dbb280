//! What Composer reads and writes: composer.json, p2 metadata, packages.json.

pub mod alias;
pub mod archive;
pub mod check;
pub mod manifest;
pub mod metadata;
pub mod root;
pub mod scan;
pub mod served;
pub mod time;

pub use archive::Excludes;
pub use manifest::{Manifest, ManifestProblem};
pub use metadata::Metadata;
pub use root::Root;
pub use scan::{Scan, scan};
