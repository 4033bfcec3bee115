//! The demonstration college: tenant, departments, courses, and the rows that a day's work begins from.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Result,
    access::Actor,
    audit::{Outcome, Via},
    courses::{Course, Department, DepartmentKind, Tenant, namespace},
    ids::{CourseId, TenantId, UserId},
    money::{Currency, Money},
    quotas::QuotaSettings,
};
use serde_json::json;
use storage::{
    Write,
    accounts::{members, roles, users},
    courses::Place,
};

use super::people::Member;
use crate::{
    Caller, Origin, Services,
    audit::{self, Entry},
    catalogue::install_defaults,
    error::OrDomain,
};

pub(super) const SLUG: &str = "xxgc";
pub(super) const COLLEGE: &str = "信息工程学院";

/// Courses refer to them by their place.
pub(super) const DEPARTMENTS: [&str; 2] = ["人工智能系", "软件技术系"];

pub(super) struct CoursePlan {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// Place in [`DEPARTMENTS`].
    pub(super) department: usize,
    /// Whole yuan for the term.
    pub(super) budget: i64,
    /// Weekday (0 is Monday) and lesson slot of each week.
    pub(super) lessons: [(i64, usize); 2],
    pub(super) topics: [&'static str; 6],
}

/// The small demonstration has the first two.
pub(super) const COURSES: [CoursePlan; 6] = [
    CoursePlan {
        code: "AI2301",
        name: "深度学习基础",
        department: 0,
        budget: 4_000,
        lessons: [(0, 0), (2, 2)],
        topics: ["张量与自动求导", "多层感知机", "卷积网络", "循环网络", "注意力机制", "模型压缩"],
    },
    CoursePlan {
        code: "CV2402",
        name: "计算机视觉",
        department: 0,
        budget: 6_000,
        lessons: [(1, 1), (3, 2)],
        topics: ["图像增强", "图像分类", "目标检测", "语义分割", "关键点检测", "视频理解"],
    },
    CoursePlan {
        code: "NL2403",
        name: "自然语言处理",
        department: 0,
        budget: 5_000,
        lessons: [(1, 3), (4, 0)],
        topics: ["词向量", "文本分类", "序列标注", "机器翻译", "大模型微调", "检索增强"],
    },
    CoursePlan {
        code: "BD2304",
        name: "大数据技术",
        department: 1,
        budget: 3_000,
        lessons: [(0, 2), (3, 0)],
        topics: ["数据清洗", "分布式计算", "特征工程", "推荐系统", "流式处理", "数据可视化"],
    },
    CoursePlan {
        code: "CL2305",
        name: "云计算与容器",
        department: 1,
        budget: 3_000,
        lessons: [(2, 0), (4, 2)],
        topics: ["镜像制作", "编排入门", "存储与网络", "推理服务", "弹性伸缩", "可观测性"],
    },
    CoursePlan {
        code: "RB2406",
        name: "机器人与边缘智能",
        department: 1,
        budget: 4_000,
        lessons: [(2, 3), (4, 1)],
        topics: ["传感器标定", "路径规划", "模型量化", "端侧部署", "强化学习", "仿真训练"],
    },
];

/// The college as it is when the first person signs in.
pub(super) struct College {
    /// In the order of their plans.
    pub(super) courses: Vec<Course>,
    /// In the order of the members, as they call from a browser on campus.
    pub(super) people: Vec<Caller>,
}

/// Lays down the college with these courses and members, each with the hash of a password.
pub(super) async fn found(services: &Services, write: &mut Write, plans: &[CoursePlan], members: &[(Member, String)]) -> Result<College> {
    let tenant = Tenant { id: TenantId::from_uuid(services.entropy.uuid()), slug: SLUG.into(), name: COLLEGE.into() };
    storage::courses::insert_tenant(write, &tenant, services.clock.now()).await.or_domain()?;
    install_defaults(services, write, tenant.id).await?;
    let departments = departments(services, write, tenant.id, plans).await?;
    let mut courses = Vec::with_capacity(plans.len());
    for plan in plans {
        let mut settings = QuotaSettings::reference(Money::units(plan.budget, Currency::Cny));
        // The operator raised the limit for the job of eight ranks.
        settings.limits.cpu_cores = 512;
        let course = Course {
            id: CourseId::from_uuid(services.entropy.uuid()),
            tenant: tenant.id,
            code: plan.code.into(),
            name: plan.name.into(),
            namespace: namespace(&tenant.slug, plan.code),
            settings,
        };
        storage::courses::insert(write, &course, services.clock.now()).await.or_domain()?;
        let place = Place { department: departments.get(&plan.department).copied(), archived_at: None };
        storage::courses::set_place(write, course.id, place).await.or_domain()?;
        courses.push(course);
    }
    let mut people = Vec::with_capacity(members.len());
    for (at, (member, hash)) in members.iter().enumerate() {
        let taught: BTreeSet<_> = member.courses.iter().filter_map(|course| courses.get(*course)).map(|course| course.id).collect();
        people.push(enrol(services, write, tenant.id, member, hash, taught, at).await?);
    }
    let entry = Entry::new("demo.seed", "tenant", tenant.id, SLUG).after(json!({
        "college": COLLEGE,
        "departments": departments.keys().map(|at| DEPARTMENTS[*at]).collect::<Vec<_>>(),
        "courses": plans.iter().map(|plan| plan.code).collect::<Vec<_>>(),
        "people": members.iter().map(|(member, _)| member.login.as_str()).collect::<Vec<_>>(),
    }));
    audit::by_job(services, write, "demo", tenant.id, entry, Outcome::Success).await?;
    Ok(College { courses, people })
}

/// The departments that the plans name, by their place in [`DEPARTMENTS`].
async fn departments(services: &Services, write: &mut Write, college: TenantId, plans: &[CoursePlan]) -> Result<BTreeMap<usize, TenantId>> {
    let mut made = BTreeMap::new();
    for at in plans.iter().map(|plan| plan.department).collect::<BTreeSet<_>>() {
        let id = TenantId::from_uuid(services.entropy.uuid());
        let department = Department { id, tenant: college, kind: DepartmentKind::Department, name: DEPARTMENTS[at].into() };
        storage::departments::insert(write, &department, services.clock.now()).await.or_domain()?;
        made.insert(at, id);
    }
    Ok(made)
}

async fn enrol(
    services: &Services,
    write: &mut Write,
    tenant: TenantId,
    member: &Member,
    hash: &str,
    courses: BTreeSet<CourseId>,
    at: usize,
) -> Result<Caller> {
    let user = users::User {
        password_hash: hash.to_owned(),
        ..users::User::new(UserId::from_uuid(services.entropy.uuid()), tenant, member.login.clone(), member.name.clone(), services.clock.now())
    };
    let held = [member.role].into();
    users::insert(write, &user).await.or_domain()?;
    roles::set(write, user.id, &held).await.or_domain()?;
    members::set(write, user.id, &courses).await.or_domain()?;
    let actor = Actor {
        user: user.id,
        login: user.login,
        name: user.name,
        tenant,
        roles: held,
        department_roles: BTreeMap::new(),
        departments: BTreeSet::new(),
        courses,
        scopes: None,
    };
    // Everybody has a desk.
    let origin = Origin { via: Via::Web, address: Some(format!("10.12.{}.{}", 1 + at / 20, 11 + at % 20 * 3)), request_id: None, device: None };
    Ok(Caller { actor, origin })
}
