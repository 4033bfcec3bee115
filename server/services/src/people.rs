//! People of a tenant, for administrators.

use std::collections::BTreeSet;

use domain::{
    Result,
    access::Role,
    ids::{CourseId, UserId},
    people::{NewPerson, Person},
};

use crate::{Caller, Services};

pub async fn list(_services: &Services, _caller: &Caller) -> Result<Vec<Person>> {
    todo!()
}

pub async fn create(
    _services: &Services,
    _caller: &Caller,
    _person: &NewPerson,
    _roles: BTreeSet<Role>,
    _courses: BTreeSet<CourseId>,
) -> Result<Person> {
    todo!()
}

/// Roles and courses as they shall be. An administrator cannot take that role from themselves.
pub async fn set_access(
    _services: &Services,
    _caller: &Caller,
    _user: UserId,
    _roles: BTreeSet<Role>,
    _courses: BTreeSet<CourseId>,
) -> Result<Person> {
    todo!()
}

/// Disabling ends every session and token at once; one cannot disable oneself.
pub async fn disable(_services: &Services, _caller: &Caller, _user: UserId) -> Result<()> {
    todo!()
}

pub async fn enable(_services: &Services, _caller: &Caller, _user: UserId) -> Result<()> {
    todo!()
}
