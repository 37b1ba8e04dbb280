//! One conversation with a git server: which references there are, then the objects that are missing here.
//!
//! This is gix's protocol with two things of our own: references are kept as a [`Snapshot`], and a pack is on disk,
//! synced, before a reference needs it.

use crate::{
    Fetched, GitError, Mirror, Remote,
    error::{is_disk_full, one_line},
    http,
    meter::Meter,
    reference::Snapshot,
    ssh,
};
use gix::{
    negotiate::{Algorithm, Negotiator},
    odb::{pack, store::RefreshMode},
    progress::Discard,
    protocol::{
        self, Handshake,
        fetch::{Arguments, RefMap, Response, Shallow, Tags, negotiate, refmap},
        transport::{Service, client::blocking_io::Transport},
    },
    refspec::parse::Operation,
};
use std::{fs, io, path::Path, rc::Rc, sync::atomic::AtomicBool};

/// One object may not need more memory than this: a pack can claim any size.
const OBJECT_MAX_BYTES: usize = 1 << 30;

/// Why the other side is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// To have what it has.
    Receive,
    /// To know whether it has something else.
    Compare,
}

/// Fetches into the mirror as it is. If this fails, its references are as before.
pub(crate) fn run(mirror: &Mirror, remote: &Remote<'_>, meter: &Rc<Meter<'_>>) -> Result<Fetched, GitError> {
    let found = ask(mirror, remote, meter, Aim::Receive)?;
    if let Some(found) = &found {
        found.write(mirror.path()).map_err(GitError::disk("write the references of a mirror"))?;
    }
    Ok(Fetched { changed: found.is_some() })
}

/// Whether there are other references than in the mirror, which stays as it is.
pub(crate) fn differs(mirror: &Mirror, remote: &Remote<'_>, meter: &Rc<Meter<'_>>) -> Result<bool, GitError> {
    Ok(ask(mirror, remote, meter, Aim::Compare)?.is_some())
}

fn ask(
    mirror: &Mirror,
    remote: &Remote<'_>,
    meter: &Rc<Meter<'_>>,
    aim: Aim,
) -> Result<Option<Snapshot>, GitError> {
    let known = Snapshot::read(mirror.path())?;
    if remote.url.is_ssh() {
        let (session, transport) = ssh::Session::start(remote, meter, mirror.path())?;
        converse(mirror, transport, &known, meter, aim)
            .map_err(|error| explain(&error, meter, Some(&session)))
    } else {
        let transport = http::transport(remote, meter.clone())?;
        converse(mirror, transport, &known, meter, aim).map_err(|error| explain(&error, meter, None))
    }
}

/// Returns the references of the other side, with [`Aim::Receive`] once all their objects are here; `None` if they are the known
/// ones.
fn converse(
    mirror: &Mirror,
    mut transport: impl Transport,
    known: &Snapshot,
    meter: &Meter<'_>,
    aim: Aim,
) -> gix::Result<Option<Snapshot>> {
    let mut handshake =
        protocol::handshake(&mut transport, Service::UploadPack, |_| Ok(None), Vec::new(), &mut Discard)?;
    let wanted = refmap::init::Context { fetch_refspecs: wanted()?, extra_refspecs: Vec::new() };
    let offer = handshake.prepare_lsrefs_or_extract_refmap(agent(), true, wanted)?.fetch_blocking(
        Discard,
        &mut transport,
        false,
    )?;
    let found = Snapshot::of(&offer.remote_refs);
    let is_new = found != *known;
    if is_new && !found.is_empty() && aim == Aim::Receive {
        meter.expect_pack();
        receive(mirror, &mut transport, &mut handshake, &offer, meter.cancel)?;
    }
    // Good manners only: everything is here.
    let _other_side_may_be_gone = protocol::indicate_end_of_interaction(&mut transport, false);
    Ok(is_new.then_some(found))
}

fn wanted() -> gix::Result<Vec<gix::refspec::RefSpec>> {
    let specs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "HEAD"];
    specs.iter().map(|spec| Ok(gix::refspec::parse((*spec).into(), Operation::Fetch)?.to_owned())).collect()
}

fn agent() -> protocol::command::Feature {
    ("agent", Some(concat!("git/stave-", env!("CARGO_PKG_VERSION")).to_owned()))
}

