//! The life of a pod: its containers start in turn, run, are started again as the pod's policy says, and end with it.

use std::{io, process::ExitStatus, sync::Arc, time::Duration};

use futures::future::join_all;
use rustix::process::Signal;
use serde_json::Value;
use tokio::{process::Child, time::Instant};

use super::{
    Local, Running, folders, jupyter,
    launch::{self, Launch, variable},
    log::Log,
    loopback,
    plan::{self, Plan},
    probe::Probe,
    process::{self, Group, Record},
    report::{List, Report},
    sshd,
    stop::Stop,
};
use crate::{
    controllers::kubelet,
    store::{Key, Object},
    value,
};

/// The longest pause between two runs of a container, and how long one runs before the pauses are short again.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const GOOD_RUN: Duration = Duration::from_mins(10);
/// A program's last output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A shell's code for a program that is not there.
const NOT_FOUND: i32 = 127;
/// The code where a program cannot be started at all.
const NOT_STARTED: i32 = 128;

/// When an ended container runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Always,
    OnFailure,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The pod ends.
    Stopped,
    Exited {
        code: i32,
        was_ready: bool,
    },
}

#[derive(Debug)]
enum Prepared {
    /// Nothing runs, for this reason.
    Page(String),
    Process(Launch),
}

/// Why a container cannot be started now.
#[derive(Debug)]
struct Refusal {
    reason: &'static str,
    message: String,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { reason: "CreateContainerError", message: error.to_string() }
    }
}

struct Worker {
    local: Arc<Local>,
    key: Key,
    pod: Object,
    uid: String,
    stop: Stop,
    report: Report,
}

/// Runs the pod until its containers have ended for good, or it is to stop. A deleted pod goes when all its processes have ended.
pub async fn run(local: Arc<Local>, key: Key, pod: Object, stop: Stop) {
    let report = Report::new(&local, &key, &pod);
    let worker = Worker { local, key, uid: value::uid(&pod).to_owned(), pod, stop, report };
    let ended = if value::is_terminating(&worker.pod) { None } else { worker.live().await };
    match ended {
        Some(is_good) => worker.report.over(if is_good { "Succeeded" } else { "Failed" }),
        // It goes on at the next start.
        None if worker.stop.is_shutdown() => {}
        None => worker.remove(),
    }
    let Worker { local, key, uid, .. } = worker;
    local.pods().remove(&uid);
    // It may have been deleted in the meantime.
    if let Some(pod) = local.pod(&key, &uid).filter(|pod| value::is_terminating(pod)) {
        local.see(&key, &pod);
    }
}

impl Worker {
    /// Whether all containers ended well; `None` if the pod is to stop first.
    async fn live(&self) -> Option<bool> {
        let (initial, main) = (value::items(&self.pod, "/spec/initContainers"), value::items(&self.pod, "/spec/containers"));
        self.report.write();
        for container in initial.iter().chain(main) {
            self.report.say("Pulling", format!("Pulling image {:?}", value::text(container, "/image")));
        }
        let policy = match value::text(&self.pod, "/spec/restartPolicy") {
            "Never" => Policy::Never,
            "OnFailure" => Policy::OnFailure,
            _ => Policy::Always,
        };
        for container in initial {
            let policy = if policy == Policy::Never { Policy::Never } else { Policy::OnFailure };
            if self.supervise(container, policy, List::Initial).await? != 0 {
                return Some(false);
            }
        }
        let codes = join_all(main.iter().map(|container| self.supervise(container, policy, List::Main))).await;
        let codes: Vec<i32> = codes.into_iter().collect::<Option<_>>()?;
        Some(codes.iter().all(|code| *code == 0))
    }

