//! Lives through the demonstration term: real use cases and real background steps, over a clock that is moved on from event to event.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    Error, Result,
    access::Role,
    ids::{LabId, OrderId},
    labs::{Lab, LabState},
    orders::{OrderForm, OrderState, OrderView},
    time::Timestamp,
};

use super::{
    chance::Chance,
    clock::TermClock,
    cluster::TermCluster,
    college::{COURSES, College},
    term::{FAULTS, Plan, Verdict, Wish},
};
use crate::{
    Caller, Services, audit,
    error::OrDomain,
    jobs::{metering, reconcile, watch},
    labs,
    orders::{self, IdempotencyKey},
    ports::{Change, Clock as _},
};

/// Rounds of background work after which it should have come to an end.
const ROUNDS: u32 = 40;
/// Hours between which managers decide.
const OFFICE: (u8, u8) = (8, 18);

#[derive(Debug, Clone, Copy)]
enum Event {
    /// Place of the plan.
    Submit(usize),
    Decide(usize, OrderId),
    /// Whatever's time is over stops.
    End,
    StopEarly(usize, LabId),
    Finish(LabId),
    Retry(usize, LabId),
    Destroy(usize, LabId),
    /// What the night does: expire, meter, seal.
    Night,
}

pub(super) struct Run<'r> {
    services: &'r Services,
    clock: Arc<TermClock>,
    cluster: Arc<TermCluster>,
    college: &'r College,
    plans: Vec<Plan>,
    chance: Chance,
    events: BTreeMap<(Timestamp, u64), Event>,
    count: u64,
    /// Orders that wait for cards, with their plan.
    queued: Vec<(usize, OrderId)>,
}

impl<'r> Run<'r> {
    pub(super) fn new(services: &'r Services, clock: Arc<TermClock>, cluster: Arc<TermCluster>, college: &'r College, plans: Vec<Plan>) -> Self {
        let (events, queued) = (BTreeMap::new(), Vec::new());
        Self { services, clock, cluster, college, plans, chance: Chance::new(20_261), events, count: 0, queued }
    }

    /// All events up to `end`; `progress` is told the clock after each.
    pub(super) async fn until(&mut self, start: Timestamp, end: Timestamp, progress: &(dyn Fn(Timestamp) + Send + Sync)) -> Result<()> {
        for at in 0..self.plans.len() {
            self.at(self.plans[at].at, Event::Submit(at));
        }
        let mut night = start.plus_minutes(23 * 60 + 30);
        while night < end {
            self.at(night, Event::Night);
            night = night.plus_minutes(24 * 60);
        }
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at >= end {
                break;
            }
            self.clock.until(at);
            self.happen(event).await?;
            progress(self.clock.now());
        }
        self.close(end).await
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    fn later(&mut self, minutes: i64, event: Event) {
        // Not on the minute.
        let at = self.clock.now().plus_minutes(minutes).plus_seconds(self.chance.between(0, 59));
        self.at(at, event);
    }

