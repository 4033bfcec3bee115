//! One course: what it has left, who teaches it, its limits, its place, its end.

use domain::{
    courses::{COLLEGE, CourseDetail, Tree},
    ids::CourseId,
    people::PersonRef,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::{
    api::{AddMember, ArchiveCourse, ChangeCourse, RemoveMember, RestoreCourse, course, tree},
    limits::{BudgetEditor, QuotaEditor},
    list::places,
    roster::Roster,
};
use crate::{
    components::{
        Button, ButtonKind, Card, ConfirmDialog, ErrorNotice, Fact, Facts, Failed, Moment, Notice, PageHead, SelectField, Skeleton, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    quotas::meters::CourseQuota,
    routes,
};

#[component]
pub fn CoursePage() -> impl IntoView {
    let params = use_params_map();
    let detail = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), course);
    let tree = Resource::new(|| (), |()| tree());
    let (change, member, quota, budget, roster) = (flash("course-change"), flash("member"), flash("quota"), flash("budget"), flash("roster"));
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let failed = [change.await, member.await, quota.await, budget.await, roster.await];
                match (detail.await, tree.await.ok()) {
                    (Ok(detail), tree) => view! { <Whole detail tree failed/> }.into_any(),
                    (Err(error), _) => view! { <Failed error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Whole(detail: CourseDetail, tree: Option<Tree>, failed: [Flash; 5]) -> impl IntoView {
    let language = language::current();
    let CourseDetail { course, department, archived_at, quota, members, students, may_write, may_set_roster, may_set_quota } = detail;
    let [change, member, quota_failed, budget_failed, roster_failed] = failed;
    let title = format!("{} {}", course.code, course.name);
    let place = department.as_ref().map_or_else(|| td_string!(language, courses.no_department).to_owned(), |department| department.name.clone());
    let archived = archived_at.map(|at| {
        view! {
            <Notice title=td_string!(language, courses.is_archived)>{td_string!(language, courses.is_archived_text)}" "<Moment at/></Notice>
        }
    });
    let editors = may_set_quota.then(|| {
        view! {
            <QuotaEditor id=course.id settings=course.settings.clone() quota=quota.clone() failed=quota_failed/>
            <BudgetEditor id=course.id budget=quota.budget.clone() failed=budget_failed/>
        }
    });
    let manage = may_write.then(|| {
        let department = department.as_ref().map_or_else(|| COLLEGE.to_owned(), |department| department.id.to_string());
        let departments = tree.filter(|tree| tree.may_write).map(|tree| tree.departments);
        let choices = departments.map(|departments| places(language, &departments));
        view! { <Manage id=course.id code=course.code.clone() name=course.name.clone() department choices archived=archived_at.is_some() failed=change/> }
    });
    view! {
        <PageHead title crumb=(routes::COURSES.to_owned(), td_string!(language, courses.title).to_owned())/>
        {archived}
        <div class="cols main-side">
            <div class="stack">
                <CourseQuota course=course.brief() status=quota/>
                <Roster id=course.id students may_write=may_set_roster failed=roster_failed/>
                {editors}
            </div>
            <aside class="stack">
                <Card title=td_string!(language, courses.about)>
                    <Facts>
                        <Fact name=td_string!(language, courses.department)>{place}</Fact>
                        <Fact name=td_string!(language, courses.namespace)><span class="mono">{course.namespace}</span></Fact>
                    </Facts>
                </Card>
                <Members id=course.id members may_write failed=member/>
                {manage}
            </aside>
        </div>
    }
    .into_any()
}

#[component]
fn Members(id: CourseId, members: Vec<PersonRef>, may_write: bool, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = Signal::stored(failed.problem("login").map(|problem| field_problem_text(language, problem)));
    let none = members.is_empty();
    let items = members
        .into_iter()
        .map(|member| {
            let remove = may_write.then(|| {
                view! {
                    <form method="post" action=RemoveMember::PATH class="inline">
                        <input type="hidden" name="id" value=id.to_string()/>
                        <input type="hidden" name="user" value=member.id.to_string()/>
                        <Button kind=ButtonKind::Quiet small=true>{td_string!(language, courses.remove)}</Button>
                    </form>
                }
            });
            view! { <li class="row between"><span>{member.name}" "<small class="mono">{member.login}</small></span>{remove}</li> }
        })
        .collect_view();
    view! {
        <Card title=td_string!(language, courses.members) id="members">
            {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            {none.then(|| view! { <p class="muted">{td_string!(language, courses.no_members)}</p> })}
            <ul class="plain-list">{items}</ul>
            {may_write.then(|| view! {
                <form class="stack tight" method="post" action=AddMember::PATH>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <TextField
                        name="login"
                        label=td_string!(language, courses.add_member)
                        help=td_string!(language, courses.add_member_help)
                        value=failed.value("login").to_owned()
                        error=problem
                        autocomplete="off"
                    />
                    <div><Button>{td_string!(language, courses.add)}</Button></div>
                </form>
            })}
        </Card>
    }
    .into_any()
}

#[component]
fn Manage(
    id: CourseId,
    code: String,
    name: String,
    department: String,
    /// Only for who may move courses at all.
    choices: Option<Vec<(String, String)>>,
    archived: bool,
    failed: Flash,
) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let id = id.to_string();
    let own = id.clone();
    let end = if archived {
        view! {
            <form method="post" action=RestoreCourse::PATH>
                <input type="hidden" name="id" value=id/>
                <Button>{td_string!(language, courses.restore)}</Button>
            </form>
        }
        .into_any()
    } else {
        let title = td_string!(language, courses.archive_title, code = code.as_str()).to_string();
        view! {
            <ConfirmDialog
                id="archive"
                open_text=td_string!(language, courses.archive)
                title
                confirm_text=td_string!(language, courses.archive)
                action=ArchiveCourse::PATH
            >
                <input type="hidden" name="id" value=id/>
                <p>{td_string!(language, courses.archive_text)}</p>
            </ConfirmDialog>
        }
        .into_any()
    };
    view! {
        <Card title=td_string!(language, courses.manage)>
            {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <form class="stack" method="post" action=ChangeCourse::PATH>
                <input type="hidden" name="id" value=own/>
                <TextField name="name" label=td_string!(language, courses.course_name) value=name error=problem("name") maxlength=100/>
                {choices.map(|choices| view! {
                    <SelectField
                        name="department"
                        label=td_string!(language, courses.department)
                        help=td_string!(language, courses.move_help)
                        choices
                        value=department
                        error=problem("department")
                    />
                })}
                <div><Button>{td_string!(language, common.save)}</Button></div>
            </form>
            {end}
        </Card>
    }
    .into_any()
}
