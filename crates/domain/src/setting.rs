//! What an admin chooses for the whole installation.

/// Global Configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Only admins may make organizations.
    pub limit_organization_creation: bool,
    /// People may register and log in with e-mail address and password.
    pub password_login: bool,
}
