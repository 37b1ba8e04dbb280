//! The form of a synchronization: what is typed, and what it means.

use crate::Failure;
use stave_domain::synchronization::{RightsFrom, Selection, Synchronization};

/// What is typed into the form of a synchronization.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct SynchronizationForm {
    /// Which repositories become packages: `all`, `matching` or `by_hand`.
    pub selection: String,
    /// Keys of projects; counts only for `matching`.
    pub projects: String,
    /// Names with `*`; counts only for `matching`.
    pub names: String,
    /// Sent if webhooks are installed.
    pub has_webhooks: Option<String>,
    /// Who is asked what people may read: `everybody` or `each_person`; empty leaves it as it is.
    pub rights_from: String,
    /// Sent if it takes the place of the primary one; counts only when it starts.
    pub is_primary: Option<String>,
}

impl SynchronizationForm {
    /// The form of a synchronization that is there.
    #[must_use]
    pub fn of(synchronization: &Synchronization) -> Self {
        let sent = |ticked: bool| ticked.then(|| "on".to_owned());
        let (selection, projects, names) = match &synchronization.selection {
            Selection::All => ("all", String::new(), String::new()),
            Selection::ByHand => ("by_hand", String::new(), String::new()),
            Selection::Matching { projects, names } => ("matching", projects.join(", "), names.join(", ")),
        };
        let rights_from = match synchronization.rights_from {
            RightsFrom::Everybody => "everybody",
            RightsFrom::EachPerson => "each_person",
        };
        Self {
            selection: selection.into(),
            projects,
            names,
            has_webhooks: sent(synchronization.has_webhooks),
            rights_from: rights_from.into(),
            is_primary: sent(synchronization.is_primary),
        }
    }

    /// The synchronization as it shall be.
    pub(super) fn applied(&self, before: &Synchronization) -> Result<Synchronization, Failure> {
        let rights_from = match self.rights_from.as_str() {
            "" => before.rights_from,
            "everybody" => RightsFrom::Everybody,
            "each_person" => RightsFrom::EachPerson,
            _ => return Err(Failure::invalid("rights_from", "Choose one of the two.")),
        };
        Ok(Synchronization {
            selection: self.selected()?,
            has_webhooks: self.has_webhooks.is_some(),
            rights_from,
            ..before.clone()
        })
    }

    fn selected(&self) -> Result<Selection, Failure> {
        match self.selection.as_str() {
            "all" => Ok(Selection::All),
            "by_hand" => Ok(Selection::ByHand),
            "matching" => Selection::matching(&self.projects, &self.names)
                .map_err(|invalid| Failure::invalid("names", invalid.to_string())),
            _ => Err(Failure::invalid("selection", "Choose which repositories become packages.")),
        }
    }
}
