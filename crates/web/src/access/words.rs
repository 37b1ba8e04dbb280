//! Why somebody can read a package or cannot, and what to do, in words.

use crate::time;
use stave_app::Authority;
use stave_domain::{
    access::{Barrier, Because, Reading},
    organization::Role,
    synchronization::{Level, OLDEST_ANSWER},
};

/// An answer in words: sentences that fit whoever reads them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Whether they can.
    pub(super) is_yes: bool,
    /// Why.
    pub(super) why: String,
    /// What to do about it; empty if there is nothing to do.
    pub(super) advice: String,
}

/// The workspace that decides, and what the person's account there is called.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) authority: &'a Authority,
    pub(super) account: Option<&'a str>,
}

impl Words {
    pub(super) fn of(reading: &Reading, place: Option<Place<'_>>) -> Self {
        match reading {
            Reading::Yes(because) => Self { is_yes: true, why: why(because, place), advice: String::new() },
            Reading::No(barrier) => {
                let (why, advice) = obstacle(*barrier, place);
                Self { is_yes: false, why, advice }
            }
        }
    }

    /// The answer as a cell of a table.
    pub(super) fn answer(&self) -> &'static str {
        if self.is_yes { "yes" } else { "no" }
    }
}

impl Place<'_> {
    fn workspace(self) -> String {
        let authority = self.authority;
        format!("{} at {}", authority.synchronization.workspace.title(), authority.integration.name)
    }
}

/// Why somebody can.
pub(super) fn why(because: &Because, place: Option<Place<'_>>) -> String {
    match because {
        Because::EveryMember => "Every member reads it.".into(),
        Because::Role(Role::Owner) => "Owners read it.".into(),
        Because::Role(_) => "Admins read it.".into(),
        Because::Team(team) => format!("The team {team} reads it."),
        Because::Platform { level, asked_at } => {
            let workspace = place.map_or_else(|| "Bitbucket".into(), Place::workspace);
            let may = match level {
                Level::Read => "read",
                Level::Write => "write to",
                Level::Admin => "administer",
            };
            let asked = asked_at.map(|at| format!(" Asked {}.", time::readable(&at))).unwrap_or_default();
            format!("{workspace} lets them {may} its repository.{asked}")
        }
    }
}

/// Why somebody cannot, and what to do.
pub(super) fn obstacle(barrier: Barrier, place: Option<Place<'_>>) -> (String, String) {
    let workspace = place.map_or_else(|| "a workspace that is no longer followed".into(), Place::workspace);
    let integration = place.map_or("Bitbucket", |place| place.authority.integration.name.as_str());
    let account = place.and_then(|place| place.account);
    let hours = OLDEST_ANSWER.as_hours();
    match barrier {
        Barrier::NoMember => ("Only members read it.".into(), "Add them to the members.".into()),
        Barrier::Deactivated => ("Deactivated: nothing can be read.".into(), "Activate the member.".into()),
        Barrier::NoTeam => (
            "Only teams that it was given to read it.".into(),
            "Give it to a team of theirs, or put them into a team that has it.".into(),
        ),
        Barrier::NotInWorkspace => match account {
            None => (
                format!("{workspace} decides, and no account at {integration} is connected."),
                format!("Connect the account at {integration}, on the Profile."),
            ),
            Some(account) => (
                format!("{workspace} decides, and does not know the account {account}."),
                format!("Have {account} added on Bitbucket, or connect another account at {integration}."),
            ),
        },
        Barrier::NotOnPlatform => (
            format!("{workspace} does not let {} read its repository.", account.unwrap_or("them")),
            "Give them the right to read it on Bitbucket: it counts here after the next run.".into(),
        ),
        Barrier::NotAsked => (
            format!("{workspace} decides. Only the account itself can ask there, and did not yet."),
            format!("Log in once with {integration}."),
        ),
        Barrier::TooOld { asked_at } => {
            let asked = asked_at.map_or_else(|| "long ago".into(), |at| time::readable(&at));
            (
                format!(
                    "{workspace} decides. Only the account itself can ask there, and last did {asked}: an answer counts for {hours} hours."
                ),
                format!("Log in once more with {integration}."),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_and_every_obstacle_advice() {
        for because in [
            Because::EveryMember,
            Because::Role(Role::Owner),
            Because::Role(Role::Admin),
            Because::Team("devs".into()),
            Because::Platform { level: Level::Write, asked_at: None },
        ] {
            let words = Words::of(&Reading::Yes(because), None);
            assert!(words.is_yes && words.why.ends_with('.') && words.advice.is_empty(), "{words:?}");
        }
        for barrier in [
            Barrier::NoMember,
            Barrier::Deactivated,
            Barrier::NoTeam,
            Barrier::NotInWorkspace,
            Barrier::NotOnPlatform,
            Barrier::NotAsked,
            Barrier::TooOld { asked_at: None },
        ] {
            let words = Words::of(&Reading::No(barrier), None);
            assert!(!words.is_yes && words.why.ends_with('.') && words.advice.ends_with('.'), "{words:?}");
        }
    }
}
