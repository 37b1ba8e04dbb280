//! What a package publishes, ready to be sent.

use super::PackageName;
use crate::{
    Timestamp,
    id::{OrganizationId, PackageId},
};

/// The finished bytes of `p2/<name>.json` or, for branches, `p2/<name>~dev.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// In whose repository it is.
    pub organization_id: OrganizationId,
    /// Of which package.
    pub package_id: PackageId,
    /// The name it is asked for by.
    pub name: PackageName,
    /// Whether it lists branches (`~dev`) rather than tags.
    pub is_dev: bool,
    /// The JSON text, compressed with gzip once.
    pub body_gzip: Vec<u8>,
    /// When its bytes last changed: Last-Modified.
    pub modified_at: Timestamp,
}
