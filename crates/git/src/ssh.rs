//! git over ssh, below gix: one `ssh` child process that runs `git-upload-pack` on the other side.
//!
//! The child gets nothing from this machine but a key, a file of known hosts and an address that was checked:
//! no configuration file, no agent, no forwarding, no environment. (ssh(1), `ssh_config`(5); gitprotocol-pack, "SSH Transport".)

use crate::{
    Access, GitError, Remote,
    address::Guard,
    meter::{LOOK_EVERY, Meter},
};
use gix::{
    bstr::BString,
    protocol::transport::{
        Protocol,
        client::git::{ConnectMode, blocking_io::Connection},
    },
};
use stave_domain::Secret;
use std::{
    fs,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    time::{Duration, Instant},
};

/// The private key lies in the folder of the mirror while a fetch runs; [`crate::Mirror::open_or_create`] removes what a crash left.
const KEY_FILE: &str = "ssh-key.tmp";
const COMPLAINT_MAX_BYTES: u64 = 8 << 10;
/// How long to wait for `ssh` to end when the conversation broke off.
const LAST_WORDS: Duration = Duration::from_secs(2);
const PIECE_BYTES: usize = 64 << 10;

/// A running `ssh`; it is ended when this is dropped.
pub(crate) struct Session<'a> {
    meter: Rc<Meter<'a>>,
    child: Child,
    complaint: Receiver<Vec<u8>>,
    _key: KeyFile,
}

/// What gix speaks through.
pub(crate) type Transport<'a> = Connection<Output<'a>, ChildStdin>;

impl<'a> Session<'a> {
    /// Starts `ssh` for this remote; its key is kept in `folder` as long as the session lives.
    pub(crate) fn start(
        remote: &Remote<'_>,
        meter: &Rc<Meter<'a>>,
        folder: &Path,
    ) -> Result<(Self, Transport<'a>), GitError> {
        let Access::SshKey(key) = &remote.access else {
            return Err(GitError::WrongCredential(
                "Over ssh Stave needs an ssh key: choose the organization's key, or use the https:// address.",
            ));
        };
        let parsed = gix::url::parse(remote.url.as_str())
            .map_err(|_| meter.unreachable("the address is not understood"))?;
        let address = resolve(remote, meter)?;
        if let Some(folder) = meter.network.ssh_known_hosts.parent() {
            fs::create_dir_all(folder).map_err(GitError::disk("make the folder of the known ssh hosts"))?;
        }
        let key = KeyFile::write(folder, key).map_err(GitError::disk("write the ssh key"))?;
        let mut command = ssh(remote, address, &key.0, meter);
        command.arg(upload_pack(&gix::url::expand_path::for_shell(parsed.path.clone())));
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::SshMissing,
            _ => GitError::Disk { doing: "start ssh", source: error },
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(meter.unreachable("ssh did not start"));
        };
        let complaint = complaint_of(stderr);
        let output = Output { meter: meter.clone(), pieces: pump(stdout), piece: io::Cursor::default() };
        let connection = Transport::new(
            output,
            stdin,
            Protocol::V2,
            parsed.path,
            None::<(String, _)>,
            ConnectMode::Process,
            false,
        )
        .custom_url(Some(BString::from(remote.url.as_str())));
        Ok((Self { meter: meter.clone(), child, complaint, _key: key }, connection))
    }

    /// Why the conversation broke off, if `ssh` or the other side said so.
    pub(crate) fn explain(&self) -> Option<GitError> {
        let complaint = self.complaint.recv_timeout(LAST_WORDS).ok()?;
        meaning(&String::from_utf8_lossy(&complaint), &self.meter)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The private key as a file that only we may read; gone when this is dropped.
struct KeyFile(PathBuf);

impl KeyFile {
    fn write(folder: &Path, key: &Secret) -> io::Result<Self> {
        let path = folder.join(KEY_FILE);
        let file = Self(path.clone());
        file.remove();
        let mut writer = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writer.write_all(key.expose().trim_end().as_bytes())?;
        writer.write_all(b"\n")?;
        Ok(file)
    }

    fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!(%error, "an ssh key could not be removed from a mirror's folder");
        }
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The address that `ssh` will be told to connect to. The look-up runs in a thread of its own, because it may hang.
fn resolve(remote: &Remote<'_>, meter: &Meter<'_>) -> Result<IpAddr, GitError> {
    let name = without_brackets(remote.url.host()).to_owned();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let found = (name.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
        let _nobody_waits_any_more = sender.send(found);
    });
    let found = receiver.recv_timeout(meter.network.connect_timeout).map_err(|_| meter.timed_out())?;
    let found = found.map_err(|_| meter.unreachable("its name is not known"))?;
    let guard = Guard::new(meter.network.outbound.clone(), false);
    let fit = guard.choose(found).map_err(|refusal| refusal.into_error(&meter.host))?;
    fit.first().map(SocketAddr::ip).ok_or_else(|| meter.unreachable("its name is not known"))
}

