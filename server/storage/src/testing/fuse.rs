//! A process that dies, or a step that fails, at a chosen place: every commit and every call to the outside is a step that asks
//! the fuse first. A script that is run once without a fault says which steps there are; run again for each of them, with each
//! fault, it shows that none of them loses or doubles anything.

use std::{
    fmt,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before it is done.
    CrashBefore,
    /// It is done, and the process dies before it hears so.
    CrashAfter,
    /// It is not done, and the process lives on.
    Fail,
    /// It is done and its answer is lost; the process lives on.
    AnswerLost,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::CrashBefore, Self::CrashAfter, Self::Fail, Self::AnswerLost];
}

/// Where a step is in the code, or its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A transaction that began here: path as the compiler knows it, and line.
    Commit(&'static str, u32),
    /// A call to the cluster.
    Call(&'static str),
}

impl Step {
    pub(crate) fn of(begun: &'static Location<'static>) -> Self {
        Self::Commit(begun.file(), begun.line())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(file, line) => write!(f, "commit of {file}:{line}"),
            Self::Call(name) => write!(f, "call of {name}"),
        }
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// Nothing is done, and it is an error.
    Refused,
    /// It is done, and it is an error all the same.
    Unheard,
}

/// Shared by all that a process does.
#[derive(Debug, Clone, Default)]
pub struct Fuse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    plan: Option<(usize, Fault)>,
    dead: bool,
    blown: bool,
    steps: Vec<Step>,
}

impl Fuse {
    /// From now on the steps are counted from 0, and this happens at one of them.
    pub fn arm(&self, plan: Option<(usize, Fault)>) {
        *self.state() = State { plan, ..State::default() };
    }
    /// Whether the fault has happened.
    pub fn blown(&self) -> bool {
        self.state().blown
    }
    /// Whether the process is dead: nothing that it tries is done any more.
    pub fn dead(&self) -> bool {
        self.state().dead
    }
    /// Another process takes its place.
    pub fn revive(&self) {
        self.state().dead = false;
    }
    /// Those that were taken since the fuse was armed.
    pub fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    /// Asked before each step.
    pub fn step(&self, step: Step) -> Verdict {
        let mut state = self.state();
        if state.dead {
            return Verdict::Refused;
        }
        let at = state.steps.len();
        state.steps.push(step);
        let Some((_, fault)) = state.plan.filter(|(planned, _)| *planned == at) else { return Verdict::Go };
        state.blown = true;
        state.dead = matches!(fault, Fault::CrashBefore | Fault::CrashAfter);
        match fault {
            Fault::CrashBefore | Fault::Fail => Verdict::Refused,
            Fault::CrashAfter | Fault::AnswerLost => Verdict::Unheard,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
