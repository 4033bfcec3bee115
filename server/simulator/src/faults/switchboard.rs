//! The switches that are on, and how often each has struck.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{Extent, Fault, Met, Rule};

/// A rule that was switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Switch(pub u64);

/// A rule with what became of it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub switch: Switch,
    pub rule: Rule,
    pub is_on: bool,
    /// Requests that it could have struck.
    pub covered: u64,
    pub struck: u64,
}

/// All switches. The first rule that covers a request decides; rules that have ended stay listed with what they struck.
#[derive(Debug)]
pub struct Switchboard {
    switches: Mutex<Vec<Listed>>,
    met: AtomicU64,
    turned: watch::Sender<u64>,
}

impl Default for Switchboard {
    fn default() -> Self {
        Self { switches: Mutex::default(), met: AtomicU64::default(), turned: watch::Sender::new(0) }
    }
}

/// Rules that are remembered after they have ended.
const REMEMBERED: usize = 200;

impl Switchboard {
    /// Switches a fault on, within a runtime: what lasts for a time is switched off by a task.
    pub fn switch_on(self: &Arc<Self>, rule: Rule) -> Switch {
        let extent = rule.extent;
        let switch = {
            let mut switches = self.lock();
            let switch = Switch(switches.last().map_or(1, |last| last.switch.0 + 1));
            if switches.len() >= REMEMBERED {
                switches.retain(|listed| listed.is_on);
            }
            tracing::info!(fault = ?rule.fault, "the simulated cluster has a fault now");
            switches.push(Listed { switch, rule, is_on: true, covered: 0, struck: 0 });
            switch
        };
        self.turn();
        if let Extent::For(time) = extent {
            self.end_after(switch, time);
        }
        switch
    }

    fn end_after(self: &Arc<Self>, switch: Switch, time: Duration) {
        // Does not keep a cluster alive that has been stopped meanwhile.
        let board = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if let Some(board) = board.upgrade() {
                board.switch_off(switch);
            }
        });
    }

    pub fn switch_off(&self, switch: Switch) {
        self.end(|listed| listed.switch == switch);
    }

    pub fn all_off(&self) {
        self.end(|_| true);
    }

    fn end(&self, which: impl Fn(&Listed) -> bool) {
        for listed in self.lock().iter_mut().filter(|listed| which(listed)) {
            listed.is_on = false;
        }
        self.turn();
    }

    /// Everything that is on, and lately was.
    pub fn list(&self) -> Vec<Listed> {
        self.lock().clone()
    }

    /// How many requests a rule has struck so far.
    pub fn struck(&self, switch: Switch) -> u64 {
        self.lock().iter().find(|listed| listed.switch == switch).map_or(0, |listed| listed.struck)
    }

    /// Requests of all kinds that came so far, those that were struck included.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }

    /// Announces every change of a switch.
    pub fn turned(&self) -> watch::Receiver<u64> {
        self.turned.subscribe()
    }

    /// Counts a request, and gives what becomes of it.
    pub(crate) fn meet(&self, met: &Met<'_>) -> Option<Fault> {
        self.met.fetch_add(1, Ordering::Relaxed);
        self.strike(met, |_| true)
    }

    /// What becomes of a watch that runs already: only what can end it counts.
    pub(crate) fn strike_running(&self, met: &Met<'_>) -> Option<Fault> {
        self.strike(met, Fault::ends_watches)
    }

    fn strike(&self, met: &Met<'_>, may: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut switches = self.lock();
        let listed = switches.iter_mut().find(|listed| listed.is_on && may(&listed.rule.fault) && listed.rule.covers(met))?;
        listed.covered += 1;
        if !listed.covered.is_multiple_of(u64::from(listed.rule.every.get())) {
            return None;
        }
        listed.struck += 1;
        if let Extent::Requests(count) = listed.rule.extent {
            listed.is_on = listed.struck < u64::from(count);
        }
        Some(listed.rule.fault.clone())
    }

    pub fn is_away(&self) -> bool {
        self.has(|fault| *fault == Fault::Away)
    }

    pub fn has_stuck_namespaces(&self) -> bool {
        self.has(|fault| *fault == Fault::NamespacesStuck)
    }

    pub fn has_lost(&self, node: &str) -> bool {
        self.has(|fault| matches!(fault, Fault::NodeLost(lost) if lost == node))
    }

    fn has(&self, is: impl Fn(&Fault) -> bool) -> bool {
        self.lock().iter().any(|listed| listed.is_on && is(&listed.rule.fault))
    }

    fn turn(&self) {
        self.turned.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Listed>> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn met(verb: &'static str, resource: &'static str) -> Met<'static> {
        Met { verb, resource, continues: false }
    }

    #[tokio::test]
    async fn a_rule_strikes_what_it_covers_as_often_as_it_says() {
        let board = Arc::new(Switchboard::default());
        let rule = Rule::new(Fault::InternalError).on_verbs(&["patch"]).on_resources(&["pods"]).requests(2);
        let switch = board.switch_on(rule);
        assert_eq!(board.meet(&met("patch", "services")), None);
        assert_eq!(board.meet(&met("get", "pods")), None);
        assert_eq!(board.meet(&met("patch", "pods")), Some(Fault::InternalError));
        assert_eq!(board.meet(&met("patch", "pods")), Some(Fault::InternalError));
        assert_eq!(board.meet(&met("patch", "pods")), None, "that was all");
        assert_eq!((board.struck(switch), board.met()), (2, 5));
    }

    #[tokio::test]
    async fn each_third_request_is_struck_until_the_switch_is_off() {
        let board = Arc::new(Switchboard::default());
        let switch = board.switch_on(Rule::new(Fault::Unavailable).one_in(NonZeroU32::new(3).expect("three")));
        let struck: Vec<bool> = (0..7).map(|_| board.meet(&met("get", "")).is_some()).collect();
        assert_eq!(struck, [false, false, true, false, false, true, false]);
        board.switch_off(switch);
        assert!((0..7).all(|_| board.meet(&met("get", "")).is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_for_a_time_ends_by_itself_and_says_so() {
        let board = Arc::new(Switchboard::default());
        board.switch_on(Rule::new(Fault::Away).lasting(Duration::from_secs(3)));
        let mut turned = board.turned();
        assert!(board.is_away());
        turned.changed().await.expect("a turn");
        assert!(!board.is_away());
    }

    #[tokio::test]
    async fn conflicts_meet_changes_and_expiry_meets_watches_and_next_pages() {
        let board = Arc::new(Switchboard::default());
        board.switch_on(Rule::new(Fault::Conflict));
        board.switch_on(Rule::new(Fault::Expired));
        assert_eq!(board.meet(&met("create", "pods")), None);
        assert_eq!(board.meet(&met("patch", "pods")), Some(Fault::Conflict));
        assert_eq!(board.meet(&met("list", "pods")), None);
        assert_eq!(board.meet(&met("watch", "pods")), Some(Fault::Expired));
        assert_eq!(board.meet(&Met { continues: true, ..met("list", "pods") }), Some(Fault::Expired));
    }
}