/// `ssh` with everything but the remote command. The host comes after `--`, the user as the value of `-l`.
fn ssh(remote: &Remote<'_>, address: IpAddr, key: &Path, meter: &Meter<'_>) -> Command {
    let seconds = meter.network.connect_timeout.as_secs().max(1);
    let mut command = Command::new("ssh");
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("LC_ALL", "C").env("GIT_PROTOCOL", "version=2");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.args(["-F", "none", "-T", "-a", "-x"]);
    let options = [
        "BatchMode=yes".to_owned(),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
        "PreferredAuthentications=publickey".to_owned(),
        "StrictHostKeyChecking=accept-new".to_owned(),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "HashKnownHosts=no".to_owned(),
        "CheckHostIP=no".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "ControlPath=none".to_owned(),
        "LogLevel=ERROR".to_owned(),
        "SendEnv=GIT_PROTOCOL".to_owned(),
        "ServerAliveInterval=15".to_owned(),
        "ConnectionAttempts=1".to_owned(),
        format!("ConnectTimeout={seconds}"),
        format!("UserKnownHostsFile={}", quoted(&meter.network.ssh_known_hosts)),
        format!("IdentityFile={}", quoted(key)),
        // ssh connects to the address that was checked, and keeps the host's key under the host's name.
        format!("HostName={address}"),
        format!("HostKeyAlias={}", meter.host),
    ];
    for option in options {
        command.arg("-o").arg(option);
    }
    command.arg("-p").arg(remote.url.port().unwrap_or(22).to_string());
    command.arg("-l").arg(remote.url.user().unwrap_or("git"));
    command.arg("--").arg(without_brackets(remote.url.host()));
    command
}

/// An IPv6 address has brackets in a URL only.
fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// A path as a value of an option: `ssh` splits at spaces and expands percent signs.
fn quoted(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let escaped = path.to_string_lossy().replace('%', "%%").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// The remote command, for the remote shell: the path stands in single quotes.
fn upload_pack(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path).replace('\'', "'\\''").replace('!', "'\\!'");
    format!("git-upload-pack '{path}'")
}

/// The beginning of what `ssh` and the other side complain about, once they have ended.
fn complaint_of(mut stderr: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut complaint = Vec::new();
        let _what_came_will_do = stderr.by_ref().take(COMPLAINT_MAX_BYTES).read_to_end(&mut complaint);
        let _rest = io::copy(&mut stderr, &mut io::sink());
        let _nobody_asks = sender.send(complaint);
    });
    receiver
}

/// Reads in a thread of its own, so that the reader of the pieces can stop waiting.
fn pump(mut stdout: ChildStdout) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver): (SyncSender<_>, _) = sync_channel(4);
    std::thread::spawn(move || {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = stdout.read(&mut piece).map(|read| {
                piece.truncate(read);
                piece
            });
            let is_last = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

/// What the other side says, with time-outs.
pub(crate) struct Output<'a> {
    meter: Rc<Meter<'a>>,
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Output<'_> {
    fn next_piece(&self) -> io::Result<Vec<u8>> {
        let silent_since = Instant::now();
        loop {
            match self.pieces.recv_timeout(LOOK_EVERY) {
                Ok(piece) => return piece,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout)
                    if silent_since.elapsed() >= self.meter.network.idle_timeout =>
                {
                    return Err(self.meter.fail(self.meter.timed_out()));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.meter.check().map_err(|error| self.meter.fail(error))?;
                }
            }
        }
    }
}

impl Read for Output<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let piece = self.next_piece()?;
        self.meter.received(piece.len()).map_err(|error| self.meter.fail(error))?;
        self.piece = io::Cursor::new(piece);
        self.piece.read(buffer)
    }
}

/// What the complaints of `ssh`(1) and of git servers mean; `None` if there are none.
fn meaning(complaint: &str, meter: &Meter<'_>) -> Option<GitError> {
    let host = meter.host.clone();
    let lower = complaint.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let last_line = complaint.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(if says(&["host key verification failed", "identification has changed"]) {
        GitError::HostKeyChanged { host, known_hosts: meter.network.ssh_known_hosts.display().to_string() }
    } else if says(&[
        "permission denied (",
        "too many authentication failures",
        "error in libcrypto",
        "invalid format",
    ]) {
        GitError::Unauthorized { host }
    } else if says(&["timed out"]) {
        GitError::TimedOut { host }
    } else if says(&[
        "connection refused",
        "no route to host",
        "network is unreachable",
        "connection reset",
        "connection closed",
        "kex_exchange",
    ]) {
        GitError::Unreachable { host, reason: words(last_line) }
    } else if says(&[
        "not found",
        "does not appear to be a git repository",
        "does not exist",
        "not have access",
        "permission denied",
        "forbidden",
        "unauthorized",
    ]) {
        GitError::NotFound { host }
    } else {
        GitError::Protocol { host, reason: words(last_line) }
    })
}

/// A foreign line as a part of a sentence.
fn words(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_leave_their_quotes() {
        assert_eq!(upload_pack(b"acme/mailer.git"), "git-upload-pack 'acme/mailer.git'");
        assert_eq!(upload_pack(b"a'; id; '"), r"git-upload-pack 'a'\''; id; '\'''");
        assert_eq!(quoted(Path::new("/a b/100%/\"c")), r#""/a b/100%%/\"c""#);
    }
}
