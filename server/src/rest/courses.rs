//! Courses: where they are, who teaches them, quota and budget.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    access::Action,
    courses::{CourseDetail as DomainDetail, CourseForm, PlacedCourse},
    ids::CourseId,
    quotas::{BudgetAction, BudgetForm, BudgetTerms, QuotaForm, Threshold as DomainThreshold},
};
use serde::{Deserialize, Serialize};
use services::courses::Below;
use utoipa::ToSchema;

use super::{
    bearer::{Bearer, may_show},
    body::{Amount, Fields, Raw},
    dto::{Course, List, Person, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
    quotas::Quota,
};
use crate::state::AppState;

/// A course in the tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedCourse {
    #[serde(flatten)]
    pub course: Course,
    /// Id of its department; `null` for the college itself.
    pub department: Option<String>,
    pub archived: bool,
}

impl From<PlacedCourse> for ListedCourse {
    fn from(PlacedCourse { course, department, archived }: PlacedCourse) -> Self {
        Self { course: course.into(), department: department.map(|id| id.to_string()), archived }
    }
}

/// A course with who teaches it and what it may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct CourseDetail {
    #[serde(flatten)]
    pub course: Course,
    #[schema(example = "lectern-xxgc-cv2402")]
    pub namespace: String,
    /// Id of its department; `null` for the college itself.
    pub department: Option<String>,
    pub archived_at: Option<String>,
    pub members: Vec<Person>,
    pub quota: Quota,
    /// When the budget begins to count; `null` from the beginning.
    pub budget_from: Option<String>,
    /// From when on nothing is granted; `null` for never.
    pub budget_to: Option<String>,
    pub budget_thresholds: Vec<Threshold>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Threshold {
    #[schema(example = 80)]
    pub percent: u32,
    /// `notify`, `approve` or `block`.
    #[schema(example = "notify")]
    pub action: &'static str,
}

impl From<DomainDetail> for CourseDetail {
    fn from(detail: DomainDetail) -> Self {
        let DomainDetail { course, department, archived_at, quota, members, students: _, may_write: _, may_set_roster: _, may_set_quota: _ } = detail;
        let BudgetTerms { from, to, thresholds } = quota.budget.terms.clone();
        let brief = course.brief();
        Self {
            course: brief.clone().into(),
            namespace: course.namespace,
            department: department.map(|department| department.id.to_string()),
            archived_at: archived_at.map(moment),
            members: members.into_iter().map(Person::from).collect(),
            quota: (brief, quota).into(),
            budget_from: from.map(moment),
            budget_to: to.map(moment),
            budget_thresholds: thresholds
                .into_iter()
                .map(|DomainThreshold { percent, action }| Threshold { percent, action: action.as_str() })
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewCourse {
    #[schema(example = "CV2402")]
    code: String,
    #[schema(example = "计算机视觉")]
    name: String,
    /// Whole units of the price book's currency.
    #[schema(example = 6000)]
    budget: i64,
    /// Whole cards.
    #[schema(example = 8)]
    cards: i64,
    /// Id of a department; left out for a course of the college itself.
    department: Option<String>,
}

/// Body of a changed course. The course as shown is accepted too; what this does not change must be as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct ChangedCourse {
    /// Left out to keep it.
    #[schema(example = "计算机视觉")]
    name: Option<String>,
    /// Id of a department, `""` for the college itself, left out to keep it.
    department: Option<String>,
}

/// Body of a new quota. The quota as shown is accepted too, with `limits` in place of the first five members, and so is the course as shown;
/// what this does not change must be as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewQuota {
    /// Whole-card equivalents as text or number: `8`, `"1/7"`, `0.5`.
    #[schema(example = "8", format = "decimal")]
    cards: String,
    #[schema(example = 512)]
    cpu_cores: i64,
    #[schema(example = 4096)]
    memory_gib: i64,
    #[schema(example = 10240)]
    storage_gib: i64,
    #[schema(example = 60)]
    running_labs: i64,
    #[schema(example = "4", format = "decimal")]
    cards_per_order: String,
    #[schema(example = "12", format = "decimal")]
    starts_per_day: String,
    /// `"yes"` sets limits below what is used all the same: what runs goes on, nothing new starts.
    accept_below: Option<String>,
}

/// Body of a new budget. The budget as shown is accepted too, with `limit` in place of `amount`, and so is the course as shown, with
/// `budget_from`, `budget_to` and `budget_thresholds`; what this does not change must be as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewBudget {
    /// Whole units of the course's currency.
    #[schema(example = 6000)]
    amount: i64,
    /// Campus day, or an instant; omitted to count from the beginning.
    #[schema(example = "2026-09-01")]
    from: Option<String>,
    /// Campus day (inclusive), or an instant (exclusive); omitted for no end.
    #[schema(example = "2027-01-31")]
    to: Option<String>,
    /// Percentages at which teachers and managers are told. Left out to keep them, `""` for none.
    #[schema(example = "50, 80", format = "decimal")]
    notify: Option<String>,
    /// From which percentage orders need an approval. Left out to keep it, `""` for none.
    #[schema(example = "90", format = "decimal")]
    approve: Option<String>,
    /// From which percentage orders are refused. Left out to keep it, `""` for none.
    #[schema(example = "100", format = "decimal")]
    block: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Member {
    #[schema(example = "li.hua")]
    login: String,
}

/// Courses that the token may see, by code, archived ones too.
#[utoipa::path(get, path = "/api/v1/courses", tag = "courses", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<ListedCourse>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<ListedCourse>>, Problem> {
    let page = query.page();
    query.finish()?;
    let tree = services::departments::tree(&state.services, &caller).await?;
    Ok(Json(List::of(page.cut("courses", tree.courses, |placed| placed.course.code.clone())?, ListedCourse::from)))
}

