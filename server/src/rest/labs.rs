//! Labs: read, start, stop, destroy. What else owners ask of them is in `lab_changes`.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    courses::CourseKey,
    ids::LabId,
    labs::{
        ClusterEvent, Condition, FailedAttempt, Failure, Job as DomainJob, JobOutcome, KeptLog as DomainKept, LabDetail, LabFilter, LabState, LabUse,
        LabView, Lifecycle, LogProblem, ObjectRef, StateChange, start::StepTime,
    },
    ssh_keys::KeysProblem,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{Course, List, Localized, Money, Person, Spec, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
    usage::Usage,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Lab {
    pub id: String,
    /// Name of its objects in Kubernetes.
    #[schema(example = "lab-2047")]
    pub name: String,
    pub namespace: String,
    /// `pending`, `starting`, `running`, `stopping`, `stopped`, `failed`, `destroying` or `destroyed`.
    #[schema(value_type = String, example = "running")]
    pub state: LabState,
    /// Id of the order that it came from.
    pub order: String,
    pub offering_name: Localized,
    pub course: Course,
    pub owner: Person,
    /// The owner may not order for the course any more: the lab runs to its end, and the owner cannot extend or enlarge it.
    pub owner_left: bool,
    /// Whose it is in a class: a student, or `3/30` without names.
    pub seat: Option<String>,
    pub spec: Spec,
    /// Port that it answers on.
    #[schema(example = 8888)]
    pub port: u16,
    /// Address of its own site; null where labs have none, and once it is destroyed.
    #[schema(example = "https://lab-2047-1f0c9a33be.labs.example.edu")]
    pub site: Option<String>,
    /// Where it is used: `page`, its own site; `terminal`, a shell or SSH; `log`, the output of its program.
    #[schema(example = "page")]
    pub entrance: &'static str,
    pub duration_minutes: u32,
    /// Metered so far, volume included.
    pub cost: Money,
    /// 1 is next; only while it waits for cards.
    pub queue_position: Option<u32>,
    /// Id of the order that waits for approval to give it more time or another size.
    pub pending_change: Option<String>,
    pub failure: Option<LabFailure>,
    pub created_at: String,
    pub first_running_at: Option<String>,
    pub running_since: Option<String>,
    /// When its time is over and it is stopped.
    pub ends_at: Option<String>,
    /// How many times its pods were to be made anew; give it back with a restart, so that a repeated request restarts once.
    pub generation: u32,
    pub autostop: Autostop,
    /// When it is stopped by its daily stop next; only while it is up.
    pub daily_stop_at: Option<String>,
    /// When a lab that is down is destroyed by itself.
    pub kept_until: Option<String>,
    /// Its use; only while it runs.
    pub activity: Option<Activity>,
    /// Tries and outcome of a job; null for a lab that does not end by itself.
    pub job: Option<Job>,
    pub version: i64,
}

/// A lab that runs to its end.
#[derive(Debug, Serialize, ToSchema)]
pub struct Job {
    /// Most tries that it has.
    #[schema(example = 3)]
    pub tries: u32,
    /// `finished` or `failed`; null while it runs, and if it was stopped or never ran.
    #[schema(example = "failed")]
    pub outcome: Option<&'static str>,
    /// Of the last try of a job that failed, where the cluster told it.
    #[schema(example = 1)]
    pub exit_code: Option<i32>,
}

impl From<DomainJob> for Job {
    fn from(DomainJob { tries, outcome }: DomainJob) -> Self {
        Self { tries, outcome: outcome.map(JobOutcome::as_str), exit_code: outcome.and_then(JobOutcome::exit_code) }
    }
}

/// The end of a log of a job whose pod is gone. `GET /labs/{id}/logs?member={pod}` gives its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptLog {
    #[schema(example = "lab-2047-5fczg")]
    pub pod: String,
    #[schema(example = "lab")]
    pub container: String,
    /// Of the lab, when the pod was made.
    pub generation: u32,
    /// Counts from 1 in each start.
    #[schema(example = 1)]
    pub attempt: u32,
    pub exit_code: Option<i32>,
    pub ended_at: Option<String>,
    pub kept_at: String,
    /// Bytes of its text.
    pub bytes: u64,
    /// Earlier lines were left out.
    pub cut: bool,
    /// Why there is no text: `unreachable`, `gone` or `late`.
    pub problem: Option<&'static str>,
}

