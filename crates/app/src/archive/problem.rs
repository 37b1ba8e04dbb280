//! Why an archive is refused.

use std::io::{self, ErrorKind};

/// Why an archive is refused. `Display` is a sentence for whoever brought it, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveProblem {
    /// No bytes.
    #[error("The file is empty. Choose the archive once more.")]
    Empty,
    /// More than [`LARGEST_BYTES`](super::LARGEST_BYTES).
    #[error(
        "The archive is larger than {} MiB, which is the most that Stave takes. Leave out what nobody needs to use the package.",
        super::LARGEST_BYTES >> 20
    )]
    TooLarge,
    /// What servers send instead of a file.
    #[error(
        "This is a web page and no archive: whoever sent it wanted somebody to log in, or has no such file. Look at it in a browser."
    )]
    WebPage,
    /// Another kind of file; which.
    #[error("This is {0}, which Stave does not take. Pack the package as .zip, .tar, .tar.gz or .tar.bz2.")]
    OtherKind(&'static str),
    /// It stops in the middle.
    #[error("The archive is not complete: its end is missing. Pack or upload it once more.")]
    Truncated,
    /// Something in it is not as it has to be; where.
    #[error("The archive is damaged{}. Pack it once more.", at(.0))]
    Damaged(String),
    /// A way of compression that not every program knows; of which file.
    #[error(
        "“{0}” is compressed in a way that not every program can unpack. Pack the archive with the usual one (deflate)."
    )]
    Compression(String),
    /// With a password.
    #[error("“{0}” is encrypted, so nobody could install it. Pack the archive without a password.")]
    Encrypted(String),
    /// Little that becomes very much.
    #[error(
        "The archive would become far larger than it is, as archives do that are made to fill disks. At most 2 GiB may come out of one, \
         and above 50 MiB at most a hundred times its size."
    )]
    Bomb,
    /// More files than any package has.
    #[error(
        "More than {} files are in the archive, or their names are very long. Leave out what nobody needs.",
        super::ENTRIES_MAX
    )]
    TooManyEntries,
    /// A name that leads out of the folder it is unpacked to.
    #[error(
        "“{0}” would be written outside of the package. Pack the archive from within the folder of the package."
    )]
    Outside(String),
    /// A name that only Windows takes for a path.
    #[error(
        "The name “{0}” has a backslash in it, which is no separator everywhere. Pack the archive with a program that writes “/”."
    )]
    Backslash(String),
    /// A name that cannot be a file's.
    #[error("The name “{0}” cannot be used for a file. Rename it, then pack the archive once more.")]
    Name(String),
    /// A symbolic link to somewhere else.
    #[error("The link “{link}” leads to “{target}”, which is not in the package. Put a file in its place.")]
    LinkOutside {
        /// Where it is.
        link: String,
        /// Where it leads.
        target: String,
    },
    /// A device, a pipe, a hard link.
    #[error(
        "“{0}” is neither a file nor a folder nor a symbolic link. Pack the archive without it; for hard links, with --hard-dereference."
    )]
    Special(String),
    /// Two names that are one on other machines.
    #[error(
        "“{0}” and “{1}” differ only in upper and lower case, which on macOS and Windows are one file. Rename one of them."
    )]
    CaseTwins(String, String),
    /// One name for two things.
    #[error("{0} is in the archive twice, so nobody knows which one counts. Pack it once more.")]
    Twice(String),
    /// Nothing in it.
    #[error("There is nothing in the archive. Pack the folder of the package.")]
    Nothing,
    /// No composer.json anywhere.
    #[error(
        "There is no composer.json in the archive. Put the package's composer.json at its top and pack it once more."
    )]
    NoManifest,
    /// One that is too deep.
    #[error("composer.json is in {0}/, not at the top. Pack the archive from within that folder.")]
    ManifestBelow(String),
    /// One in a folder that has company.
    #[error(
        "composer.json is in {folder}/, not at the top: beside that folder there is “{beside}”, so Composer would not take the folder for \
         the package. Pack the archive without it."
    )]
    ManifestBeside {
        /// Where it is.
        folder: String,
        /// What else is at the top.
        beside: String,
    },
    /// The machine, not the archive.
    #[error(
        "The disk of the server is full or broken, so the archive could not be kept. Nothing was changed; tell whoever runs the server."
    )]
    Disk(#[source] io::Error),
}

/// Where, if that is known.
fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" at “{place}”") }
}

impl ArchiveProblem {
    /// Whether the machine is to blame and not the archive.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Disk(_))
    }

    /// The problem of whoever writes.
    pub(super) fn writing(error: io::Error) -> Self {
        Self::Disk(error)
    }

    /// The same, where that is not known, with the place at which it was met.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Damaged(_) => Self::Damaged(place.to_owned()),
            other => other,
        }
    }
}

/// Who reads compressed bytes tells by the kind whether the bytes are wrong or the disk is.
impl From<io::Error> for ArchiveProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::FileTooLarge => Self::Bomb,
            ErrorKind::UnexpectedEof => Self::Truncated,
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                Self::Damaged(String::new())
            }
            _ => Self::Disk(error),
        }
    }
}