    async fn happen(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Submit(plan) => self.submit(plan).await?,
            Event::Decide(plan, order) => self.decide(plan, order).await?,
            Event::End => drop(labs::stop_ended(self.services).await?),
            Event::StopEarly(plan, lab) => drop(allowed(labs::stop(self.services, &self.owner(plan), lab).await)?),
            Event::Finish(lab) => {
                self.cluster.finish(lab);
                watch::take(self.services, &[Change::Lab(lab)]).await?;
            }
            Event::Retry(plan, lab) => {
                drop(allowed(labs::start(self.services, &self.owner(plan), lab).await)?);
                self.settle().await?;
                self.follow(plan, lab).await?;
            }
            Event::Destroy(plan, lab) => drop(allowed(labs::destroy(self.services, &self.owner(plan), lab).await)?),
            Event::Night => {
                orders::expire(self.services).await?;
                // Usage is counted from the recorded changes; once a week gives the same as every ten seconds.
                if self.clock.now().seconds() / 86_400 % 7 == 0 {
                    metering::run(self.services).await?;
                }
                audit::seal(self.services).await?;
                return Ok(());
            }
        }
        self.settle().await?;
        self.promoted().await
    }

    /// Does all background work that is due.
    async fn settle(&self) -> Result<()> {
        for _ in 0..ROUNDS {
            if reconcile::due(self.services).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn owner(&self, plan: usize) -> Caller {
        let plan = &self.plans[plan];
        let course = &self.college.courses[plan.course];
        let teachers: Vec<_> = self.college.people.iter().filter(|person| person.actor.courses.contains(&course.id)).collect();
        let at = usize::try_from(plan.teacher).unwrap_or(0) % teachers.len().max(1);
        teachers.get(at).copied().unwrap_or(&self.college.people[0]).clone()
    }

    fn managers(&self) -> Vec<Caller> {
        self.college.people.iter().filter(|person| person.actor.has(Role::Manager)).cloned().collect()
    }

    async fn submit(&mut self, at: usize) -> Result<()> {
        let plan = self.plans[at].clone();
        if let (Some(fault), Wish::Slice) = (plan.fault, plan.wish) {
            let (reason, message) = FAULTS[fault];
            self.cluster.fail_next(reason, message);
        }
        let form = form(plan.course, plan.wish, plan.minutes, &plan.purpose);
        let Some(view) = self.order(&self.owner(at), &form, &format!("term-{at}")).await? else { return Ok(()) };
        let id = view.order.id;
        match view.order.state {
            OrderState::PendingApproval => {
                let moment = in_office(self.clock.now().plus_minutes(plan.decided_after));
                match plan.verdict {
                    Verdict::Leave => {}
                    Verdict::Approve | Verdict::Reject(_) | Verdict::Cancel => self.at(moment, Event::Decide(at, id)),
                }
                // Now and then somebody tries what they may not do; the record says so.
                if self.chance.percent(6) {
                    let _ = orders::approve(self.services, &self.owner(at), id, None).await;
                }
            }
            OrderState::Queued => self.queued.push((at, id)),
            _ => {
                self.settle().await?;
                for lab in view.labs {
                    self.follow(at, lab).await?;
                }
            }
        }
        Ok(())
    }

    /// `None` for an order that is refused, as some are.
    async fn order(&self, owner: &Caller, form: &OrderForm, key: &str) -> Result<Option<OrderView>> {
        allowed(orders::submit(self.services, owner, form, &IdempotencyKey::parse(key)?).await)
    }

    async fn decide(&mut self, at: usize, id: OrderId) -> Result<()> {
        let managers = self.managers();
        let manager = self.chance.of(&managers).clone();
        let view = match self.plans[at].verdict {
            Verdict::Approve => allowed(orders::approve(self.services, &manager, id, None).await)?,
            Verdict::Reject(reason) => allowed(orders::reject(self.services, &manager, id, reason, None).await)?,
            Verdict::Cancel => allowed(orders::cancel(self.services, &self.owner(at), id).await)?,
            Verdict::Leave => None,
        };
        let Some(view) = view else { return Ok(()) };
        if view.order.state == OrderState::Queued {
            self.queued.push((at, id));
        }
        self.settle().await?;
        for lab in view.labs {
            self.follow(at, lab).await?;
        }
        Ok(())
    }

    /// Orders whose turn came have labs now.
    async fn promoted(&mut self) -> Result<()> {
        for (at, id) in std::mem::take(&mut self.queued) {
            let view = orders::get(self.services, &self.owner(at), id).await?;
            if view.order.state == OrderState::Queued {
                self.queued.push((at, id));
                continue;
            }
            for lab in view.labs {
                self.follow(at, lab).await?;
            }
        }
        Ok(())
    }

    /// What happens to a lab next, now that it runs or has failed.
    async fn follow(&mut self, at: usize, id: LabId) -> Result<()> {
        let (lab, plan) = (self.lab(id).await?, self.plans[at].clone());
        match lab.state {
            LabState::Running => {
                let end = lab.ends_at.unwrap_or_else(|| self.clock.now());
                let minutes = end.seconds_since(self.clock.now()) / 60;
                let over = match (plan.wish, plan.early) {
                    // Training ends by itself before its time is over.
                    (Wish::Training, _) => {
                        let after = minutes * self.chance.between(55, 95) / 100;
                        self.later(after, Event::Finish(id));
                        after
                    }
                    (_, Some(early)) if early < minutes => {
                        self.later(minutes - early, Event::StopEarly(at, id));
                        minutes - early
                    }
                    _ => {
                        self.at(end.plus_seconds(1), Event::End);
                        minutes
                    }
                };
                if let Some(cleared) = plan.cleared_after {
                    self.later(over + cleared, Event::Destroy(at, id));
                }
            }
            LabState::Failed => {
                let after = self.chance.between(2, 9);
                self.later(after, Event::Retry(at, id));
            }
            _ => {}
        }
        Ok(())
    }

    async fn lab(&self, id: LabId) -> Result<Lab> {
        let mut read = self.services.db.read().await.or_domain()?;
        storage::labs::get(&mut read, id).await.or_domain()?.ok_or(Error::NotFound)
    }

    /// Whatever still runs in the term's own cluster stops: the real one has never heard of it.
    async fn close(&mut self, end: Timestamp) -> Result<()> {
        self.clock.until(end);
        self.events.clear();
        let up = {
            let mut read = self.services.db.read().await.or_domain()?;
            storage::labs::moving(&mut read).await.or_domain()?
        };
        let people: BTreeMap<_, _> = self.college.people.iter().map(|person| (person.actor.user, person)).collect();
        for id in up {
            let lab = self.lab(id).await?;
            if let Some(owner) = people.get(&lab.owner) {
                drop(allowed(labs::stop(self.services, owner, id).await)?);
            }
        }
        self.settle().await
    }

    /// The last minutes before now. Nothing of this has reached a cluster yet: the real one brings it up.
    pub(super) async fn today(&mut self) -> Result<()> {
        let (teachers, managers) = (self.teachers_of_accounts(), self.managers());
        let [first, second] = [&teachers[0], &teachers[1 % teachers.len()]];
        let mut number = 0;
        let mut key = || {
            number += 1;
            format!("today-{number}")
        };
        // Running as soon as the cluster has them.
        for (owner, course, wish, minutes, purpose) in [
            (first, 0, Wish::Slice, 240, "第 3–4 节 注意力机制：演示"),
            (first, 1, Wish::Slice, 240, "目标检测：批改作业"),
            (second, 1, Wish::Slice, 180, "语义分割：备课"),
            (second, 2, Wish::Cards(1), 240, "大模型微调：预实验"),
        ] {
            self.order(owner, &form(course, wish, minutes, purpose), &key()).await?;
            self.clock.pass(11);
        }
        // Decided a moment ago; the last of these finds no single node with enough free cards.
        for (course, wish, minutes, purpose) in [
            (0, Wish::Training, 240, "课程项目：多卡训练"),
            (2, Wish::Cards(6), 60, "毕业设计：对比实验"),
            (4, Wish::Cards(5), 60, "推理服务：压力测试"),
            (3, Wish::Cards(4), 60, "推荐系统：期末项目"),
        ] {
            let owner = self.teacher_of(course);
            if let Some(view) = self.order(&owner, &form(course, wish, minutes, purpose), &key()).await? {
                self.clock.pass(24);
                let manager = managers.last().unwrap_or(&owner);
                allowed(orders::approve(self.services, manager, view.order.id, None).await)?;
            }
            self.clock.pass(9);
        }
        // Waiting for a decision.
        for (course, wish, minutes, purpose) in [
            (1, Wish::Cards(2), 240, "课程项目：视频理解"),
            (5, Wish::Training, 120, "强化学习：对比训练"),
            (0, Wish::Cards(2), 1_440, "毕业设计：模型压缩"),
        ] {
            let owner = self.teacher_of(course);
            self.order(&owner, &form(course, wish, minutes, purpose), &key()).await?;
            self.clock.pass(17);
        }
        Ok(())
    }

    /// The two whom a newcomer signs in as.
    fn teachers_of_accounts(&self) -> Vec<Caller> {
        self.college.people.iter().filter(|person| person.actor.has(Role::Teacher)).take(2).cloned().collect()
    }

    /// Somebody who teaches the course and is none of them.
    fn teacher_of(&self, course: usize) -> Caller {
        let id = self.college.courses[course].id;
        let own: BTreeSet<_> = self.teachers_of_accounts().iter().map(|person| person.actor.user).collect();
        let found = self.college.people.iter().find(|person| person.actor.courses.contains(&id) && !own.contains(&person.actor.user));
        found.unwrap_or(&self.college.people[0]).clone()
    }
}

/// What people are told and live with is no reason to stop.
fn allowed<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ (Error::Unavailable { .. } | Error::Internal { .. } | Error::Invalid(_) | Error::PriceMissing { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

/// The same moment, or the next morning on which somebody is at a desk.
fn in_office(at: Timestamp) -> Timestamp {
    let hour = at.on_campus().hour;
    let minutes = at.seconds_since(at.start_of_campus_day()) / 60 % 47;
    let morning = |day: Timestamp| day.start_of_campus_day().plus_minutes(i64::from(OFFICE.0) * 60 + 10 + minutes);
    if hour < OFFICE.0 {
        morning(at)
    } else if hour >= OFFICE.1 {
        morning(at.plus_minutes(24 * 60))
    } else {
        at
    }
}

fn form(course: usize, wish: Wish, minutes: i64, purpose: &str) -> OrderForm {
    let (offering, parameters): (_, Vec<(&str, String)>) = match wish {
        Wish::Slice => ("jupyterlab-slice", Vec::new()),
        Wish::Cards(cards) => {
            let (cores, memory) = ((cards * 8).clamp(8, 64), (cards * 64).clamp(64, 512));
            let more = [("cards", cards), ("cpu_cores", cores), ("memory_gib", memory), ("storage_gib", 256)];
            ("jupyterlab-2xa100-1tb", more.map(|(key, value)| (key, value.to_string())).to_vec())
        }
        Wish::Training => ("pytorch-ddp-8", Vec::new()),
    };
    OrderForm {
        offering: offering.into(),
        course: COURSES[course].code.into(),
        parameters: parameters.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        duration_minutes: minutes.to_string(),
        purpose: purpose.to_owned(),
        ..OrderForm::default()
    }
}
