//! git over ssh, with a server of our own on loopback. Where no sshd is installed, there is nothing to test against.

use crate::{
    server::{fetch_with, network},
    source::Source,
};
use stave_domain::{Secret, outbound::Outbound, repository::SourceUrl};
use stave_git::{Access, GitError, Mirror, Network, ssh_key};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const SSHD: &str = "/usr/sbin/sshd";

struct Sshd {
    child: Child,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Sshd {
    /// Lets in whoever has the key; shows the host key that the seed makes.
    fn start(folder: &Path, port: u16, host_seed: u8, authorized: &str) -> Self {
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            file.display().to_string()
        };
        let host_key = write("host-key", ssh_key::from_seed(&[host_seed; 32], "host").private.expose());
        let keys = write("authorized-keys", authorized);
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host_key}\nAuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\n\
             PidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\n"
        );
        let config = write("sshd-config", &config);
        let child =
            Command::new(SSHD).args(["-D", "-e", "-f", &config]).stderr(Stdio::null()).spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    fn url(&self, source: &Source) -> SourceUrl {
        self.url_of(source.work().to_str().unwrap())
    }

    fn url_of(&self, path: &str) -> SourceUrl {
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap();
        format!("ssh://{}@localhost:{}{path}", user.trim(), self.port).parse().unwrap()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_key_opens_a_repository_and_a_changed_host_is_refused() {
    if !Path::new(SSHD).exists() {
        return;
    }
    // sshd, when root, insists on a folder for privilege separation.
    let _exists_or_not_root = fs::create_dir_all("/run/sshd");
    let source = Source::with_manifest("{}");
    let folder = tempfile::Builder::new().prefix("a b%").tempdir().unwrap();
    let pair = ssh_key::from_seed(&[1; 32], "stave acme");
    let network = Network { ssh_known_hosts: folder.path().join("known hosts"), ..network() };
    let server = tempfile::tempdir().unwrap();
    let sshd = Sshd::start(server.path(), free_port(), 7, &pair.public);
    let mirror_path = folder.path().join("m");
    let mut mirror = Mirror::open_or_create(&mirror_path).unwrap();
    let key = || Access::SshKey(pair.private.clone());

    assert!(fetch_with(&mut mirror, &sshd.url(&source), key(), &network).unwrap().changed);
    assert!(!fetch_with(&mut mirror, &sshd.url(&source), key(), &network).unwrap().changed);
    assert_eq!(mirror.references().unwrap().default_branch.as_deref(), Some("main"));
    assert!(!mirror_path.join("ssh-key.tmp").exists());
    let known = fs::read_to_string(&network.ssh_known_hosts).unwrap();
    assert!(known.contains("ssh-ed25519") && known.contains("localhost"), "{known}");
    source.commit(&[("a", "b")]);
    assert!(fetch_with(&mut mirror, &sshd.url(&source), key(), &network).unwrap().changed);

    let stranger = Access::SshKey(ssh_key::from_seed(&[2; 32], "x").private);
    let error = fetch_with(&mut mirror, &sshd.url(&source), stranger, &network).unwrap_err();
    assert!(matches!(error, GitError::Unauthorized { .. }), "{error:?}");
    let error = fetch_with(&mut mirror, &sshd.url_of("/nowhere/x';touch${IFS}/x.git"), key(), &network);
    assert!(error.is_err_and(|error| matches!(error, GitError::NotFound { .. })));

    let port = sshd.port;
    drop(sshd);
    let sshd = Sshd::start(server.path(), port, 8, &pair.public);
    let error = fetch_with(&mut mirror, &sshd.url(&source), key(), &network).unwrap_err();
    assert!(error.to_string().contains("has changed since Stave first saw it"), "{error:?}");
    drop(sshd);
    let gone: SourceUrl = format!("ssh://git@127.0.0.1:{port}/x").parse().unwrap();
    let error = fetch_with(&mut mirror, &gone, key(), &network).unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error:?}");
}

#[test]
fn ssh_addresses_are_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    let public_only = Network { outbound: Outbound::default(), ..network() };
    let key = || Access::SshKey(Secret::new("x"));
    for url in
        ["git@127.0.0.1:a", "git@localhost:a", "ssh://git@[::1]/a", "git@169.254.169.254:a", "git@0x7f.1:a"]
    {
        let error = fetch_with(&mut mirror, &url.parse().unwrap(), key(), &public_only).unwrap_err();
        assert!(matches!(error, GitError::Refused(_)), "{url}: {error:?}");
    }
    let error = fetch_with(&mut mirror, &"git@127.0.0.1:a".parse().unwrap(), Access::Anonymous, &network())
        .unwrap_err();
    assert!(error.to_string().contains("needs an ssh key"), "{error}");

    // A host that accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: SourceUrl =
        format!("ssh://git@127.0.0.1:{}/a", silent.local_addr().unwrap().port()).parse().unwrap();
    let impatient = Network { idle_timeout: Duration::from_millis(500), ..network() };
    let error = fetch_with(&mut mirror, &url, key(), &impatient).unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error:?}");
}
