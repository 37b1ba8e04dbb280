//! Servers as operators run them: processes of their own, on a core of their own.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The core of the server that is measured, and that of whoever asks.
pub(crate) const SERVER_CORE: &str = "0";
pub(crate) const CLIENT_CORE: &str = "1";
/// What the kernel counts processor time in, a second (`getconf CLK_TCK`): so it is on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// A server that is stopped when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
    /// From the start to the first connection.
    pub(crate) ready_after: Duration,
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).unwrap().port()
}

/// A command that runs on one core only, if the machine lets that be said.
pub(crate) fn pinned(core: &str, program: &str) -> Command {
    if Command::new("taskset").arg("-V").output().is_ok() {
        let mut command = Command::new("taskset");
        command.args(["-c", core, program]);
        return command;
    }
    Command::new(program)
}

impl Process {
    /// The Stave of this build, with the preset configuration, except that it may ask servers on this machine.
    pub(crate) fn stave(data: &Path, port: u16) -> Self {
        let mut command = pinned(SERVER_CORE, env!("CARGO_BIN_EXE_stave"));
        for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("STAVE_")) {
            command.env_remove(variable);
        }
        let log = File::create(data.join("log")).unwrap();
        command.arg("serve").arg("--data").arg(data).args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--outbound-allow", "127.0.0.0/8"]);
        Self::start(command.stdout(Stdio::null()).stderr(log), port)
    }

    /// nginx with this configuration, in one process.
    pub(crate) fn nginx(conf: &Path, port: u16) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = pinned(SERVER_CORE, "nginx");
        command.env("PATH", format!("{path}:/usr/sbin")).args(["-e", "stderr", "-c"]).arg(conf);
        Self::start(&mut command, port)
    }

    fn start(command: &mut Command, port: u16) -> Self {
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_mins(1), "{command:?} does not serve");
            sleep(Duration::from_millis(1));
        }
        Self { child, port, ready_after: began.elapsed() }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Processor time so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The second field is the name in brackets; utime and stime are the 14th and 15th (proc_pid_stat(5)).
        let fields = stat.rsplit(") ").next().unwrap();
        let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
        ticks.sum::<f64>() / TICKS_A_SECOND
    }

    /// What it has in memory now, in MiB.
    pub(crate) fn memory_mib(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most that it ever had.
    pub(crate) fn peak_mib(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}
