//! One lab: how it stands, how long it still has, what happened, what the cluster says, what it costs.

use domain::labs::{Autostop, Job, JobOutcome, Lab, LabDetail, LabPod, LabState, VOLUME_NOT_GROWN};
use leptos::prelude::*;

use super::{
    actions::{Allowed, Buttons, Destroy},
    api::LabNow,
    autostop::{AutostopCard, KeptNotice},
    cluster::{Conditions, Events, Objects},
    cost::Cost,
    extend::{ExtendChoices, Extendable},
    failures::Failures,
    history::History,
    idle::{IdleNotice, Shown, UseCard},
    job_words::detail_text,
    logs::Logs,
    ports::PortsCard,
    share::{ShareCard, Tried},
    ssh::{SshCard, ssh_way},
    start::StartSteps,
    time_left::TimeLeft,
    visits::{OthersHere, Visits},
    words::{lead, reason_text, view_kind},
};
use crate::{
    components::{Card, ErrorNotice, Fact, Facts, LiveMark, Liveness, MomentStyle, Notice, NoticeKind, PageHead, Reading, Status, moment_text, part},
    error::AppError,
    error_text::{field_problem_text, headline},
    i18n::td_string,
    language,
    orders::detail::SpecFacts,
    routes,
};

/// Drawn once; `tried`: what the form of links left behind; each part follows the lab by itself, and only when what it shows has changed.
#[component]
pub fn LabDetailView(
    lab: Signal<Reading<LabNow>>,
    refusal: Option<domain::Error>,
    tried: Tried,
    liveness: ReadSignal<Liveness>,
    reload: Callback<()>,
) -> impl IntoView {
    let language = language::current();
    let failed = RwSignal::new(refusal);
    let name = part(lab, |lab| lab.detail.view.lab.name.clone());
    let head = part(lab, |lab| {
        let language = language::current();
        let view = &lab.detail.view;
        (view_kind(view), detail_text(language, &lab.detail), lead(language, &lab.detail, lab.now))
    });
    let record = part(lab, |lab| lab.detail.view.lab.clone());
    let clock = part(lab, |lab| (lab.detail.view.lab.clone(), lab.detail.view.stops_at(), lab.now));
    let history = part(lab, |lab| (lab.detail.history.clone(), lab.detail.view.owner.id));
    let start = part(lab, |lab| (lab.detail.start.clone(), lab.now));
    let conditions = part(lab, |lab| lab.detail.observation.conditions.clone());
    let events = part(lab, |lab| lab.detail.observation.events.clone());
    let objects = part(lab, |lab| lab.detail.observation.objects.clone());
    let id = part(lab, |lab| lab.detail.view.lab.id.to_string()).get_untracked().unwrap_or_default();
    let cost = part(lab, |lab| (lab.detail.usage.clone(), lab.detail.view.clone()));
    let about = part(lab, |lab| lab.detail.clone());
    let failures = part(lab, |lab| {
        let failed = lab.detail.failures.iter().filter(|each| each.failure.reason != VOLUME_NOT_GROWN);
        failed.cloned().collect::<Vec<_>>()
    });
    let not_grown = part(lab, |lab| {
        let last = lab.detail.failures.last().filter(|last| last.failure.reason == VOLUME_NOT_GROWN)?;
        let lab = &lab.detail.view.lab;
        (lab.state != LabState::Destroyed).then_some((last.failure.at, lab.spec.storage_gib))
    });
    let kept = part(lab, |lab| lab.detail.kept_logs.clone());
    // Drawn anew for new pods only: whether they are ready or have ended makes no other log.
    let pods = part(lab, |lab| lab.detail.observation.members.iter().map(|pod| LabPod { ready: true, end: None, ..pod.clone() }).collect::<Vec<_>>());
    let ends_by_itself = part(lab, |lab| lab.detail.view.lab.spec.workload.ends()).get_untracked().unwrap_or_default();
    let log_state = part(lab, |lab| if lab.detail.observation.members.is_empty() { lab.detail.view.lab.state } else { LabState::Running });
    let view = part(lab, |lab| lab.detail.view.clone());
    let extend = part(lab, |lab| Extendable::of(&lab.detail.view));
    let autostop = part(lab, |lab| {
        let view = &lab.detail.view;
        let is_chosen = view.lab.lifecycle.autostop != Autostop::default();
        (view.options.may_autostop && view.job.is_none() || is_chosen)
            .then(|| (view.lab.clone(), view.college_idle_minutes, view.options.may_autostop))
    });
    // A job is in use for as long as it runs.
    let used = part(lab, |lab| if lab.detail.view.job.is_some() { None } else { Shown::of(&lab.detail.view, lab.now) });
    let may_destroy = part(lab, |lab| lab.detail.view.may_destroy.then(|| lab.detail.view.lab.clone()));
    let pending = part(lab, |lab| lab.detail.view.pending_change);
    let left = part(lab, |lab| {
        let view = &lab.detail.view;
        (view.owner_left && view.lab.state != LabState::Destroyed).then(|| (view.owner.name.clone(), view.course.code.clone()))
    });
    let read_at = part(lab, |lab| lab.now);
    let ssh = part(lab, |lab| ssh_way(&lab.detail));
    let may_share = part(lab, |lab| lab.detail.view.may_share);
    let may_enter = part(lab, |lab| lab.detail.view.may_enter && lab.detail.view.job.is_none());
    let (visits_id, share_id, ports_id) = (id.clone(), id.clone(), id.clone());
    let here = RwSignal::new(Vec::new());
    let buttons = Allowed::of(lab);
    let log_id = id.clone();
    let log = move || {
        let ((pods, state), kept) = pods.get().zip(log_state.get()).zip(kept.get())?;
        Some(view! { <Logs id=log_id.clone() pods kept state is_job=ends_by_itself/> })
    };
    // A job is run for what it writes.
    let (first_log, log) = if ends_by_itself { (Some(log), None) } else { (None, Some(log)) };
    view! {
        <div class="stack tight">
        <PageHead title=name.get_untracked().unwrap_or_default() crumb=(routes::LABS.to_owned(), td_string!(language, labs.title).to_owned())>
            <Buttons allowed=buttons failed reload/>
        </PageHead>
        <p class="lead row" aria-live="polite">
            {move || head.get().map(|(kind, state, about)| view! { <Status kind>{state}</Status><span>{about}</span> })}
        </p>
        </div>
        <OthersHere here/>
        {move || failed.get().map(|error| view! { <Refused error/> })}
        {move || record.get().map(|lab| view! { <FailureNotice lab/> })}
        {move || not_grown.get().flatten().map(|(at, gib)| {
            let title = td_string!(language, labs.not_grown_title, at = moment_text(at, MomentStyle::Minute)).to_string();
            view! { <Notice kind=NoticeKind::Warn title>{td_string!(language, labs.not_grown_text, gib = gib).to_string()}</Notice> }
        })}
        {move || pending.get().flatten().map(|order| view! {
            <Notice title=td_string!(language, lifecycle.pending_title)>
                {td_string!(language, lifecycle.pending_text)}" "<a href=routes::order(order)>{td_string!(language, lifecycle.pending_see)}</a>
            </Notice>
        })}
        {move || left.get().flatten().map(|(name, code)| view! { <LeftNotice name code/> })}
        {move || view.get().map(|view| view! { <KeptNotice view reload/> })}
        {move || used.get().flatten().map(|shown| view! { <IdleNotice shown reload/> })}
        <div class="cols main-side">
            <div class="stack loose">
                {first_log}
                {move || ssh.get().flatten().map(|(command, problem)| view! { <SshCard command problem/> })}
                {move || clock.get().map(|(lab, stops_at, now)| view! { <TimeLeft lab stops_at now/> })}
                {move || extend.get().flatten().map(|lab| view! {
                    <Card title=td_string!(language, lifecycle.more_time) id="extend"><ExtendChoices lab refused=failed reload/></Card>
                })}
                {move || failures.get().map(|failures| view! { <Failures failures/> })}
                {move || start.get().map(|(steps, now)| view! { <StartSteps steps now/> })}
                <Card title=td_string!(language, labs.history) end=move || view! { <LiveMark liveness/> }>
                    {move || history.get().map(|(history, owner)| view! { <History history owner is_job=ends_by_itself/> })}
                </Card>
                {move || may_share.get().filter(|may| *may).map(|_| view! { <ShareCard id=share_id.clone() tried=tried.clone() read_at/> })}
                {move || may_enter.get().filter(|may| *may).map(|_| view! { <PortsCard id=ports_id.clone()/> })}
                <Visits id=visits_id here read_at/>
                {log}
                {move || conditions.get().map(|conditions| view! { <Conditions conditions/> })}
                {move || events.get().map(|events| view! { <Events events/> })}
                <Objects id objects/>
            </div>
            <aside class="stack loose">
                {move || cost.get().map(|(usage, view)| view! { <Cost usage view/> })}
                <Card title=td_string!(language, labs.what)>{move || about.get().map(|detail| view! { <What detail/> })}</Card>
                {move || used.get().flatten().map(|shown| view! { <UseCard shown/> })}
                {move || autostop.get().flatten().map(|(lab, college, may_set)| view! { <AutostopCard lab college may_set failed reload/> })}
                {move || may_destroy.get().flatten().map(|lab| view! { <Destroy lab/> })}
            </aside>
        </div>
    }
    .into_any()
}