    /// Runs a container again and again; its last code when it has ended for good, `None` if the pod is to stop.
    async fn supervise(&self, container: &Value, policy: Policy, list: List) -> Option<i32> {
        let name = value::text(container, "/name");
        let mut pause = self.local.pace.retry;
        loop {
            let begun = Instant::now();
            let end = match self.start(container, list).await? {
                Ok(end) => end,
                Err(Refusal { reason, message }) => {
                    self.report.say("Failed", format!("Error: {message}"));
                    self.report.waits(name, reason, &message);
                    self.pause(&mut pause).await?;
                    continue;
                }
            };
            let End::Exited { code, was_ready } = end else { return None };
            if code == NOT_FOUND && !was_ready && policy == Policy::Always {
                match self.log(name) {
                    Ok(log) => self.page(name, &log, "its command names a program that is not installed on this machine").await,
                    Err(_) => {
                        self.stop.asked().await;
                    }
                }
                return None;
            }
            if policy == Policy::Never || policy == Policy::OnFailure && code == 0 {
                return Some(code);
            }
            if begun.elapsed() > GOOD_RUN {
                pause = self.local.pace.retry;
            }
            let message = format!("back-off {}s restarting failed container={name} pod={}", pause.as_secs(), value::name(&self.pod));
            self.report.again(name, "CrashLoopBackOff", &message);
            self.report.say("BackOff", format!("Back-off restarting failed container {name} in pod {}", value::name(&self.pod)));
            self.pause(&mut pause).await?;
        }
    }

    /// One run of a container, from its preparation to its end; `None` if the pod is to stop before it has begun.
    async fn start(&self, container: &Value, list: List) -> Option<Result<End, Refusal>> {
        let name = value::text(container, "/name");
        let log = match self.log(name) {
            Ok(log) => log,
            Err(error) => return Some(Err(error.into())),
        };
        let prepared = tokio::select! {
            prepared = self.prepare(container, &log) => prepared,
            _ = self.stop.asked() => return None,
        };
        Some(match prepared {
            Ok(Prepared::Process(launch)) => Ok(self.process(container, launch, &log).await),
            // What only prepares a simulation is left out.
            Ok(Prepared::Page(why)) if list == List::Initial => {
                log.say(&format!("this container is left out: {why}"));
                self.report.ended(name, 0);
                Ok(End::Exited { code: 0, was_ready: false })
            }
            Ok(Prepared::Page(why)) => {
                self.page(name, &log, &why).await;
                Ok(End::Stopped)
            }
            Err(refusal) => {
                log.say(&refusal.message);
                Err(refusal)
            }
        })
    }

    /// The log of the container's run.
    fn log(&self, name: &str) -> io::Result<Log> {
        Log::open(&self.local.folders.log(&self.uid, name, self.report.run(name)))
    }

    /// Waits, the next time longer; `None` if the pod is to stop.
    async fn pause(&self, pause: &mut Duration) -> Option<()> {
        let now = *pause;
        *pause = (now * 2).min(LONGEST_PAUSE);
        tokio::select! {
            () = tokio::time::sleep(now) => Some(()),
            _ = self.stop.asked() => None,
        }
    }

    /// Finds out what the container runs, and brings what that needs.
    async fn prepare(&self, container: &Value, log: &Log) -> Result<Prepared, Refusal> {
        let (local, name) = (&self.local, value::text(container, "/name"));
        let home = local.folders.home(&self.pod, container);
        folders::make(&home.folder)?;
        let ports = launch::choose_ports(container)?;
        let mark = launch::mark(&self.uid, name);
        let mut variables = launch::variables(&local.place(&self.pod), &mark, name, &home, &ports);
        let words = launch::words(container, &variables, &home);
        let path = variable(&variables, "PATH").unwrap_or_default();
        let (program, arguments) = match plan::of(container, &words, path, &home.folder) {
            Plan::Page(why) => return Ok(Prepared::Page(why)),
            Plan::Command(program, rest) => {
                for (declared, chosen) in &ports {
                    log.say(&format!("port {declared} is {chosen} on this machine, as the variables PORT and PORT_{declared} say"));
                }
                let rest = loopback::arguments(&program, rest);
                (program, rest)
            }
            Plan::Sshd(program) => {
                let folder = local.folders.pod(&self.uid).join("ssh").join(name);
                let port = ports.first().map_or(0, |(_, chosen)| *chosen);
                let arguments = sshd::prepare(&folder, &home, port, &variables).await?;
                variables.retain(|(name, _)| name != sshd::KEYS_FILE);
                variables.push((sshd::KEYS_FILE.to_owned(), sshd::keys_file(&folder).display().to_string()));
                (program, arguments)
            }
            Plan::Jupyter => {
                let say = |text: &str| self.report.say("Pulling", text.to_owned());
                let refused = |message| Refusal { reason: "ImagePullBackOff", message };
                let python = local.jupyter.python(log, say).await.map_err(refused)?;
                jupyter::prepare(&python, &home, &mut variables);
                let arguments = jupyter::arguments(container, &home, &ports, local.hosts.of(&self.pod).as_deref());
                (python, arguments)
            }
        };
        Ok(Prepared::Process(Launch { program, arguments, variables, folder: home.folder, ports }))
    }