impl From<DomainKept> for KeptLog {
    fn from(log: DomainKept) -> Self {
        let DomainKept { pod, pod_uid: _, container, place: _, generation, attempt, exit_code, ended_at, kept_at, bytes, cut, problem } = log;
        Self {
            pod,
            container,
            generation,
            attempt,
            exit_code,
            ended_at: ended_at.map(moment),
            kept_at: moment(kept_at),
            bytes,
            cut,
            problem: problem.map(LogProblem::as_str),
        }
    }
}

/// When it stops by itself besides the end of its time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Autostop {
    /// Minutes without real use after which it is stopped, after a warning; null for the college's setting, if there is one.
    pub idle_minutes: Option<u32>,
    /// Every day at this time on campus.
    #[schema(example = "22:00")]
    pub daily: Option<String>,
}

/// Real use of a running lab. An open page that polls is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Activity {
    /// Not used since then: its last use, or when it became ready.
    pub idle_since: String,
    /// What was its last use: `page`, `change`, `cell`, `input`, `terminal`, `connection`, `kernel`, `processor`, `job` or `kept`; null if it
    /// has not been used since it became ready.
    #[schema(example = "cell")]
    pub last_use: Option<&'static str>,
    /// The setting that holds, the owner's or the college's; null if it is not stopped for want of use.
    pub idle_minutes: Option<u32>,
    /// When it is stopped if it is not used until then.
    pub stops_at: Option<String>,
    /// Its cards have not been used for half an hour.
    pub flagged: bool,
}

impl From<LabUse> for Activity {
    fn from(used: LabUse) -> Self {
        let LabUse { since, last, minutes, stops_at, warned: _, flagged } = used;
        Self {
            idle_since: moment(since),
            last_use: last.map(|last| last.kind.as_str()),
            idle_minutes: minutes,
            stops_at: stops_at.map(moment),
            flagged,
        }
    }
}

/// One failure, with what the cluster showed then.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    /// Counts from 1; the first stays whatever comes after.
    #[schema(example = 1)]
    pub attempt: u32,
    #[serde(flatten)]
    pub failure: LabFailure,
    pub conditions: Vec<LabCondition>,
    pub events: Vec<LabEvent>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LabFailure {
    #[schema(example = "ImagePullBackOff")]
    pub reason: String,
    pub message: String,
    pub at: String,
}

/// A lab with what the cluster says of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabWithDetail {
    #[serde(flatten)]
    pub lab: Lab,
    pub history: Vec<Change>,
    pub conditions: Vec<LabCondition>,
    pub events: Vec<LabEvent>,
    pub objects: Vec<LabObject>,
    pub nodes: Vec<String>,
    pub pods: u32,
    pub pods_ready: u32,
    /// When the cluster last reported on it.
    pub observed_at: Option<String>,
    pub usage: Vec<Usage>,
    /// Every failure, the first one first.
    pub failures: Vec<Attempt>,
    /// The steps of the last start; empty while the lab is down.
    pub start: Vec<StartStep>,
    /// Why a running lab with an SSH server has other keys than its owner's account: `no_file` where it keeps none for Lectern to write,
    /// `not_written` while that fails.
    #[schema(example = "not_written")]
    pub ssh_keys_problem: Option<&'static str>,
    /// By whom its SSH server is entered; null for a lab that is there for something else.
    #[schema(example = "ubuntu")]
    pub ssh_user: Option<String>,
    /// Logs of a job's pods that are gone, in the order of its tries. They are kept for 90 days, or until the lab is destroyed.
    pub kept_logs: Vec<KeptLog>,
}

