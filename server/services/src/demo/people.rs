//! The people of the demonstration: six accounts that can be signed in to, and for the term a faculty of forty around them.
//! Names are a surname, what somebody is, and that they are made up.

use domain::access::Role;

use super::college::COURSES;

pub(super) struct Member {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) role: Role,
    /// Places of the courses that they teach.
    pub(super) courses: Vec<usize>,
}

/// Login, name, role.
const ACCOUNTS: [(&str, &str, Role); 6] = [
    ("teacher", "示范教师甲", Role::Teacher),
    ("teacher2", "示范教师乙", Role::Teacher),
    ("manager", "示范系主任", Role::Manager),
    ("auditor", "示范审计员", Role::Auditor),
    ("operator", "示范运维员", Role::Operator),
    ("administrator", "示范管理员", Role::Administrator),
];

/// Surnames in letters and characters: the first six do other work, the rest teach.
const SURNAMES: [(&str, &str); 34] = [
    ("zhou", "周"),
    ("wu", "吴"),
    ("ma", "马"),
    ("xu", "徐"),
    ("sun", "孙"),
    ("zhu", "朱"),
    ("wang", "王"),
    ("li", "李"),
    ("zhang", "张"),
    ("liu", "刘"),
    ("chen", "陈"),
    ("yang", "杨"),
    ("huang", "黄"),
    ("zhao", "赵"),
    ("hu", "胡"),
    ("guo", "郭"),
    ("he", "何"),
    ("gao", "高"),
    ("lin", "林"),
    ("luo", "罗"),
    ("zheng", "郑"),
    ("liang", "梁"),
    ("xie", "谢"),
    ("song", "宋"),
    ("tang", "唐"),
    ("shen", "沈"),
    ("han", "韩"),
    ("feng", "冯"),
    ("deng", "邓"),
    ("cao", "曹"),
    ("peng", "彭"),
    ("zeng", "曾"),
    ("xiao", "肖"),
    ("tian", "田"),
];

/// Roles of the first few surnames, and what they are called.
const OTHERS: [(Role, &str); 6] = [
    (Role::Manager, "主任"),
    (Role::Manager, "主任"),
    (Role::Auditor, "审计"),
    (Role::Operator, "运维"),
    (Role::Operator, "运维"),
    (Role::Administrator, "管理员"),
];

/// Those who can sign in. Teachers teach what is said, by their place among the accounts.
pub(super) fn accounts(taught: [&[usize]; 2]) -> Vec<Member> {
    let courses = |at: usize| taught.get(at).map(|courses| courses.to_vec()).unwrap_or_default();
    let member = |(at, (login, name, role)): (usize, &(&str, &str, Role))| Member {
        login: (*login).into(),
        name: (*name).into(),
        role: *role,
        courses: courses(at),
    };
    ACCOUNTS.iter().enumerate().map(member).collect()
}

/// Those whose passwords nobody knows: they have worked here all term.
pub(super) fn faculty() -> Vec<Member> {
    let member = |(at, (letters, surname)): (usize, &(&str, &str))| {
        let (role, called) = OTHERS.get(at).copied().unwrap_or((Role::Teacher, "老师"));
        let courses = if role == Role::Teacher { vec![at % COURSES.len()] } else { Vec::new() };
        Member { login: (*letters).into(), name: format!("{surname}{called}（示范）"), role, courses }
    };
    SURNAMES.iter().enumerate().map(member).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn forty_people_with_names_and_logins_of_their_own() {
        let all: Vec<_> = accounts([&[0], &[1]]).into_iter().chain(faculty()).collect();
        let logins: BTreeSet<_> = all.iter().map(|member| member.login.as_str()).collect();
        let names: BTreeSet<_> = all.iter().map(|member| member.name.as_str()).collect();
        assert_eq!((all.len(), logins.len(), names.len()), (40, 40, 40));
        for course in 0..COURSES.len() {
            assert!(all.iter().filter(|member| member.courses.contains(&course)).count() >= 4, "course {course}");
        }
    }
}
