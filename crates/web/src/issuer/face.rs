//! What stands around every page for the visitors of a website: its name, picture and colours. No header of Stave.

use stave_app::{App, Issuer};
use stave_domain::website::{Colour, Look, Setting, Website};

/// What `issuer/layout.html` needs; the field `face` of every page that extends it.
pub(crate) struct Face {
    /// What stands before the addresses of this server: nothing on its own pages.
    pub(crate) server: String,
    /// The website.
    pub(crate) name: String,
    /// The path of its issuer on this server, without a slash at its end.
    pub(crate) path: String,
    /// The website itself.
    pub(crate) home: String,
    /// The address of its colours.
    pub(crate) colours: String,
    /// The address of its picture.
    pub(crate) logo: Option<String>,
}

impl Face {
    /// As visitors see it.
    pub(crate) fn of(issuer: &Issuer) -> Self {
        Self::with(&issuer.website, &issuer.setting)
    }

    /// As visitors see it at another address than this server's.
    pub(crate) fn elsewhere(issuer: &Issuer, app: &App) -> Self {
        let face = Self::of(issuer);
        let there = |path: String| app.address(&path);
        Self { server: app.address(""), colours: there(face.colours), logo: face.logo.map(there), ..face }
    }

    /// As visitors would see it with a setting.
    pub(crate) fn with(website: &Website, setting: &Setting) -> Self {
        Self {
            server: String::new(),
            name: website.name.clone(),
            path: path(website),
            home: website.origin().at("/"),
            colours: colours(&setting.look),
            logo: logo(website, &setting.look),
        }
    }
}

/// The path of a website's issuer on this server, without a slash at its end.
pub(crate) fn path(website: &Website) -> String {
    format!("/w/{}", website.slug)
}

/// The address of the stylesheet with the colours of a look. It names the colours and nothing else, so that a draft needs no
/// stylesheet of its own: [`super::look`].
pub(crate) fn colours(look: &Look) -> String {
    let digits = |colour: Colour| colour.to_string().replace('#', "");
    format!("/look/{}-{}.css", digits(look.accent), digits(look.background))
}

/// The address of the picture of a look.
pub(crate) fn logo(website: &Website, look: &Look) -> Option<String> {
    look.logo.as_ref().map(|hash| format!("{}/logo/{hash}", path(website)))
}