/// One step of a start.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartStep {
    /// `approval`, `queue`, `volumes`, `schedule`, `pull`, `container` or `ready`.
    #[schema(example = "pull")]
    pub step: &'static str,
    /// Null while an earlier step lasts.
    pub from: Option<String>,
    /// Null while it lasts.
    pub until: Option<String>,
    /// Median of the offering's last starts; null before its first one.
    pub usual_seconds: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub from: Option<&'static str>,
    pub to: &'static str,
    /// When the change took place; usage is counted by it.
    pub at: String,
    /// When the portal noticed the change, if that was more than a minute later.
    pub noticed_at: Option<String>,
    /// Until when pods ran although the lab's time was over at `at`. The time between is not charged.
    pub ran_until: Option<String>,
    pub cause: String,
    pub by: Option<Person>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LabCondition {
    #[serde(rename = "type")]
    pub kind: String,
    /// `true`, `false` or `unknown`.
    #[schema(value_type = String)]
    pub status: domain::labs::ConditionStatus,
    pub reason: String,
    pub message: String,
    pub since: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LabEvent {
    pub at: String,
    pub warning: bool,
    pub reason: String,
    pub message: String,
    #[schema(example = "Pod/lab-2047-0")]
    pub object: String,
    pub count: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LabObject {
    pub api_version: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl From<LabView> for Lab {
    fn from(view: LabView) -> Self {
        let LabView {
            lab,
            owner,
            owner_left,
            seat,
            course,
            cost,
            running_since,
            queue_position,
            pending_change,
            more_time_waits: _,
            more_time_asks: _,
            change_filed: _,
            wait: _,
            may_start: _,
            may_stop: _,
            may_destroy: _,
            may_enter: _,
            may_break_glass: _,
            may_share: _,
            site,
            options: _,
            used,
            job,
            college_idle_minutes: _,
        } = view;
        let Lifecycle { generation, autostop, daily_stop_at, kept_until, grace_from: _ } = lab.lifecycle;
        Self {
            id: lab.id.to_string(),
            name: lab.name,
            namespace: lab.namespace,
            state: lab.state,
            order: lab.order.to_string(),
            offering_name: lab.offering_name.into(),
            course: course.into(),
            owner: owner.into(),
            owner_left,
            seat,
            port: lab.spec.port,
            site,
            entrance: lab.spec.entrance().as_str(),
            spec: lab.spec.into(),
            duration_minutes: lab.minutes,
            cost: cost.into(),
            queue_position,
            pending_change: pending_change.map(|id| id.to_string()),
            failure: lab.failure.map(Into::into),
            created_at: moment(lab.created_at),
            first_running_at: lab.first_running_at.map(moment),
            running_since: running_since.map(moment),
            ends_at: lab.ends_at.map(moment),
            generation,
            autostop: Autostop { idle_minutes: autostop.idle_minutes, daily: autostop.daily.map(|time| time.to_string()) },
            daily_stop_at: daily_stop_at.map(moment),
            kept_until: kept_until.map(moment),
            activity: used.map(Into::into),
            job: job.map(Into::into),
            version: lab.version,
        }
    }
}

impl From<LabDetail> for LabWithDetail {
    fn from(detail: LabDetail) -> Self {
        let LabDetail { view, history, observation, observed_at, usage, failures, start, keys_problem, ssh_user, kept_logs } = detail;
        let (id, name, course) = (view.lab.id, view.lab.name.clone(), view.course.clone());
        let change = |StateChange { seq: _, from, to, at, noticed_at, ran_until, cause, by }: StateChange| Change {
            from: from.map(LabState::as_str),
            to: to.as_str(),
            at: moment(at),
            noticed_at: noticed_at.map(moment),
            ran_until: ran_until.map(moment),
            cause,
            by: by.map(Into::into),
        };
        let object = |ObjectRef { api_version, kind, namespace, name }: ObjectRef| LabObject { api_version, kind, namespace, name };
        Self {
            lab: view.into(),
            history: history.into_iter().map(change).collect(),
            conditions: observation.conditions.into_iter().map(Into::into).collect(),
            events: observation.events.into_iter().map(Into::into).collect(),
            objects: observation.objects.into_iter().map(object).collect(),
            nodes: observation.nodes,
            pods: observation.pods,
            pods_ready: observation.ready,
            observed_at: observed_at.map(moment),
            usage: usage.into_iter().map(|line| Usage::of(id, &name, course.clone(), line)).collect(),
            failures: failures.into_iter().map(Into::into).collect(),
            start: start.into_iter().map(Into::into).collect(),
            ssh_keys_problem: keys_problem.map(KeysProblem::as_str),
            ssh_user,
            kept_logs: kept_logs.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<StepTime> for StartStep {
    fn from(StepTime { step, from, until, usual_seconds }: StepTime) -> Self {
        Self { step: step.as_str(), from: from.map(moment), until: until.map(moment), usual_seconds }
    }
}

impl From<Failure> for LabFailure {
    fn from(Failure { reason, message, at }: Failure) -> Self {
        Self { reason, message, at: moment(at) }
    }
}

impl From<Condition> for LabCondition {
    fn from(Condition { kind, status, reason, message, since }: Condition) -> Self {
        Self { kind, status, reason, message, since: since.map(moment) }
    }
}

impl From<ClusterEvent> for LabEvent {
    fn from(ClusterEvent { at, warning, reason, message, object, count }: ClusterEvent) -> Self {
        Self { at: moment(at), warning, reason, message, object, count }
    }
}

impl From<FailedAttempt> for Attempt {
    fn from(FailedAttempt { attempt, failure, evidence }: FailedAttempt) -> Self {
        let evidence = evidence.unwrap_or_default();
        Self {
            attempt,
            failure: failure.into(),
            conditions: evidence.conditions.into_iter().map(Into::into).collect(),
            events: evidence.events.into_iter().map(Into::into).collect(),
        }
    }
}

/// Labs that the token may read, newest first.
#[utoipa::path(get, path = "/api/v1/labs", tag = "labs",
    params(("state" = Option<String>, Query, description = "A state of a lab"), ("course" = Option<String>, Query, description = "Code or id of a course"), ("mine" = Option<bool>, Query, description = "Only one's own"),
        ("live" = Option<bool>, Query, description = "Without those that are destroyed"),
        ("owner_left" = Option<bool>, Query, description = "Only those whose owner may not order for the course any more"),
        ("unused" = Option<bool>, Query, description = "Only running labs whose cards have not been used for half an hour"),
        ("text" = Option<String>, Query, description = "Part of the name of the lab, its offering, its owner or its course"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Lab>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Lab>>, Problem> {
    let names = || LabState::ALL.map(|state| state.as_str().to_owned()).to_vec();
    let filter = LabFilter {
        state: query.choice("state", LabState::parse, names),
        course: query.text("course").and_then(|text| CourseKey::read(&text)),
        mine: query.flag("mine"),
        live: query.flag("live"),
        owner_left: query.flag("owner_left"),
        unused: query.flag("unused"),
        text: query.text("text").unwrap_or_default(),
    };
    let page = query.page();
    query.finish()?;
    let labs = services::labs::list(&state.services, &caller, &filter, &page).await?;
    Ok(Json(List::of(labs, Lab::from)))
}

/// One lab, with its history and what the cluster says.
#[utoipa::path(get, path = "/api/v1/labs/{id}", tag = "labs", params(("id" = String, Path)), responses((status = 200, body = LabWithDetail)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<LabWithDetail>, Problem> {
    Ok(Json(services::labs::get(&state.services, &caller, id::<LabId>(&text)?).await?.into()))
}

/// Starts a stopped or failed lab again; it may wait for cards.
#[utoipa::path(post, path = "/api/v1/labs/{id}/start", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`")))]
pub async fn start(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::start(&state.services, &caller, id(&text)?).await?.into()))
}

/// Stops a lab; its volume is kept and counted.
#[utoipa::path(post, path = "/api/v1/labs/{id}/stop", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`")))]
pub async fn stop(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::stop(&state.services, &caller, id(&text)?).await?.into()))
}

/// Removes a lab with its volume from the cluster.
#[utoipa::path(post, path = "/api/v1/labs/{id}/destroy", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`")))]
pub async fn destroy(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::destroy(&state.services, &caller, id(&text)?).await?.into()))
}