/// One course.
#[utoipa::path(get, path = "/api/v1/courses/{id}", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CourseDetail)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<CourseDetail>, Problem> {
    Ok(Json(services::courses::get(&state.services, &caller, id(&text)?).await?.into()))
}

/// Makes a course with the reference quota.
#[utoipa::path(post, path = "/api/v1/courses", tag = "courses", request_body = NewCourse, responses((status = 200, body = CourseDetail)))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    let mut body = Fields::parse(&raw)?;
    let form = CourseForm {
        code: body.optional_text("code"),
        name: body.optional_text("name"),
        budget: body.optional_number("budget"),
        cards: body.optional_number("cards"),
        department: body.optional_text("department"),
    };
    body.finish()?;
    let course = services::courses::create(&state.services, &caller, &form).await?;
    Ok(Json(services::courses::get(&state.services, &caller, course.id).await?.into()))
}

/// Renames a course or moves it to another department.
#[utoipa::path(post, path = "/api/v1/courses/{id}", tag = "courses", params(("id" = String, Path)), request_body = ChangedCourse,
    responses((status = 200, body = CourseDetail)))]
pub async fn change(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    let mut body = Fields::parse(&raw)?;
    let (name, department) = (body.given_text("name"), body.given_text("department"));
    let course: CourseId = id(&text)?;
    if body.has_more() {
        body.unchanged(&detail(&state, &caller, course).await?);
    }
    body.finish()?;
    if let Some(name) = name {
        services::courses::rename(&state.services, &caller, course, &name).await?;
    }
    if let Some(department) = department {
        services::courses::move_to(&state.services, &caller, course, &department).await?;
    }
    shown(&state, &caller, course).await
}

/// Sets the quota; the course's namespace follows.
#[utoipa::path(post, path = "/api/v1/courses/{id}/quota", tag = "courses", params(("id" = String, Path)), request_body = NewQuota,
    responses((status = 200, body = CourseDetail), (status = 409, description = "`limit_below_use`")))]
pub async fn set_quota(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    let mut body = Fields::parse(&raw)?;
    let below = if body.optional_text("accept_below") == "yes" { Below::Accept } else { Below::Refuse };
    let mut quota = body.nested("quota");
    let form = quota_form(quota.as_mut().unwrap_or(&mut body));
    let course = id(&text)?;
    if body.has_more() || quota.as_ref().is_some_and(Fields::has_more) {
        let shown = detail(&state, &caller, course).await?;
        body.unchanged(&shown);
        quota.as_mut().unwrap_or(&mut body).unchanged(&shown.quota);
    }
    body.absorb("quota", quota);
    body.finish()?;
    services::courses::set_quota(&state.services, &caller, course, &form, below).await?;
    shown(&state, &caller, course).await
}

/// Sets the budget, its term and what happens at which part of it.
#[utoipa::path(post, path = "/api/v1/courses/{id}/budget", tag = "courses", params(("id" = String, Path)), request_body = NewBudget,
    responses((status = 200, body = CourseDetail)))]
pub async fn set_budget(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    let mut body = Fields::parse(&raw)?;
    let mut quota = body.nested("quota");
    let mut budget = quota.as_mut().and_then(|quota| quota.nested("budget"));
    let limit = if body.has("amount") { None } else { budget.as_mut().unwrap_or(&mut body).optional_money("limit") };
    let amount = limit.as_ref().map_or_else(|| body.optional_number("amount"), Amount::decimal);
    let (from, to) = (body.text_as("from", "budget_from"), body.text_as("to", "budget_to"));
    let ([notify, approve, block], kept) = thresholds(&mut body);
    let course = id(&text)?;
    if limit.is_some() || body.has_more() || quota.is_some() {
        let shown = detail(&state, &caller, course).await?;
        if let Some(limit) = &limit {
            limit.must_be_in(shown.quota.budget.limit.currency, "limit")?;
        }
        body.unchanged(&shown);
        for part in [Some(&mut body), quota.as_mut(), budget.as_mut()].into_iter().flatten() {
            part.unchanged(&shown.quota);
            part.unchanged(&shown.quota.budget);
        }
    }
    body.absorb("quota.budget", budget);
    body.absorb("quota", quota);
    body.finish()?;
    let form = BudgetForm { amount, from, to, notify, approve, block };
    let set = services::courses::set_budget(&state.services, &caller, course, &form, &kept).await;
    set.map_err(|error| if limit.is_some() { error.at("amount", "limit") } else { error })?;
    shown(&state, &caller, course).await
}