/// The refused fields and the reasons. The forms of this page have one field each, so that a problem need not name its field.
#[component]
fn Refused(error: domain::Error) -> impl IntoView {
    let language = language::current();
    let title = headline(language, &error);
    match error {
        domain::Error::Invalid(problems) => {
            let lines = problems.iter().map(|each| view! { <li>{field_problem_text(language, &each.problem)}</li> }).collect_view();
            view! { <Notice kind=NoticeKind::Bad title><ul class="plain-list">{lines}</ul></Notice> }.into_any()
        }
        error => view! { <ErrorNotice error=AppError(error)/> }.into_any(),
    }
}

/// Explains what happens to the lab because its owner left the course.
#[component]
fn LeftNotice(name: String, code: String) -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, labs.owner_left_title, name = name.as_str(), course = code.as_str()).to_string();
    view! { <Notice kind=NoticeKind::Warn title>{td_string!(language, labs.owner_left_text)}</Notice> }.into_any()
}

/// Why it failed, what was kept, what to do next.
#[component]
fn FailureNotice(lab: Lab) -> impl IntoView {
    let language = language::current();
    let outcome = Job::of(&lab, false).and_then(|job| job.outcome);
    let failure = lab.failure.filter(|_| lab.state == LabState::Failed)?;
    let reason = match outcome.and_then(JobOutcome::exit_code) {
        Some(code) => td_string!(language, labs.job_failure_code, code = code).to_string(),
        None => reason_text(language, &failure.reason),
    };
    let (title, next) = if outcome.is_some() {
        (td_string!(language, labs.job_failure_title, reason = reason).to_string(), td_string!(language, labs.job_failure_next))
    } else {
        (td_string!(language, labs.failure_title, reason = reason).to_string(), td_string!(language, labs.failure_next))
    };
    let at = moment_text(failure.at, MomentStyle::Second);
    Some(
        view! {
            <Notice kind=NoticeKind::Bad title>
                {next}
                <p class="fine">
                    <span class="mono">{failure.reason}": "{failure.message}</span>
                    " · "
                    {td_string!(language, labs.failure_at, at = at).to_string()}
                </p>
            </Notice>
        }
        .into_any(),
    )
}

