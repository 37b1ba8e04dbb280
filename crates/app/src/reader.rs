//! What a person may read in an organization: the one rule behind Composer, the lists of packages and the pages that explain it.

use crate::{App, Failure};
use stave_domain::{
    access::{Readable, Reader},
    id::{OrganizationId, PackageId, UserId},
    organization::Organization,
    package::{Package, PackageName, Patterns},
};
use std::{collections::BTreeMap, sync::Arc};

/// Bits in a word of a [`Part`].
const WORD_BITS: usize = u64::BITS as usize;

/// An organization's own packages by their ids, with what decides about who reads them.
#[derive(Debug)]
pub(crate) struct Readables(Vec<Readable>);

/// Some of an organization's own packages. It has a bit for each, so that thousands who each read other ones out of a hundred
/// thousand take little memory.
#[derive(Debug)]
pub(crate) struct Part {
    all: Arc<Readables>,
    bits: Vec<u64>,
}

impl Readables {
    fn new(mut list: Vec<Readable>) -> Self {
        list.sort_unstable_by_key(|readable| readable.package_id);
        Self(list)
    }
}

impl Part {
    fn new(all: Arc<Readables>, is_read: impl Fn(&Readable) -> bool) -> Self {
        let word = |list: &[Readable]| {
            list.iter().rev().fold(0, |word, readable| word << 1 | u64::from(is_read(readable)))
        };
        let bits = all.0.chunks(WORD_BITS).map(word).collect();
        Self { all, bits }
    }

    /// A package that came a moment ago is not among them.
    fn has(&self, id: PackageId) -> bool {
        let place = self.all.0.binary_search_by_key(&id, |readable| readable.package_id);
        place.is_ok_and(|place| self.bits[place / WORD_BITS] >> (place % WORD_BITS) & 1 == 1)
    }
}

/// The packages that somebody sees, asked for one by one. Packages of mirrors are read by every member and every token.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// All.
    All,
    /// Of the organization's own ones, these.
    Some(Arc<Part>),
    /// Of the organization's own ones, those with such a name. It is as large as what was typed, however many packages fit.
    Selected(Arc<Patterns>),
    /// Nothing, not even what mirrors bring: somebody is no member, or was deactivated.
    Nothing,
}

impl Sight {
    /// Whether a package is among them.
    pub(crate) fn reads(&self, id: PackageId, name: &PackageName, is_mirrored: bool) -> bool {
        self.has(id, Some(name), is_mirrored)
    }

    /// The same of a package that may have no name yet: nobody can have selected it then.
    pub(crate) fn sees(&self, package: &Package) -> bool {
        self.has(package.id, package.name.as_ref(), package.is_mirrored())
    }

    /// Whether they may hear that there is no package of this name any more. Who read it before cannot be told, so who sees some
    /// packages by their ids hears nothing.
    pub(crate) fn misses(&self, name: &PackageName) -> bool {
        match self {
            Self::All => true,
            Self::Selected(chosen) => chosen.fit(name),
            Self::Some(_) | Self::Nothing => false,
        }
    }

    fn has(&self, id: PackageId, name: Option<&PackageName>, is_mirrored: bool) -> bool {
        match self {
            Self::All => true,
            Self::Some(part) => is_mirrored || part.has(id),
            Self::Selected(chosen) => is_mirrored || name.is_some_and(|name| chosen.fit(name)),
            Self::Nothing => false,
        }
    }
}

impl App {
    /// What decides about what somebody may read in an organization.
    pub(crate) async fn reader_of_user(
        &self,
        organization: &Organization,
        user: UserId,
    ) -> Result<Reader, Failure> {
        let id = organization.id;
        let member = self.storage.member_find(id, user).await?;
        let teams = self.storage.team_list_of_user(id, user).await?;
        let mut given = BTreeMap::new();
        for (package, team) in self.storage.team_given(id, user).await? {
            given.entry(package).or_insert(team);
        }
        Ok(Reader {
            organization_id: id,
            role: member.as_ref().map(|member| member.role),
            is_active: member.is_some_and(|member| member.is_active),
            given,
            reads_all: teams.into_iter().find(|team| team.reads_all).map(|team| team.name),
            rights: self.storage.rights_of_user(id, user).await?.into_iter().collect(),
        })
    }

    /// The packages that somebody may read now.
    pub(crate) async fn sight_of_user(
        &self,
        organization: &Organization,
        user: UserId,
    ) -> Result<Sight, Failure> {
        let readables = self.readables_of(organization.id).await?;
        let reader = self.reader_of_user(organization, user).await?;
        if reader.role.is_none() || !reader.is_active {
            return Ok(Sight::Nothing);
        }
        let now = self.clock.now();
        let part = Part::new(readables, |readable| reader.may_read(readable, now));
        Ok(Sight::Some(Arc::new(part)))
    }

    /// An organization's own packages, with what decides about who reads them.
    pub(crate) async fn readables_of(&self, id: OrganizationId) -> Result<Arc<Readables>, Failure> {
        let read = async { Ok(Arc::new(Readables::new(self.storage.readable_list(id).await?))) };
        self.readables.get(&self.storage, id, read).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::{Timestamp, package::Origin};
    use uuid::Uuid;

    #[test]
    fn who_sees_which_package() {
        let package = |id: u128, origin, name: Option<&str>| Package {
            name: name.map(|name| name.parse().unwrap()),
            ..Package::new(Uuid::from_u128(id).into(), Uuid::nil().into(), origin, Timestamp::UNIX_EPOCH)
        };
        let own = package(1, Origin::Custom, Some("acme/mailer"));
        let other = package(2, Origin::Custom, Some("acme/clock"));
        let nameless = package(3, Origin::Artifact, None);
        let mirrored = package(4, Origin::Mirror(Uuid::nil().into()), Some("other/lib"));
        let readable = |id| Readable { package_id: id, name: None, followed: None, is_restricted: false };
        let all = Readables::new([nameless.id, other.id, own.id].map(readable).into());
        let part = Part::new(Arc::new(all), |readable| readable.package_id != other.id);
        for (sight, seen) in [
            (Sight::All, [true, true, true, true]),
            (Sight::Some(Arc::new(part)), [true, false, true, true]),
            (Sight::Selected(Arc::new("acme/mail*".parse().unwrap())), [true, false, false, true]),
            (Sight::Selected(Arc::new("*".parse().unwrap())), [true, true, false, true]),
            (Sight::Nothing, [false; 4]),
        ] {
            let sees = [&own, &other, &nameless, &mirrored].map(|package| sight.sees(package));
            assert_eq!(sees, seen, "{sight:?}");
            let reads = |package: &Package| {
                package.name.as_ref().is_none_or(|name| {
                    sight.reads(package.id, name, package.is_mirrored()) == sight.sees(package)
                })
            };
            assert!([&own, &other, &nameless, &mirrored].into_iter().all(reads), "{sight:?}");
        }
    }

    #[test]
    fn a_part_of_many() {
        let id = |number: u128| PackageId::from(Uuid::from_u128(number));
        let of = |number| Readable {
            package_id: id(number),
            name: None,
            followed: None,
            is_restricted: number % 3 == 0,
        };
        for count in [0, 1, 63, 64, 65, 1000] {
            let all = Arc::new(Readables::new((0..count).rev().map(of).collect()));
            let part = Part::new(all, |readable| readable.is_restricted);
            for number in 0..count + 2 {
                assert_eq!(part.has(id(number)), number < count && number % 3 == 0, "{number} of {count}");
            }
        }
    }
}