/// Makes somebody a teacher of the course.
#[utoipa::path(post, path = "/api/v1/courses/{id}/members", tag = "courses", params(("id" = String, Path)), request_body = Member,
    responses((status = 200, body = CourseDetail)))]
pub async fn add_member(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    let mut body = Fields::parse(&raw)?;
    let login = body.optional_text("login");
    body.finish()?;
    let course = id(&text)?;
    services::courses::add_member(&state.services, &caller, course, &login).await?;
    shown(&state, &caller, course).await
}

/// Takes a teacher off the course; their labs go on.
#[utoipa::path(post, path = "/api/v1/courses/{id}/members/{user}/remove", tag = "courses", params(("id" = String, Path), ("user" = String, Path)),
    responses((status = 200, body = CourseDetail)))]
pub async fn remove_member(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path((text, user)): Path<(String, String)>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    Fields::parse(&raw)?.finish()?;
    let course = id(&text)?;
    services::courses::remove_member(&state.services, &caller, course, id(&user)?).await?;
    shown(&state, &caller, course).await
}

/// Archives a course in which nothing runs.
#[utoipa::path(post, path = "/api/v1/courses/{id}/archive", tag = "courses", params(("id" = String, Path)),
    responses((status = 200, body = CourseDetail), (status = 409, description = "`in_the_way`")))]
pub async fn archive(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    Fields::parse(&raw)?.finish()?;
    let course = id(&text)?;
    services::courses::archive(&state.services, &caller, course).await?;
    shown(&state, &caller, course).await
}

/// Brings an archived course back.
#[utoipa::path(post, path = "/api/v1/courses/{id}/restore", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CourseDetail)))]
pub async fn restore(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<CourseDetail>, Problem> {
    may_show(&caller, Action::CourseRead)?;
    Fields::parse(&raw)?.finish()?;
    let course = id(&text)?;
    services::courses::restore(&state.services, &caller, course).await?;
    shown(&state, &caller, course).await
}

async fn shown(state: &AppState, caller: &services::Caller, course: CourseId) -> Result<Json<CourseDetail>, Problem> {
    Ok(Json(detail(state, caller, course).await?))
}

async fn detail(state: &AppState, caller: &services::Caller, course: CourseId) -> Result<CourseDetail, Problem> {
    Ok(services::courses::get(&state.services, caller, course).await?.into())
}

fn quota_form(body: &mut Fields) -> QuotaForm {
    let mut limits = body.nested("limits");
    let within = limits.as_mut().unwrap_or(&mut *body);
    let [cards, cpu_cores, memory_gib, storage_gib, running_labs] =
        ["cards", "cpu_cores", "memory_gib", "storage_gib", "running_labs"].map(|name| within.optional_number(name));
    body.absorb("limits", limits);
    let (cards_per_order, starts_per_day) = (body.optional_number("cards_per_order"), body.optional_number("starts_per_day"));
    QuotaForm { cards, cpu_cores, memory_gib, storage_gib, running_labs, cards_per_order, starts_per_day }
}

/// The percentages of each action, from its own member or from the list of all as it is shown; and the actions of which the body says nothing.
fn thresholds(body: &mut Fields) -> ([String; 3], Vec<BudgetAction>) {
    const EXAMPLE: &str = r#"[{"percent": 80, "action": "notify"}]"#;
    let actions = BudgetAction::ALL.map(BudgetAction::as_str);
    let listed = ["thresholds", "budget_thresholds"].into_iter().find(|name| body.has(name));
    let Some(name) = listed.filter(|_| !actions.iter().any(|action| body.has(action))) else {
        let kept = BudgetAction::ALL.into_iter().filter(|action| !body.is_named(action.as_str())).collect();
        return (actions.map(|action| body.optional_percentages(action)), kept);
    };
    let rows = body.rows(name, ["percent", "action"], EXAMPLE).unwrap_or_default();
    if rows.iter().any(|[_, action]| !actions.contains(&action.as_str())) {
        body.refuse(name, EXAMPLE);
    }
    let listed = actions.map(|action| rows.iter().filter(|[_, of]| of == action).map(|[percent, _]| percent.as_str()).collect::<Vec<_>>().join(", "));
    (listed, Vec::new())
}