#[component]
fn What(detail: LabDetail) -> impl IntoView {
    let language = language::current();
    let view = detail.view;
    let lab = view.lab;
    let nodes = detail.observation.nodes.join(", ");
    let observed = detail.observed_at.map(|at| td_string!(language, labs.observed, at = moment_text(at, MomentStyle::Second)).to_string());
    view! {
        <Facts>
            <Fact name=td_string!(language, labs.offering)>{lab.offering_name.get(language::tag(language)).to_owned()}</Fact>
            <Fact name=td_string!(language, labs.course)>{format!("{} {}", view.course.code, view.course.name)}</Fact>
            <Fact name=td_string!(language, labs.owner)>{view.owner.name}</Fact>
            <SpecFacts spec=lab.spec/>
            {(!nodes.is_empty()).then(|| view! { <Fact name=td_string!(language, labs.runs_on)><span class="mono">{nodes}</span></Fact> })}
            <Fact name=td_string!(language, labs.namespace)><span class="mono">{lab.namespace}</span></Fact>
            <Fact name=td_string!(language, labs.order_link)><a href=routes::order(lab.order)>{td_string!(language, labs.see_order)}</a></Fact>
            <Fact name=td_string!(language, lifecycle.again_fact)><a href=routes::order_again(lab.order)>{td_string!(language, lifecycle.again)}</a></Fact>
        </Facts>
        {observed.map(|text| view! { <p class="fine">{text}</p> })}
    }
    .into_any()
}
