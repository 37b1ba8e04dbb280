//! The names in an archive: whether they can all be unpacked, on every machine, below one folder.

use super::{ArchiveProblem, ENTRIES_MAX, MANIFEST, NAMES_MAX_BYTES, PATH_MAX_BYTES};
use std::collections::HashMap;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
}

/// All names of an archive, as a tree: so the work grows with their length, however deep they are.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// By folder and name in lower case; the top is the folder `None`.
    by_name: HashMap<(Option<usize>, String), usize>,
    links: Vec<Link>,
    entries: usize,
    names_bytes: usize,
}

#[derive(Debug)]
struct Node {
    folder: Option<usize>,
    name: String,
    kind: Kind,
}

#[derive(Debug)]
struct Link {
    path: String,
    target: String,
}

/// Cuts a name into its parts; `None` is the top itself. Refuses what leads elsewhere, or no program would write.
pub(super) fn parts(name: &str) -> Result<Option<Vec<&str>>, ArchiveProblem> {
    let shown = || shortened(name);
    if name.contains('\\') {
        let leaves = name.starts_with('\\') || name.split(['\\', '/']).any(|part| part == "..");
        return Err(if leaves {
            ArchiveProblem::Outside(shown())
        } else {
            ArchiveProblem::Backslash(shown())
        });
    }
    let has_drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with('/') || has_drive || name.split('/').any(|part| part == "..") {
        return Err(ArchiveProblem::Outside(shown()));
    }
    if name.len() > PATH_MAX_BYTES || name.is_empty() || name.chars().any(char::is_control) {
        return Err(ArchiveProblem::Name(shown()));
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok((!parts.is_empty()).then_some(parts))
}

/// Enough of a name to recognise it in a sentence.
pub(super) fn shortened(name: &str) -> String {
    let shown: String = name.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.len() < name.len() { format!("{shown}…") } else { shown }
}

impl Tree {
    /// Adds an entry; it must fit beside all others.
    pub(super) fn add(&mut self, parts: &[&str], kind: Kind) -> Result<(), ArchiveProblem> {
        self.entries += 1;
        self.names_bytes += parts.iter().map(|part| part.len() + 1).sum::<usize>();
        if self.entries > ENTRIES_MAX || self.names_bytes > NAMES_MAX_BYTES {
            return Err(ArchiveProblem::TooManyEntries);
        }
        let mut folder = None;
        for (at, part) in parts.iter().enumerate() {
            let kind = if at + 1 == parts.len() { kind } else { Kind::Folder };
            folder = Some(self.child(folder, part, kind)?);
        }
        Ok(())
    }

    /// Notes where a symbolic link leads, which is looked at when all names are known.
    pub(super) fn link(&mut self, parts: &[&str], target: &str) -> Result<(), ArchiveProblem> {
        self.names_bytes += target.len();
        if self.names_bytes > NAMES_MAX_BYTES {
            return Err(ArchiveProblem::TooManyEntries);
        }
        self.links.push(Link { path: parts.join("/"), target: target.to_owned() });
        Ok(())
    }

    fn child(&mut self, folder: Option<usize>, name: &str, kind: Kind) -> Result<usize, ArchiveProblem> {
        let key = (folder, name.to_lowercase());
        let Some(&known) = self.by_name.get(&key) else {
            self.nodes.push(Node { folder, name: name.to_owned(), kind });
            self.by_name.insert(key, self.nodes.len() - 1);
            return Ok(self.nodes.len() - 1);
        };
        let node = &self.nodes[known];
        if node.name != name {
            let other = Node { folder, name: name.to_owned(), kind };
            return Err(ArchiveProblem::CaseTwins(self.path(node), self.path(&other)));
        }
        if (node.kind, kind) != (Kind::Folder, Kind::Folder) {
            return Err(ArchiveProblem::Twice(format!("“{}”", self.path(node))));
        }
        Ok(known)
    }

    fn path(&self, node: &Node) -> String {
        let (mut parts, mut folder) = (vec![node.name.as_str()], node.folder);
        while let Some(at) = folder {
            parts.push(&self.nodes[at].name);
            folder = self.nodes[at].folder;
        }
        parts.reverse();
        shortened(&parts.join("/"))
    }

    /// How many entries were added.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// The one folder in which everything is, if so: Composer strips it, and disregards `.DS_Store` beside it.
    pub(super) fn top(&self) -> Option<&str> {
        let mut at_top = self.nodes.iter().filter(|node| node.folder.is_none() && node.name != ".DS_Store");
        match (at_top.next(), at_top.next()) {
            (Some(Node { name, kind: Kind::Folder, .. }), None) => Some(name),
            _ => None,
        }
    }

    /// Where composer.json has to be.
    pub(super) fn manifest_path(&self) -> String {
        self.top().map_or_else(|| MANIFEST.to_owned(), |top| format!("{top}/{MANIFEST}"))
    }

    /// Why there is no composer.json where it has to be: the least deep one tells where it is.
    pub(super) fn why_no_manifest(&self) -> ArchiveProblem {
        let elsewhere = self.nodes.iter().filter(|node| node.kind == Kind::File && node.name == MANIFEST);
        let folders = elsewhere.filter_map(|node| Some(self.path(&self.nodes[node.folder?])));
        let Some(folder) = folders.min_by_key(|folder| folder.matches('/').count()) else {
            return ArchiveProblem::NoManifest;
        };
        let beside = self.nodes.iter().find(|node| node.folder.is_none() && node.name != folder);
        match beside {
            Some(beside) if !folder.contains('/') => {
                ArchiveProblem::ManifestBeside { folder, beside: shortened(&beside.name) }
            }
            _ => ArchiveProblem::ManifestBelow(folder),
        }
    }

    /// Links stay in the package: each climbs no higher than its top, and only before it descends. Nothing lies below a link, so what
    /// it descends through is a folder or another link of which the same is true.
    pub(super) fn check_links(&self) -> Result<(), ArchiveProblem> {
        let outside = usize::from(self.top().is_some());
        for Link { path, target } in &self.links {
            let mut above = path.split('/').count() - 1;
            let mut has_descended = false;
            let is_rooted =
                target.is_empty() || target.starts_with(['/', '\\']) || target.contains(['\\', ':', '\0']);
            let leaves = target.split('/').any(|part| match part {
                "" | "." => false,
                ".." if has_descended || above <= outside => true,
                ".." => {
                    above -= 1;
                    false
                }
                _ => {
                    has_descended = true;
                    false
                }
            });
            if is_rooted || leaves {
                let (link, target) = (shortened(path), shortened(target));
                return Err(ArchiveProblem::LinkOutside { link, target });
            }
        }
        Ok(())
    }
}