/// Receives the objects that are missing, as one pack.
fn receive(
    mirror: &Mirror,
    transport: &mut impl Transport,
    handshake: &mut Handshake,
    offer: &RefMap,
    cancel: &AtomicBool,
) -> gix::Result<()> {
    let mut local = mirror.repository.clone();
    // Asking for objects that are not here must not make gix look at the disk each time.
    local.objects.refresh = RefreshMode::Never;
    local.objects.unset_object_cache();
    let mut graph = local.revision_graph(None);
    let mut negotiation = Negotiation {
        local: &local,
        offer,
        graph: &mut graph,
        negotiator: Algorithm::Consecutive.into_negotiator(),
    };
    let context =
        protocol::fetch::Context { handshake, transport, user_agent: agent(), trace_packetlines: false };
    let options = protocol::fetch::Options {
        shallow_file: mirror.path().join("shallow"),
        shallow: &Shallow::NoChange,
        tags: Tags::None,
        reject_shallow_remote: true,
    };
    let store =
        |pack: &mut dyn io::BufRead, progress: &mut dyn gix::DynNestedProgress, cancel: &AtomicBool| {
            store(mirror, pack, progress, cancel)?;
            Ok(true)
        };
    protocol::fetch(&mut negotiation, store, Discard, cancel, context, options)?;
    Ok(())
}

/// Writes the pack and its index, and makes sure that they are on disk.
fn store(
    mirror: &Mirror,
    pack: &mut dyn io::BufRead,
    progress: &mut dyn gix::DynNestedProgress,
    cancel: &AtomicBool,
) -> gix::Result<()> {
    let folder = mirror.path().join("objects/pack");
    let bases = mirror.repository.objects.clone();
    let options =
        pack::bundle::write::Options { alloc_limit_bytes: Some(OBJECT_MAX_BYTES), ..Default::default() };
    let written = pack::Bundle::write_to_directory(
        pack,
        Some(&folder),
        progress,
        cancel,
        Some(bases),
        gix::hash::Kind::Sha1,
        options,
    )?;
    let sync = |path: &Path| fs::File::open(path)?.sync_all();
    for path in [&written.data_path, &written.index_path].into_iter().flatten() {
        sync(path).map_err(gix::Error::from_error)?;
    }
    sync(&folder).map_err(gix::Error::from_error)?;
    if let Some(keep) = written.keep_path {
        fs::remove_file(keep).map_err(gix::Error::from_error)?;
    }
    Ok(())
}

/// Finds out with the other side what both have, by gix's own means.
struct Negotiation<'a, 'b, 'c> {
    local: &'a gix::Repository,
    offer: &'a RefMap,
    graph: &'a mut gix::negotiate::Graph<'b, 'c>,
    negotiator: Box<dyn Negotiator>,
}

impl protocol::fetch::Negotiate for Negotiation<'_, '_, '_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<negotiate::Action> {
        negotiate::mark_complete_and_common_ref(
            &self.local.objects,
            &self.local.refs,
            || Ok(std::iter::empty::<(gix::refs::file::Store, gix::OdbHandle)>()),
            &mut *self.negotiator,
            self.graph,
            self.offer,
            &Shallow::NoChange,
            |_| false,
        )
    }

    fn add_wants(&mut self, arguments: &mut Arguments, known: &[bool]) -> bool {
        negotiate::add_wants(&self.local.objects, arguments, self.offer, known, &Shallow::NoChange, |_| false)
    }

    fn one_round(
        &mut self,
        state: &mut negotiate::one_round::State,
        arguments: &mut Arguments,
        previous: Option<&Response>,
    ) -> gix::Result<(negotiate::Round, bool)> {
        negotiate::one_round(&mut *self.negotiator, self.graph, state, arguments, previous)
    }
}

/// The real reason: what the transport remembers, then what `ssh` said, then what gix makes of it.
fn explain(error: &gix::Error, meter: &Meter<'_>, session: Option<&ssh::Session<'_>>) -> GitError {
    if let Some(failure) = meter.take_failure() {
        return failure;
    }
    if meter.is_cancelled() {
        return GitError::Cancelled;
    }
    let on_disk = error.downcast_any_ref::<io::Error>().map(io::Error::kind);
    if let Some(kind) = on_disk.filter(|kind| is_disk_full(*kind)) {
        return GitError::Disk { doing: "store a repository", source: kind.into() };
    }
    if let Some(said) = session.and_then(ssh::Session::explain) {
        return said;
    }
    GitError::Protocol { host: meter.host.clone(), reason: one_line(error) }
}