    /// The page of a simulated lab answers in the container's place, until the pod is to stop.
    async fn page(&self, name: &str, log: &Log, why: &str) {
        log.say(&format!("nothing runs here: {why}"));
        log.say("the page of a simulated lab answers in its place");
        self.say_started(name);
        self.local.set_running(&self.uid, name, Some(Running::Page));
        self.report.runs(name, true);
        self.stop.asked().await;
        self.local.set_running(&self.uid, name, None);
        if !self.stop.is_shutdown() {
            self.report.ended(name, 0);
        }
    }

    /// Runs a process to its end.
    async fn process(&self, container: &Value, launch: Launch, log: &Log) -> End {
        let (name, launch) = (value::text(container, "/name"), Arc::new(launch));
        let mut child = match launch.command().spawn() {
            Ok(child) => child,
            Err(error) => {
                log.say(&format!("{} cannot be started: {error}", launch.program.display()));
                self.report.ended(name, NOT_STARTED);
                return End::Exited { code: NOT_STARTED, was_ready: false };
            }
        };
        let (group, mark) = (Group::of(&child), launch::mark(&self.uid, name));
        let record = Record::keep(&self.local.folders, &format!("{}_{name}", self.uid), &mark, &child);
        let output = child.stdout.take().map(|output| tokio::spawn(taken(log.clone(), output)));
        let errors = child.stderr.take().map(|errors| tokio::spawn(taken(log.clone(), errors)));
        self.say_started(name);
        self.local.set_running(&self.uid, name, Some(Running::Process(Arc::clone(&launch))));
        self.report.runs(name, false);

        let probe = Probe::of(container, &launch.ports);
        let mut is_ready = false;
        let exited = loop {
            tokio::select! {
                exited = child.wait() => break exited,
                _ = self.stop.asked() => break self.end(&mut child, &group, name).await,
                () = probe.met(), if !is_ready => {
                    is_ready = true;
                    self.report.ready(name);
                }
            }
        };
        self.local.set_running(&self.uid, name, None);
        group.end();
        process::sweep(&mark).await;
        for written in [output, errors].into_iter().flatten() {
            let _ = tokio::time::timeout(LAST_WORDS, written).await;
        }
        match record {
            Ok(record) => record.forget(),
            Err(error) => tracing::warn!(%error, "a process of a lab could not be recorded"),
        }
        let code = exited.map_or(-1, process::code);
        let is_asked = self.stop.is_asked();
        // Stopped with the simulator, it goes on at the next start.
        if !self.stop.is_shutdown() {
            self.report.ended(name, code);
        }
        if is_asked { End::Stopped } else { End::Exited { code, was_ready: is_ready } }
    }

    /// Asks the process to end, and kills it if it takes too long.
    async fn end(&self, child: &mut Child, group: &Group, name: &str) -> io::Result<ExitStatus> {
        let grace = self.stop.asked().await;
        if !self.stop.is_shutdown() {
            self.report.say("Killing", format!("Stopping container {name}"));
        }
        group.signal(Signal::TERM);
        tokio::select! {
            exited = child.wait() => return exited,
            () = tokio::time::sleep(grace) => {}
            () = self.stop.forced() => {}
        }
        group.signal(Signal::KILL);
        child.wait().await
    }

    fn say_started(&self, name: &str) {
        self.report.say("Created", format!("Created container: {name}"));
        self.report.say("Started", format!("Started container {name}"));
    }

    /// The pod goes, with what is kept of it besides its volume.
    fn remove(&self) {
        let mut txn = self.local.store.write();
        if let Some(pod) = txn.get(&self.key).filter(|pod| value::uid(pod) == self.uid) {
            kubelet::stop(&mut txn, &self.key, &pod);
        }
        drop(txn);
        folders::remove(&self.local.folders.pod(&self.uid));
    }
}

async fn taken(log: Log, output: impl tokio::io::AsyncRead + Unpin) {
    log.take(output).await;
}
